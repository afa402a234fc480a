"""Fixtures for every test: a home of its own, and license clouds to talk to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

_KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "VIRTUAL_ENV")
_KEPT_PREFIXES = ("COV", "PYTEST", "PYTHON")


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test an empty home and an environment without proxies and our own variables."""
    import os

    folder = tmp_path_factory.mktemp("home")
    for name in tuple(os.environ):
        if name not in _KEPT and not name.startswith(_KEPT_PREFIXES):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(folder))
    for name, place in (
        ("XDG_CONFIG_HOME", ".config"),
        ("XDG_DATA_HOME", ".local/share"),
        ("XDG_STATE_HOME", ".local/state"),
        ("XDG_CACHE_HOME", ".cache"),
        ("XDG_RUNTIME_DIR", ".run"),
    ):
        monkeypatch.setenv(name, str(folder / place))
    return folder
