"""Marks in the list: single rows, ranges, all that is shown; and what they stand for."""

from __future__ import annotations

from tui_licenses.service.outcomes import DocumentKind
from tui_licenses.state.app_state import AppState
from tui_licenses.state.estate import Row, RowKind
from tui_licenses.state.events import MarkToggled, RowsMarked, RowsUnmarked
from tui_licenses.state.select import Rows
from tui_licenses.state.store import Store


class Marking:
    """Changes the marks of a store; of the rows it remembers only where a range begins."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._start_id: str | None = None

    def toggle(self, row: Row | None) -> bool:
        """Mark a row, or take its mark away; says whether it is one that can be marked."""
        if row is None or row.kind is RowKind.HEADING:
            return False
        self._start_id = row.id
        self._store.dispatch(MarkToggled(row.id))
        return True

    def mark_to(self, rows: Rows, row: Row | None) -> None:
        """Mark all rows from the one that was marked last to this one; that one comes next."""
        if row is None:
            return
        end = rows.index_of(row.id)
        start = None if self._start_id is None else rows.index_of(self._start_id)
        if end is None:
            return
        first, last = sorted((end if start is None else start, end))
        self._start_id = row.id
        self._store.dispatch(RowsMarked(rows[first : last + 1].ids()))

    def mark_all(self, rows: Rows) -> None:
        """Mark all rows; where all of them are marked, take their marks away."""
        ids = rows.ids()
        if ids <= self._store.state.marked_ids:
            self._store.dispatch(RowsUnmarked(ids))
        else:
            self._store.dispatch(RowsMarked(ids))


def subject_ids(state: AppState, kind: DocumentKind) -> tuple[str, ...]:
    """Return what the marks stand for, each once: keys for certificates, else instances."""
    marked, inventory = state.marked_ids, state.inventory
    if inventory is None:
        return ()
    if kind is DocumentKind.CERTIFICATE:
        return tuple(key_id for key_id in inventory.keys.ids() if key_id in marked)
    holders = inventory.keys.columns.holders
    through_keys = {
        holders[place].instance_id
        for place, key_id in enumerate(inventory.keys.ids())
        if key_id in marked
    }
    wanted = marked | through_keys
    return tuple(item_id for item_id in inventory.instances.ids() if item_id in wanted)


def settled_marks(state: AppState, missing_ids: frozenset[str]) -> frozenset[str]:
    """Return the marks that a download has settled: all but those of what is still missing."""
    missing = set(missing_ids)
    if state.inventory is not None and missing_ids:
        keys = state.inventory.keys
        holders = keys.columns.holders
        missing |= {
            key_id
            for place, key_id in enumerate(keys.ids())
            if holders[place].instance_id in missing_ids
        }
    return state.marked_ids - missing
