"""Backups changed line by line and signed anew, as only a thief of a signing key can."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from tui_licenses.cloud.backup_file import FORMAT, BackupPayload
from tui_licenses.documents.envelope import BACKUP, seal
from tui_licenses.documents.payload import encode_payload
from tui_licenses.documents.signing import SigningKey


def resigned(data: bytes, key: SigningKey) -> bytes:
    """Return a backup whose lines are signed by one key."""
    body = data[: data.rfind(b"\n") + 1]
    payload = BackupPayload(
        format=FORMAT, version=1, size=len(body), sha256=hashlib.sha256(body).hexdigest()
    )
    return body + seal(BACKUP, encode_payload(payload), [key])


def rewritten(data: bytes, change: Callable[[list[bytes]], None], key: SigningKey) -> bytes:
    """Return a backup some of whose lines are changed, signed by one key."""
    *lines, _envelope = data.split(b"\n")
    change(lines)
    return resigned(b"\n".join([*lines, b""]), key)
