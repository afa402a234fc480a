"""The generated documents say what the program does."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

from tui_licenses.cli.documentation import command_line_document, exit_codes_document
from tui_licenses.config import Settings

DOCUMENTS = Path(__file__).parents[2] / "docs"


def test_every_setting_is_documented_with_its_default() -> None:
    document = command_line_document()
    for setting in fields(Settings):
        default = json.dumps(setting.default)
        shown = "none" if setting.default is None else f"`{default}`"
        assert f"| `{setting.name}` | {shown} |" in document


def test_every_command_of_the_contract_is_documented() -> None:
    document = command_line_document()
    for command in (
        "open",
        "login",
        "logout",
        "whoami",
        *(f"context {verb}" for verb in ("list", "use", "show", "remove")),
        *(f"instances {verb}" for verb in ("list", "show", "rename", "relocate", "hardware")),
        "instances profile",
        *(f"keys {verb}" for verb in ("list", "show", "lookup", "release")),
        "activate",
        *(f"download {kind}" for kind in ("license", "certificate", "profile")),
        "inspect",
        "verify",
        *(f"trust {verb}" for verb in ("list", "add", "remove")),
        "profile",
        "events list",
        *(f"cloud {verb}" for verb in ("init", "seed", "serve", "issue", "check")),
        *(f"cloud {verb}" for verb in ("backup", "restore")),
        *(f"cloud signing-keys {verb}" for verb in ("list", "rotate", "retire", "revoke")),
        *(f"cloud signing-keys {verb}" for verb in ("rotate-root", "export-root")),
        *(f"cloud {verb}" for verb in ("suspend", "reinstate", "revoke")),
        *(f"cloud tokens {verb}" for verb in ("list", "make", "revoke")),
    ):
        assert f"\n### {command}\n" in document, command


def test_every_exit_status_is_explained_with_its_codes() -> None:
    document = exit_codes_document()
    for status in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 130):
        assert f"\n| {status} | " in document
    for status, code in (
        (2, "no-terminal"),
        (2, "terminal-too-small"),
        (5, "key-already-assigned"),
        (6, "plan-not-eligible"),
        (7, "connection-refused"),
        (7, "outcome-unknown"),
        (8, "not-a-license"),
        (8, "wrong-instance"),
        (9, "partial-failure"),
        (10, "file-exists"),
        (130, "interrupted"),
    ):
        (row,) = (
            line
            for line in document.partition("## Error codes")[2].splitlines()
            if line.startswith(f"| {status} |")
        )
        assert f"`{code}`" in row
