"""Signing in to the accounts of the embedded cloud."""

from __future__ import annotations

import pytest

from tui_licenses import paths
from tui_licenses.cloud.embedded import EmbeddedCredentials, embedded_credentials


def sign_in_of(plan: str) -> EmbeddedCredentials:
    """Return the administrator of the embedded account that has this plan."""
    known = embedded_credentials(paths.embedded_database_file())
    return next(entry for entry in known if entry.plan == plan)


def sign_in_as(monkeypatch: pytest.MonkeyPatch, plan: str) -> None:
    """Let the program be the administrator of the embedded account that has this plan."""
    entry = sign_in_of(plan)
    monkeypatch.setenv("TUI_LICENSES_SUBJECT_ID", entry.subject_id)
    monkeypatch.setenv("TUI_LICENSES_REFRESH_TOKEN", entry.refresh_token)
