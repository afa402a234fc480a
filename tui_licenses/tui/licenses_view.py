"""What the list of licenses shows: its columns with their tones, its counts, its messages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from rich.text import Text

from tui_licenses.domain.instance import InstanceState
from tui_licenses.domain.status import KeyStatus
from tui_licenses.errors import TuiLicensesError
from tui_licenses.state.app_state import AppState, View
from tui_licenses.state.columns import (
    COLUMNS,
    NOT_ASSIGNED,
    Column,
    instant_text,
    shorten_features,
    shorten_location,
)
from tui_licenses.state.estate import Row, RowKind
from tui_licenses.state.select import Selection
from tui_licenses.text import shorten, width_cells
from tui_licenses.tui.widgets.row_table import TableColumn
from tui_licenses.tui.widgets.table_column import no_tone

_TONES: dict[str, str] = {
    KeyStatus.REVOKED: "bad",
    KeyStatus.SUSPENDED: "bad",
    KeyStatus.EXPIRED: "bad",
    KeyStatus.EXPIRING: "warning",
    KeyStatus.PENDING: "warning",
    KeyStatus.SUPERSEDED: "dim",
    KeyStatus.UNASSIGNED: "dim",
    KeyStatus.ACTIVE: "good",
    InstanceState.LICENSED: "good",
    InstanceState.UNLICENSED: "warning",
    InstanceState.PENDING: "warning",
}


def _shorten_tree(text: str, width: int) -> str:
    """Return a name shortened; of a master with hidden add-ons their number stays."""
    if width_cells(text) > width and "Master (+" in text:
        text = text.replace("Master (+", "(+", 1)
    return shorten(text, width)


_SHORTEN: dict[str, Callable[[str, int], str]] = {
    "instance": _shorten_tree,
    "features": shorten_features,
    "location": shorten_location,
}
_INDENT = "  "
_LOADING = "Loading the licenses of this account…"
_EMPTY = (
    "This account has no instances and no license keys yet.",
    "Press a to activate a key on a first instance, or ? for the guide.",
)


def table_columns(
    view: Callable[[], View], clock: Callable[[], datetime]
) -> tuple[TableColumn[Row], ...]:
    """Return the columns of the list; `view` tells how their texts are to be shown."""

    def table_column(column: Column) -> TableColumn[Row]:
        def text(row: Row) -> str:
            if column.id == "instance":
                return tree_text(row, view())
            return column.cell(row, view(), clock())

        return TableColumn(
            column.id,
            column.title,
            column.width,
            column.minimum,
            text,
            drop_order=column.drop_order,
            tone=_status_tone if column.id == "status" else no_tone,
            shorten=_SHORTEN.get(column.id, shorten),
            may_run_on=column.id == "instance",
        )

    return tuple(table_column(column) for column in COLUMNS)


def tree_text(row: Row, view: View) -> str:
    """Return what stands in the first column: a name, or a key below it."""
    if row.kind is RowKind.HEADING:
        return NOT_ASSIGNED
    if row.key is None:
        return "" if row.instance is None else row.instance.name
    indent = _INDENT * row.depth
    if not row.key.is_master:
        return f"{indent}Add-on"
    if row.add_on_count and not view.show_add_ons:
        return f"{indent}Master (+{_counted(row.add_on_count, 'add-on')})"
    return f"{indent}Master"


def row_tone(row: Row) -> str | None:
    """Return the tone of a whole row: names stand out from the keys below them."""
    return None if row.kind is RowKind.KEY else "strong"


def _status_tone(row: Row) -> str | None:
    return None if row.status is None else _TONES.get(row.status)


def waiting_lines(state: AppState) -> tuple[str, ...]:
    """Return what is shown before there are rows: that they come, or why they do not."""
    problem = state.problem
    if problem is None or state.is_loading:
        return (_LOADING,)
    return (problem.message, problem.next_step, "Press r to try again.")


def empty_lines(selection: Selection, state: AppState) -> tuple[str, ...]:
    """Return what is shown where a selection has no rows, and what to do then."""
    if len(selection.rows):
        return ()
    if selection.total_count:
        wanted = state.view.filter_text.strip()
        return (f"Nothing matches “{wanted}”.", "Press Esc to see everything again.")
    return (_LOADING,) if state.is_loading else _EMPTY


def counts_line(selection: Selection | None, state: AppState, now: datetime) -> Text:
    """Return the line below the rows: of when they are, how many there are, what is going on.

    The age comes first, since a narrow terminal cuts the end; where the last refresh failed it is
    marked.
    """
    line = Text(no_wrap=True, overflow="ellipsis")
    if state.inventory is not None:
        age = f"as of {_clock_time(state.inventory.fetched_at, state.view, now)}"
        line.append(age if state.problem is None else f"! {age}", "bold" if state.problem else "")
    percent = state.loaded_percent
    is_whole = state.inventory is not None and state.inventory.cursor is not None
    if selection is not None and (is_whole or percent is not None or not state.is_loading):
        line.append(f" · {_counts_text(selection, state)}")
    if state.is_loading:
        line.append(" · loading…" if percent is None else f" · loading… {percent} %")
    return line


def problem_text(problem: TuiLicensesError) -> str:
    """Return why a refresh failed, and how to ask for another."""
    return f"! {problem.message} Press r to try again."


def _clock_time(instant: datetime, view: View, now: datetime) -> str:
    told, today = instant_text(instant, view), instant_text(now, view)
    day, _, time_of_day = told.partition(" ")
    # The day is told only where it is not this one.
    return time_of_day if today.startswith(day) else told


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _counts_text(selection: Selection, state: AppState) -> str:
    parts = [_counted(selection.instance_count, "instance"), _counted(selection.key_count, "key")]
    if selection.hidden_add_on_count:
        parts.append(f"{_counted(selection.hidden_add_on_count, 'add-on')} hidden")
    if state.marked_ids:
        parts.append(f"{len(state.marked_ids):,} marked")
    return ", ".join(parts)
