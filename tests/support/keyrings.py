"""Keyrings that work, or fail in the ways real ones do; the library loads them by name."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import KeyringError


class Working(KeyringBackend):
    """Keeps each secret in a file of the folder that KEYRING_FOLDER names."""

    priority = 1  # type: ignore[assignment]

    def _file(self, service: str, username: str) -> Path:
        return Path(os.environ["KEYRING_FOLDER"], f"{service} {username}".replace("/", " "))

    def get_password(self, service: str, username: str) -> str | None:
        file = self._file(service, username)
        return file.read_text(encoding="utf-8") if file.exists() else None

    def set_password(self, service: str, username: str, password: str) -> None:
        self._file(service, username).write_text(password, encoding="utf-8")

    def delete_password(self, service: str, username: str) -> None:
        self._file(service, username).unlink()


class Failing(KeyringBackend):
    """Refuses everything, as one that is locked does."""

    priority = 1  # type: ignore[assignment]

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringError(f"locked for {username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringError(f"locked: {password}")

    def delete_password(self, service: str, username: str) -> None:
        raise KeyringError("locked")


class Hanging(KeyringBackend):
    """Waits for somebody to unlock it, and nobody comes."""

    priority = 1  # type: ignore[assignment]

    def get_password(self, service: str, username: str) -> str | None:
        threading.Event().wait()
        return None

    def set_password(self, service: str, username: str, password: str) -> None:
        threading.Event().wait()

    def delete_password(self, service: str, username: str) -> None:
        threading.Event().wait()
