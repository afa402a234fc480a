"""Pages of lists as they are on the wire, and the domain objects in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tui_licenses.api.answers import decode_json
from tui_licenses.api.parts import Change, Item_co
from tui_licenses.api.schemas import WireChange, WireInstance, WireLicenseKey


class WireItem(Protocol[Item_co]):
    """One object of a list as it is on the wire."""

    def to_domain(self) -> Item_co: ...


class WirePage(Protocol[Item_co]):
    """One page of a list as it is on the wire."""

    next_cursor: str | None
    total_count: int

    @property
    def items(self) -> Sequence[WireItem[Item_co]]: ...


def to_change(item: WireChange) -> Change:
    """Return a change as a domain object, or as its id where the object is gone."""
    if item.deleted:
        return Change(item.kind, item.id, None, None)
    if item.kind == "instance":
        instance = decode_json(item.object, WireInstance).to_domain()
        return Change(item.kind, item.id, instance, None)
    return Change(item.kind, item.id, None, decode_json(item.object, WireLicenseKey).to_domain())
