"""Server instances: name, location, version, profile and licensing state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tui_licenses.errors import UseError
from tui_licenses.text import has_control_characters

NAME_LENGTH_MAXIMUM = 120


class InstanceState(StrEnum):
    """The stored state of an instance (docs/protocol.md, States)."""

    PENDING = "pending"
    LICENSED = "licensed"
    UNLICENSED = "unlicensed"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Location:
    """Where an instance is deployed: an ISO 3166-1 alpha-2 country and a free label."""

    country_code: str
    label: str | None


@dataclass(frozen=True, slots=True)
class Instance:
    """One on-premises server as the cloud account knows it.

    `profile_revision` is 0 while no server profile was uploaded; `master_key_id` is the current
    master, which may belong to another account.
    """

    id: str
    name: str
    location: Location
    core_version: str | None
    state: InstanceState
    hostname: str | None
    fingerprint: str | None
    profile_revision: int
    master_key_id: str | None
    key_count: int
    add_on_count: int
    activated_at: datetime | None
    created_at: datetime
    updated_at: datetime
    revision: int

    @property
    def has_profile(self) -> bool:
        """Say whether a server profile was uploaded."""
        return self.profile_revision > 0


def check_name(name: str) -> str:
    """Return the trimmed name of an instance, 1 to 120 characters without control characters.

    Raises `UseError` (`invalid-request`).
    """
    trimmed = name.strip()
    if not trimmed:
        raise UseError("invalid-request", "A name cannot be empty.", "Type a name.")
    if len(trimmed) > NAME_LENGTH_MAXIMUM:
        raise UseError(
            "invalid-request",
            f"A name has at most {NAME_LENGTH_MAXIMUM} characters; this one has {len(trimmed)}.",
            "Shorten the name.",
        )
    if has_control_characters(trimmed):
        raise UseError(
            "invalid-request",
            "A name cannot hold control or formatting characters.",
            "Type the name again instead of pasting it.",
        )
    return trimmed
