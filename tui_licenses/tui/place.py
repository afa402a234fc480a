"""A place in the dashboard that can be named: `instance/ID` or `key/ID`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tui_licenses.errors import UseError


class PlaceKind(StrEnum):
    """What a place shows."""

    INSTANCE = "instance"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the dashboard opens."""

    kind: PlaceKind
    id: str

    @classmethod
    def parse(cls, text: str) -> Place:
        """Return the place a text names; raises `UseError` (`invalid-request`)."""
        kind, _, identifier = text.strip().partition("/")
        if kind not in set(PlaceKind) or not identifier or "/" in identifier:
            raise UseError(
                "invalid-request",
                "This is no place in the dashboard.",
                "Name one as instance/ID or key/ID.",
            )
        return cls(PlaceKind(kind), identifier)
