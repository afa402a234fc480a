"""Every column of the list as data: the table, the commands and the exports read this tuple."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tui_licenses.domain.countries import country_name, country_names
from tui_licenses.domain.instance import Instance, InstanceState
from tui_licenses.domain.license_key import Feature, LicenseKey, group_key, mask_key
from tui_licenses.domain.packed import microseconds
from tui_licenses.domain.status import STATUS_SYMBOLS, KeyStatus
from tui_licenses.state.app_state import View
from tui_licenses.text import clean, shorten, width_cells

if TYPE_CHECKING:
    from tui_licenses.state.estate import Row

NOT_ASSIGNED = "Not assigned"
UNKNOWN_VERSION = "unknown"

_NUMBERS = re.compile(r"\d+|[^\d.]+")
_BETWEEN_FEATURES = ", "
# The worst first: what needs a decision stands on top.
STATUSES: tuple[KeyStatus | InstanceState, ...] = (*KeyStatus, *InstanceState)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the list.

    `width` and `minimum` are cells; `drop_order`: the highest is dropped first on narrow
    terminals, 0 never; `cell` gives the cleaned text of a row, `sort_key` what it is sorted by.
    """

    id: str
    title: str
    width: int
    minimum: int
    drop_order: int
    cell: Callable[[Row, View, datetime], str]
    sort_key: Callable[[Row], Any]


def find_column(column_id: str) -> Column:
    """Return the column with an id."""
    return _BY_ID[column_id]


def key_text(key: LicenseKey, view: View) -> str:
    """Return a key in groups of four, masked where the view asks for it."""
    return clean(mask_key(key.key) if view.mask_keys else group_key(key.key))


def features_text(features: Iterable[Feature]) -> str:
    """Return the names of features with their quantities."""
    return _BETWEEN_FEATURES.join(
        clean(feature.name)
        if feature.quantity is None
        else f"{clean(feature.name)} ×{feature.quantity}"
        for feature in features
    )


def shorten_features(text: str, width: int) -> str:
    """Return as many feature names as fit into `width` cells, and how many are left out (`+3`)."""
    if width_cells(text) <= width:
        return text
    names = text.split(_BETWEEN_FEATURES)
    for kept in range(len(names) - 1, 0, -1):
        shown = f"{_BETWEEN_FEATURES.join(names[:kept])} +{len(names) - kept}"
        if width_cells(shown) <= width:
            return shown
    rest = f" +{len(names) - 1}" if len(names) > 1 else ""
    return shorten(names[0], width - len(rest)) + rest


def location_text(instance: Instance | None) -> str:
    """Return the country of an instance by name."""
    return "" if instance is None else clean(country_name(instance.location.country_code))


def shorten_location(text: str, width: int) -> str:
    """Return a country by its two letters where its name does not fit: `United …` is no place."""
    if width_cells(text) <= width:
        return text
    codes = (code for code, name in country_names().items() if name == text)
    return next(codes, shorten(text, width))


def version_text(instance: Instance | None) -> str:
    """Return the core software version, or that it was never reported."""
    if instance is None:
        return ""
    return clean(instance.core_version) if instance.core_version else UNKNOWN_VERSION


def status_text(status: KeyStatus | InstanceState | None) -> str:
    """Return a status as symbol and word: `● Active`."""
    if status is None:
        return ""
    symbol = STATUS_SYMBOLS.get(status, ("·", "-"))[0]
    return f"{symbol} {status.value.capitalize()}"


def instant_text(instant: datetime | None, view: View) -> str:
    """Return a date and time of day, local or in UTC (`2026-11-23 14:05`, `… 14:05Z`)."""
    if instant is None:
        return ""
    if view.show_utc:
        return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%MZ")
    return instant.astimezone().strftime("%Y-%m-%d %H:%M")


def version_order(version: str | None) -> tuple[tuple[int, int, str], ...]:
    """Return what a version is sorted by: 6.10 comes after 6.9, unknown before all."""
    return tuple(
        (1, int(part), "") if part.isdecimal() else (0, 0, part)
        for part in _NUMBERS.findall(version or "")
    )


def _instance_cell(row: Row, _view: View, _now: datetime) -> str:
    if row.instance is not None:
        return clean(row.instance.name)
    if row.key is not None and row.key.instance_name:
        return clean(row.key.instance_name)
    return NOT_ASSIGNED


def _key_cell(row: Row, view: View, _now: datetime) -> str:
    return "" if row.key is None else key_text(row.key, view)


def _features_cell(row: Row, _view: View, _now: datetime) -> str:
    return "" if row.key is None else features_text(row.key.features)


def _location_cell(row: Row, _view: View, _now: datetime) -> str:
    return location_text(row.instance)


def _version_cell(row: Row, _view: View, _now: datetime) -> str:
    return version_text(row.instance)


def _status_cell(row: Row, _view: View, _now: datetime) -> str:
    return status_text(row.status)


def _updated_cell(row: Row, view: View, _now: datetime) -> str:
    return instant_text(_updated_at(row), view)


def _updated_at(row: Row) -> datetime | None:
    if row.key is not None:
        return row.key.updated_at
    return None if row.instance is None else row.instance.updated_at


def _updated_order(row: Row) -> int:
    updated_at = _updated_at(row)
    return 0 if updated_at is None else microseconds(updated_at)


COLUMNS: tuple[Column, ...] = (
    Column(
        "instance",
        "Instance",
        30,
        15,
        0,
        _instance_cell,
        lambda row: (row.instance.name if row.instance else "").casefold(),
    ),
    Column("key", "Key", 19, 19, 0, _key_cell, lambda row: row.key.key if row.key else ""),
    Column(
        "features",
        "Features",
        34,
        10,
        2,
        _features_cell,
        lambda row: features_text(row.key.features).casefold() if row.key else "",
    ),
    Column(
        "location", "Location", 16, 8, 1, _location_cell, lambda row: location_text(row.instance)
    ),
    Column(
        "version",
        "Version",
        9,
        7,
        3,
        _version_cell,
        lambda row: version_order(row.instance.core_version if row.instance else None),
    ),
    Column(
        "status",
        "Status",
        12,
        12,
        0,
        _status_cell,
        lambda row: -1 if row.status is None else STATUSES.index(row.status),
    ),
    Column("updated", "Last update", 16, 16, 4, _updated_cell, _updated_order),
)

_BY_ID = {column.id: column for column in COLUMNS}
