"""Fixtures for every test: a home of its own, and license clouds to talk to."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tui_licenses import paths
from tui_licenses.config import Configuration
from tui_licenses.domain.account import Role
from tui_licenses.wiring import Services, open_services

_KEPT = ("TUI_LICENSES_SAMPLE_PROFILES", "PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "VIRTUAL_ENV")
_KEPT_PREFIXES = ("COV", "PYTEST", "PYTHON")


@dataclass(frozen=True)
class ServedCloud:
    """A license cloud in a process of its own; sign-ins by role of its first account."""

    url: str
    database: Path
    sign_ins: dict[Role, tuple[str, str]]

    def environment(self, role: Role = Role.ADMINISTRATOR) -> dict[str, str]:
        """Return the environment that signs a program in."""
        subject_id, refresh_token = self.sign_ins[role]
        return {
            "TUI_LICENSES_URL": self.url,
            "TUI_LICENSES_SUBJECT_ID": subject_id,
            "TUI_LICENSES_REFRESH_TOKEN": refresh_token,
        }


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test an empty home and an environment without proxies and our own variables."""
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


@pytest.fixture(scope="session")
def lab_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of an embedded cloud, seeded once for all tests; never write into it."""
    from tui_licenses.cloud.embedded import ensure_embedded

    database = tmp_path_factory.mktemp("lab") / paths.embedded_database_file().name
    ensure_embedded(database)
    return database.parent


@pytest.fixture
def lab_database(home: Path, lab_template: Path) -> Path:
    """Return the database of the embedded cloud in this test's home: a copy of its own."""
    assert paths.embedded_cloud_folder().is_relative_to(home)
    shutil.copytree(lab_template, paths.embedded_cloud_folder())
    return paths.embedded_database_file()


@pytest.fixture
async def services(lab_database: Path) -> AsyncIterator[Services]:
    """Give the services of the embedded cloud, signed in as its first administrator."""
    opened = open_services(Configuration(), None, {})
    yield opened
    await opened.aclose()


@pytest.fixture
def served_cloud(lab_template: Path, tmp_path: Path) -> Iterator[ServedCloud]:
    """Serve a copy of the seeded cloud on a free port; it is ready when the test begins."""
    from tests.trust.clouds import SeededCloud, serve
    from tui_licenses.cloud.embedded import embedded_credentials

    folder = tmp_path / "served"
    shutil.copytree(lab_template, folder)
    database = folder / paths.embedded_database_file().name
    credentials = embedded_credentials(database)
    with serve(SeededCloud("SQLite", database, ()), folder / "server.log") as server:
        assert server.url.startswith("http://127.0.0.1:")
        yield ServedCloud(
            server.url,
            database,
            {
                entry.role: (entry.subject_id, entry.refresh_token)
                for entry in reversed(credentials)
                if entry.account_id == credentials[0].account_id
            },
        )
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=15) in {0, -signal.SIGTERM}
