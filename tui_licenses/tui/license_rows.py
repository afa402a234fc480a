"""The keys of one instance as rows of a table, and where they are found in the state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from tui_licenses.domain.instance import Instance
from tui_licenses.domain.license_key import KeyState, LicenseKey
from tui_licenses.domain.status import KeyStatus, key_status
from tui_licenses.state.app_state import AppState
from tui_licenses.state.columns import status_text
from tui_licenses.tui.commands import Situation
from tui_licenses.tui.facts import features_text, instance_keys, kind_text, validity_text
from tui_licenses.tui.widgets.row_table import TableColumn

_TONES = {
    KeyStatus.ACTIVE: "good",
    KeyStatus.EXPIRING: "warning",
    KeyStatus.PENDING: "warning",
    KeyStatus.UNASSIGNED: "dim",
    KeyStatus.SUPERSEDED: "dim",
}


@dataclass(frozen=True, slots=True)
class LicenseRow:
    """One license: a key, its status now, and from when until when it holds."""

    key: LicenseKey
    status: KeyStatus
    validity: str


@dataclass(frozen=True, slots=True)
class Subject:
    """An instance with its keys, and the key a screen is about, if it is about one."""

    instance: Instance | None = None
    keys: tuple[LicenseKey, ...] = ()
    key: LicenseKey | None = None

    @property
    def master_state(self) -> KeyState | None:
        """Return the state of the current master, None where it is not in this account."""
        if self.instance is None:
            return None
        wanted = self.instance.master_key_id
        return next((key.state for key in self.keys if key.id == wanted), None)

    def with_instance(self, instance: Instance) -> Subject:
        """Return the subject with a newer value of its instance."""
        return replace(self, instance=instance)

    def situation(self, state: AppState) -> Situation:
        """Return what commands act on: this subject, whatever is marked in the list."""
        return Situation(replace(state, marked_ids=frozenset()), self.instance, self.key)


def find_instance(state: AppState, instance_id: str) -> Subject:
    """Return an instance and its keys as the state has them."""
    inventory = state.inventory
    if inventory is None:
        return Subject()
    keys = inventory.keys.of_instance(instance_id)
    return Subject(inventory.instances.find(instance_id), instance_keys(keys, instance_id))


def find_key(state: AppState, key_id: str) -> Subject:
    """Return a key, its instance and the other keys of that, as the state has them."""
    inventory = state.inventory
    if inventory is None:
        return Subject()
    key = inventory.keys.find(key_id)
    if key is None or key.instance_id is None:
        return Subject(keys=() if key is None else (key,), key=key)
    return replace(find_instance(state, key.instance_id), key=key)


def status_tone(status: KeyStatus) -> str:
    """Return the tone that goes with a status."""
    return _TONES.get(status, "bad")


def license_rows(subject: Subject, state: AppState, now: datetime) -> tuple[LicenseRow, ...]:
    """Return one row for each key of a subject."""
    view = state.view
    return tuple(
        LicenseRow(
            key,
            key_status(key, now, view.expiring_days, subject.master_state),
            validity_text(key, now, show_utc=view.show_utc),
        )
        for key in subject.keys
    )


def license_columns(write_key: Callable[[str], str]) -> tuple[TableColumn[LicenseRow], ...]:
    """Return the columns of a table of licenses; `write_key` writes keys full or masked."""
    return (
        TableColumn("key", "License key", 19, 19, lambda row: write_key(row.key.key)),
        TableColumn("kind", "Kind", 7, 6, lambda row: kind_text(row.key.kind)),
        TableColumn(
            "status",
            "Status",
            12,
            12,
            lambda row: status_text(row.status),
            tone=lambda row: status_tone(row.status),
        ),
        TableColumn("product", "Product", 20, 10, lambda row: row.key.product_name, 1),
        TableColumn("features", "Features", 30, 12, lambda row: features_text(row.key.features), 3),
        TableColumn("validity", "Valid", 34, 16, lambda row: row.validity, 2),
    )
