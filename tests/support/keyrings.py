"""Keyrings that fail in the ways real ones do; the library loads them by name."""

from __future__ import annotations

import threading

from keyring.backend import KeyringBackend
from keyring.errors import KeyringError


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
