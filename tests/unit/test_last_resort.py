"""What nobody catches is recorded by its type and place, and its words are shown nowhere."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tui_licenses import paths

_START = """
import logging, sys, threading, warnings
from tui_licenses.__main__ import _recorded
from tui_licenses.last_resort import take_over, take_over_libraries
take_over(_recorded)
take_over_libraries(_recorded)
"""


def told_by(body: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _START + body], capture_output=True, text=True, env=os.environ
    )
    assert "canary" not in done.stdout + done.stderr
    return done.stderr


@pytest.mark.parametrize(
    "body",
    [
        "raise ValueError('canary')",
        "t = threading.Thread(target=lambda: int('canary')); t.start(); t.join()",
        "class C:\n    def __del__(self): raise ValueError('canary')\nC()",
    ],
)
def test_a_failure_goes_to_the_log_without_its_words(body: str) -> None:
    assert told_by(body) == ""
    log = paths.log_file().read_text(encoding="utf-8")
    assert "ValueError" in log
    assert "canary" not in log


def test_a_warning_of_python_is_not_shown() -> None:
    assert told_by("warnings.warn('canary')") == ""


def test_a_library_logs_only_that_it_failed() -> None:
    body = "try: int('canary')\nexcept ValueError: logging.getLogger('httpx').exception('canary')"
    told = told_by(body)
    assert told.startswith("httpx: a failure\n  ValueError\n")
    assert told_by("logging.getLogger('httpx').info('canary')") == ""


def test_our_own_warnings_keep_their_words_but_no_secret() -> None:
    told = told_by("logging.getLogger('tui_licenses.x').warning('No %s here.', 'tlr_1canary')")
    assert told == "No ‹secret› here.\n"


def test_what_is_logged_is_told_a_cleaned_line_at_a_time_wherever_it_is_wanted() -> None:
    body = """
take_over_libraries(_recorded, lambda line: print("LINE", ascii(line), file=sys.stderr))
log = logging.getLogger("tui_licenses.x")
log.warning("told %s", chr(27) + "[31m a" + chr(10) + "b")
try: int("canary")
except ValueError: log.exception("it failed")
"""
    lines = told_by(body).splitlines()
    assert lines[0] == r"LINE 'told \u2039U+001B\u203a[31m a b'"
    assert lines[1:3] == ["LINE 'it failed'", "LINE '  ValueError'"]
    assert all(line.startswith("LINE '    ") for line in lines[3:])
