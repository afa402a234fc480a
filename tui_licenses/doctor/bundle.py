"""One readable file for support: what was found, the settings, the log; nothing secret.

Only what is named here goes in: no key, no token, no subject, no name of an instance. The home
folder is written as `~`, so that the user's name is not in it either.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any

from tui_licenses import paths
from tui_licenses.config import Configuration, Settings
from tui_licenses.doctor.finding import Finding
from tui_licenses.files import write_private
from tui_licenses.secret import redact

_LOG_LINES_MAXIMUM = 200
_LOG_BYTES_MAXIMUM = 64 * 1024


def write_bundle(
    file: Path, findings: Sequence[Finding], configuration: Configuration, now: datetime
) -> None:
    """Write the bundle, readable by its owner only; raises `FileError` (`file-exists`, …)."""
    document = {
        "madeAt": now.isoformat(timespec="seconds"),
        "findings": [finding_record(finding) for finding in findings],
        "settings": {
            field.name: _plain(getattr(configuration.settings, field.name))
            for field in fields(Settings)
        },
        "contexts": [
            {"name": context.name, "url": context.url, "caFile": _plain(context.ca_file)}
            for context in configuration.contexts
        ],
        "log": _log(),
    }
    text = json.dumps(document, indent=2, ensure_ascii=True).replace(str(Path.home()), "~")
    # Behind everything else: an error may quote what somebody typed in the wrong place.
    text = redact(text)
    write_private(file, f"{text}\n".encode(), replace=False)


def finding_record(finding: Finding) -> dict[str, Any]:
    """Return a finding as JSON."""
    return {
        "subject": finding.subject,
        "severity": finding.severity,
        "code": finding.code or None,
        "message": finding.message,
        "nextStep": finding.next_step or None,
        "facts": dict(finding.facts),
    }


def _log() -> list[str]:
    """Return the end of the log, which holds types and places only (`tui/crash`)."""
    try:
        with paths.log_file().open("rb") as stream:
            stream.seek(max(0, paths.log_file().stat().st_size - _LOG_BYTES_MAXIMUM))
            lines = stream.read(_LOG_BYTES_MAXIMUM).decode("utf-8", "replace").splitlines()
    except OSError:
        return []
    return lines[-_LOG_LINES_MAXIMUM:]


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Path) else value
