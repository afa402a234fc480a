"""What a check of a license cloud finds, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

_RESTORE = "Stop the cloud and restore a backup (`tui-licenses cloud restore`)."
_NEXT_STEPS = {
    "audit-wrong": "Find out who can write this database; keep it aside and restore a backup.",
    "audit-unguarded": "Find out who removed the guard; check every event against a backup.",
    "history-lost": "Somebody put an older database in its place: restore the backup.",
    "setting-wrong": "Keep the database on a local disk, and serve it with this program only.",
    "file-not-private": "Take the permissions away as told, and make new secrets if in doubt.",
    "trust-wrong": "Put the .key files back that belong to this database, from its backup.",
    "license-file-wrong": "Restore the .key files of this database; otherwise revoke the signing"
    " key (`tui-licenses cloud signing-keys revoke`), and every file is issued anew.",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing `check` found wrong; `target` names the row, keys by id only."""

    code: str
    target: str
    message: str

    @property
    def next_step(self) -> str:
        """Return the sentence that says what to do about it."""
        return _NEXT_STEPS.get(self.code, _RESTORE)
