"""A license cloud that could be changed, read or listened to by others is not served."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from tests.support.tls import Authority, make_authority
from tui_licenses.cloud.serve import serve
from tui_licenses.cloud.start_checks import (
    check_address,
    check_database,
    check_tls_files,
    file_system,
)
from tui_licenses.errors import FileError, TuiLicensesError, UseError

_NOBODY = 65534
_NOW = datetime.now(UTC)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return make_authority(tmp_path)


@pytest.fixture
def database(sqlite_database: Path) -> Path:
    """Give a file: what is checked here are files and folders."""
    return sqlite_database


def _no_warning(message: str) -> None:
    pytest.fail(f"warned: {message}")


def _refused(error: type[TuiLicensesError], start: Callable[[], object]) -> TuiLicensesError:
    with pytest.raises(error) as refused:
        start()
    assert refused.value.message.endswith(".")
    assert refused.value.next_step
    return refused.value


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "licenses.example"])
def test_other_machines_are_served_with_tls_only(host: str) -> None:
    refused = _refused(UseError, lambda: check_address(host, None, None))
    assert refused.code == "tls-required"


@pytest.mark.parametrize("missing", [0, 1])
def test_half_a_pair_of_tls_files_is_refused(missing: int) -> None:
    pair = [Path("cert.pem"), Path("key.pem")]
    files = [None if place == missing else path for place, path in enumerate(pair)]
    refused = _refused(UseError, lambda: check_address("127.0.0.1", *files))
    assert refused.code == "tls-required"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_is_served_without_tls(host: str) -> None:
    check_address(host, None, None)


def test_tls_files_that_cannot_be_used_are_told_before_serving(
    database: Path, tmp_path: Path
) -> None:
    (tmp_path / "cert.pem").write_text("no certificate")
    files = (tmp_path / "cert.pem", tmp_path / "key.pem")
    refused = _refused(FileError, lambda: serve(database, "127.0.0.1", 0, *files))
    assert refused.code == "tls-files-unusable"


def test_a_key_of_another_certificate_is_refused(authority: Authority, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    files = (authority.server_file, make_authority(other).server_file)
    refused = _refused(FileError, lambda: check_tls_files(*files, _NOW, _no_warning))
    assert refused.code == "tls-files-unusable"


def test_an_encrypted_key_is_refused_and_nobody_is_asked_for_its_password(tmp_path: Path) -> None:
    name = "-subj /CN=localhost -newkey rsa:2048 -days 30 -passout pass:secret"
    files = (tmp_path / "cert.pem", tmp_path / "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", *name.split(), "-keyout", files[1], "-out", files[0]],
        check=True,
        capture_output=True,
    )
    refused = _refused(FileError, lambda: check_tls_files(*files, _NOW, _no_warning))
    assert refused.code == "tls-files-unusable"


@pytest.mark.parametrize("mode", [0o604, 0o620, 0o644, 0o666])
def test_a_tls_key_that_others_can_read_or_replace_is_refused(
    authority: Authority, mode: int
) -> None:
    file = authority.server_file
    file.chmod(mode)
    refused = _refused(FileError, lambda: check_tls_files(file, file, _NOW, _no_warning))
    assert refused.code == "file-not-private"


@pytest.mark.parametrize("days", [-30, 30])
def test_a_certificate_that_is_not_valid_today_is_refused(authority: Authority, days: int) -> None:
    file, day = authority.server_file, _NOW + timedelta(days=days)
    refused = _refused(FileError, lambda: check_tls_files(file, file, day, _no_warning))
    assert refused.code == "tls-certificate-expired"


def test_a_certificate_that_expires_soon_is_warned_about(authority: Authority) -> None:
    file, told = authority.server_file, list[str]()
    check_tls_files(file, file, _NOW, told.append)
    assert "have it renewed" in told[0]


@pytest.mark.parametrize("mode", [0o606, 0o640, 0o660, 0o644])
def test_a_database_that_others_can_read_or_change_is_refused(database: Path, mode: int) -> None:
    database.chmod(mode)
    refused = _refused(FileError, lambda: serve(database, port=0))
    assert refused.code == "database-unsafe"
    assert f"chmod 600 {database}" in refused.next_step


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o1777])
def test_a_folder_in_which_others_can_replace_the_database_is_refused(
    database: Path, mode: int
) -> None:
    database.parent.chmod(mode)
    refused = _refused(FileError, lambda: serve(database, port=0))
    assert refused.code == "database-unsafe"


def test_a_folder_further_up_that_others_can_replace_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "shared" / "cloud"
    folder.mkdir(parents=True, mode=0o700)
    folder.parent.chmod(0o777)
    (folder / "cloud.db").touch(mode=0o600)
    refused = _refused(FileError, lambda: check_database(folder / "cloud.db"))
    assert str(folder.parent) in refused.message
    folder.parent.chmod(0o1777)
    check_database(folder / "cloud.db")


def test_a_database_behind_a_symbolic_link_is_refused(database: Path) -> None:
    link = database.with_name("link.db")
    link.symlink_to(database)
    refused = _refused(FileError, lambda: serve(link, port=0))
    assert str(database) in refused.next_step


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_database_or_folder_of_another_user_is_refused(database: Path) -> None:
    os.chown(database, _NOBODY, _NOBODY)
    refused = _refused(FileError, lambda: serve(database, port=0))
    assert "another user" in refused.message
    os.chown(database, 0, 0)
    os.chown(database.parent, _NOBODY, _NOBODY)
    refused = _refused(FileError, lambda: serve(database, port=0))
    assert "another user" in refused.message


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs"])
def test_a_database_on_a_network_file_system_is_refused(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    assert file_system(database) != kind
    # The kernel's table of this host, with one line more.
    table = Path("/proc/self/mounts").read_text()
    (tmp_path / "proc" / "self").mkdir(parents=True)
    (tmp_path / "proc" / "filesystems").write_text(Path("/proc/filesystems").read_text())
    mounts = tmp_path / "proc" / "self" / "mounts"
    mounts.write_text(f"{table}server:/export {database.parent} {kind} rw 0 0\n")
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path / "proc"))
    refused = _refused(FileError, lambda: serve(database, port=0))
    assert kind in refused.message


def test_a_missing_database_is_told(tmp_path: Path) -> None:
    refused = _refused(UseError, lambda: serve(tmp_path / "cloud.db"))
    assert refused.code == "database-missing"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is warned about root")
def test_root_is_warned(database: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from tui_licenses.cloud.serve import serve\n"
        "stop = lambda url: os.kill(os.getpid(), signal.SIGTERM)\n"
        "serve(sys.argv[1], port=0, on_ready=stop, on_warning=print)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(database)], capture_output=True, text=True, timeout=30
    )
    assert done.stdout == "The license cloud runs as root: give it a user of its own.\n"
