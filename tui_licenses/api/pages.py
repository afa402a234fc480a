"""Parts of lists: pages of objects, and what changed since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from tui_licenses.api.answers import decode_json
from tui_licenses.api.schemas import WireChange, WireInstance, WireLicenseKey
from tui_licenses.domain.instance import Instance
from tui_licenses.domain.license_key import LicenseKey

Item_co = TypeVar("Item_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Change:
    """One changed object: `instance` or `key` is how it is now, neither once it is gone."""

    kind: str
    id: str
    instance: Instance | None
    key: LicenseKey | None


@dataclass(frozen=True, slots=True)
class ChangesPage:
    """Changes in their order, and the cursor that follows them."""

    items: tuple[Change, ...]
    next_cursor: str
    has_more: bool


@dataclass(frozen=True, slots=True)
class Page(Generic[Item_co]):
    """A part of a list of `total`; `changes_cursor` is where changes are followed from."""

    items: tuple[Item_co, ...]
    total: int
    changes_cursor: str | None


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
