"""The hardware of an instance, as the rows of a table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HardwareRow:
    """One leaf value of a server profile.

    `section` is the path of the part (`system / core / memory:0`), `attribute` the name of the
    value within it.
    """

    section: str
    attribute: str
    value: str
