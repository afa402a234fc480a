"""What is logged is cleaned, a line at a time, and tells nothing that an exception says."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import logging, sys, threading
from tui_licenses.logs import log_failures_to, log_to

log_to(lambda line: print("LINE", ascii(line)))
log_failures_to(lambda line: print("LINE", ascii(line)))
log = logging.getLogger("somebody")

def fail():
    raise RuntimeError("canary")

class Ending:
    def __del__(self):
        fail()

log.info("not told")
log.warning("told \\x1b[31m %s", "a\\nb")
try:
    fail()
except RuntimeError:
    log.exception("it failed")
thread = threading.Thread(target=fail)
thread.start()
thread.join()
Ending()
"""


def test_logged_lines_and_failures_nobody_awaits_are_cleaned_and_tell_no_messages() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr == ""
    assert "canary" not in done.stdout
    lines = done.stdout.splitlines()
    assert all(line.startswith("LINE ") for line in lines)
    assert lines[0] == r"LINE 'told \u2039U+001B\u203a[31m a b'"
    told = [line for line in lines if "    " not in line]
    assert told[1:] == [
        "LINE 'it failed'",
        "LINE 'A thread failed: RuntimeError'",
        "LINE 'Something failed while it ended: RuntimeError'",
    ]
    assert sum("RuntimeError" in line for line in lines) == 3
