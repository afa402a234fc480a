"""The generated documents are what the program of today would write."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tui_licenses.__main__ import HELP_COLUMNS
from tui_licenses.cli.documentation import help_text

DOCUMENTS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the documents generated anew."""
    folder = tmp_path_factory.mktemp("docs")
    subprocess.run(
        [sys.executable, str(DOCUMENTS / "generate.py"), str(folder)], check=True, timeout=60
    )
    return folder


@pytest.mark.parametrize("name", ["cli.md", "exit-codes.md", "keys.md"])
def test_a_generated_document_is_up_to_date(generated: Path, name: str) -> None:
    kept = (DOCUMENTS / name).read_text(encoding="utf-8")
    made = (generated / name).read_text(encoding="utf-8")
    assert kept == made, "run `python docs/generate.py`"


def test_the_help_that_is_shown_at_once_is_that_of_the_commands() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "tui_licenses", "--help"], capture_output=True, text=True, check=True
    )
    assert shown.stdout == help_text(HELP_COLUMNS), "run `python docs/generate.py`"
    narrow = subprocess.run(
        [sys.executable, "-m", "tui_licenses", "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "50"},
    )
    assert max(map(len, narrow.stdout.splitlines())) <= 50


def test_every_key_of_the_dashboard_is_documented(generated: Path) -> None:
    from tui_licenses.tui.commands import COMMANDS
    from tui_licenses.tui.keys import shown_key

    document = (generated / "keys.md").read_text(encoding="utf-8")
    for command in COMMANDS:
        assert command.help in document
        assert all(f"`{shown_key(key)}`" in document for key in command.keys)
