"""What `serve` looks at before it listens: a start that is not safe is refused, or warned about.

Everything is told with a sentence and a next step, and nothing is changed: permissions and owners
are a decision of whoever runs the host.
"""

from __future__ import annotations

import os
import ssl
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tui_licenses.addresses import is_loopback
from tui_licenses.errors import FileError, UseError
from tui_licenses.private_files import is_writable_by_others

Warn = Callable[[str], None]

_ROOT = 0
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
# Two weeks: time to have a certificate renewed.
_EXPIRES_SOON = timedelta(days=14)
# SQLite relies on locks and on shared memory, which these do not give to two hosts.
_NETWORK_FILE_SYSTEMS = frozenset(
    {
        *("nfs", "nfs3", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "lustre"),
        *("gfs2", "ocfs2", "glusterfs", "fuse.glusterfs", "fuse.sshfs", "fuse.s3fs"),
        *("fuse.ceph", "fuse.rclone", "fuse.davfs2", "davfs"),
    }
)


def check_address(host: str, tls_cert: Path | None, tls_key: Path | None) -> None:
    """Refuse to serve other machines without TLS; raises `UseError` (`tls-required`)."""
    if (tls_cert is None) != (tls_key is None):
        raise UseError(
            "tls-required",
            "TLS needs a certificate and its key; one of them is missing.",
            "Give both `--tls-cert` and `--tls-key`.",
        )
    if tls_cert is None and not (host == "localhost" or is_loopback(host)):
        raise UseError(
            "tls-required",
            f"Serving on {host} without TLS would send tokens and keys in the clear.",
            "Give `--tls-cert` and `--tls-key`, or serve on 127.0.0.1 behind a reverse proxy.",
        )


def check_tls_files(tls_cert: Path, tls_key: Path, now: datetime, warn: Warn) -> None:
    """Load the certificate and key once, so that a mistake is told before anything listens.

    Raises `FileError`: `tls-files-unusable`, `file-not-private`, `tls-certificate-expired`.
    """
    try:
        status = tls_key.stat()
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tls_cert, tls_key, _no_password)
    except (OSError, ssl.SSLError) as error:
        raise FileError(
            "tls-files-unusable",
            "The TLS certificate and key cannot be used together.",
            "Give a PEM certificate chain and the unencrypted PEM key that belongs to it.",
        ) from error
    # A group may read it, as the group `ssl-cert` of Debian does.
    if status.st_mode & (stat.S_IWGRP | stat.S_IRWXO) or status.st_uid not in _trusted_owners():
        raise FileError(
            "file-not-private",
            f"Other users could read or replace the TLS key {tls_key}.",
            f"Run `chmod 600 {tls_key}` as its owner, who is root or whoever serves.",
        )
    _check_validity(tls_cert, now, warn)


def _no_password() -> str:
    # An encrypted key would otherwise make OpenSSL ask for its password on the terminal.
    return ""


def _check_validity(tls_cert: Path, now: datetime, warn: Warn) -> None:
    from cryptography import x509

    try:
        certificate = x509.load_pem_x509_certificates(tls_cert.read_bytes())[0]
    except (OSError, ValueError) as error:
        raise FileError(
            "tls-files-unusable",
            f"The TLS certificate {tls_cert} cannot be read.",
            "Give a PEM certificate chain.",
        ) from error
    first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not first <= now <= last:
        raise FileError(
            "tls-certificate-expired",
            f"The TLS certificate is valid from {first:%Y-%m-%d} to {last:%Y-%m-%d}, not today: "
            "no client would connect.",
            "Have it renewed, or set the clock of this host right.",
        )
    if last - now < _EXPIRES_SOON:
        warn(f"The TLS certificate expires on {last:%Y-%m-%d}: have it renewed.")


def check_database(database: Path) -> None:
    """Refuse a database file that somebody else on this host or network could change.

    Raises `FileError` (`database-unsafe`). One that is missing is told by whoever opens it.
    """
    try:
        status = database.lstat()
    except OSError:
        return
    if stat.S_ISLNK(status.st_mode):
        raise _unsafe(
            f"{database} is a symbolic link: its journal would be beside the link.",
            f"Give the file itself: {database.resolve()}",
        )
    if status.st_uid not in _trusted_owners():
        raise _unsafe(
            f"{database} belongs to another user.", "Serve as the user that it belongs to."
        )
    if status.st_mode & _OTHERS:
        raise _unsafe(
            f"{database} holds license keys and other users could read or change it.",
            f"Run `chmod 600 {database}`.",
        )
    _check_folders(database.resolve().parent)
    found = file_system(database.resolve())
    if found in _NETWORK_FILE_SYSTEMS:
        raise _unsafe(
            f"{database} is on a network file system ({found}), where SQLite loses data.",
            "Move the folder to a local disk, or use PostgreSQL.",
        )


def _check_folders(folder: Path) -> None:
    """Refuse a folder in which somebody else could put another file in the database's place."""
    for level in (folder, *folder.parents):
        status = level.stat()
        is_shared = bool(status.st_mode & stat.S_ISVTX) and level != folder
        # In /tmp, others may write, but not rename what is ours.
        if is_writable_by_others(status) and not is_shared:
            raise _unsafe(
                f"Other users can write to {level}, and so replace the database.",
                f"Run `chmod go-w {level}`.",
            )
        if status.st_uid not in _trusted_owners():
            raise _unsafe(
                f"{level} belongs to another user, who could replace the database.",
                "Move the database to a folder of the user that serves it.",
            )


def file_system(path: Path) -> str:
    """Return the type of the file system that a path is on, empty where that cannot be told."""
    import psutil

    mounted = {Path(entry.mountpoint): entry.fstype for entry in psutil.disk_partitions(all=True)}
    return next((mounted[level] for level in (path, *path.parents) if level in mounted), "")


def warn_of_root(warn: Warn) -> None:
    """Tell that a fault of the server would be one of root."""
    if os.geteuid() == _ROOT:
        warn("The license cloud runs as root: give it a user of its own.")


def current_time() -> datetime:
    """Return the time of day by which certificates are judged."""
    return datetime.now(UTC)


def _trusted_owners() -> set[int]:
    return {_ROOT, os.geteuid()}


def _unsafe(message: str, next_step: str) -> FileError:
    return FileError("database-unsafe", message, next_step)
