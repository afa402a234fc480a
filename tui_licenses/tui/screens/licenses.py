"""The list: every instance of the account with its license keys."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widgets import Input, Static

from tui_licenses.domain.license_key import mask_key
from tui_licenses.service.outcomes import DocumentKind
from tui_licenses.state.app_state import AppState
from tui_licenses.state.columns import (
    COLUMNS,
    find_column,
)
from tui_licenses.state.estate import Row
from tui_licenses.state.events import (
    FilterChanged,
    MarksCleared,
    SortChosen,
)
from tui_licenses.state.select import STATUS_STANDS, Selection, Selector
from tui_licenses.state.store import Store
from tui_licenses.text import clean
from tui_licenses.tui.commands import LICENSES, Situation, bindings_of
from tui_licenses.tui.licenses_view import (
    counts_line,
    empty_lines,
    problem_text,
    row_tone,
    table_columns,
    waiting_lines,
)
from tui_licenses.tui.marking import Marking, subject_ids
from tui_licenses.tui.screens.base import DomainScreen
from tui_licenses.tui.widgets.account_header import AccountHeader
from tui_licenses.tui.widgets.command_footer import CommandFooter
from tui_licenses.tui.widgets.filter_field import FilterField
from tui_licenses.tui.widgets.row_table import RowTable
from tui_licenses.tui.widgets.status_line import StatusLine
from tui_licenses.tui.widgets.tick import Tick

if TYPE_CHECKING:
    from tui_licenses.wiring import Services

_SEARCH_WAITS_SECONDS = 0.3


class LicensesScreen(DomainScreen):
    """Shows the rows that the view asks for; it keeps cursor, focus and where marks begin."""

    NAME = LICENSES
    BINDINGS: ClassVar[list[BindingType]] = bindings_of(LICENSES)

    def __init__(self, services: Services, store: Store) -> None:
        super().__init__(services, store)
        self._first_view = store.state.view
        self._selector = Selector()
        self._selection: Selection | None = None
        self._selected_at = datetime.min.replace(tzinfo=UTC)
        self._marking = Marking(store)

    def compose(self) -> ComposeResult:
        yield AccountHeader(self.services, self.store)
        with Horizontal(id="title-bar"):
            yield FilterField(self.store.state.view.filter_text)
            yield Tick(
                "Show add-on keys",
                is_ticked=self.store.state.view.show_add_ons,
                id="show-add-ons",
            )
        yield RowTable(
            table_columns(lambda: self.store.state.view, self._now),
            lambda row: row.id,
            row_tone=row_tone,
            has_marks=True,
            id="rows",
        )
        yield Static("", markup=False, id="counts")
        yield StatusLine()
        yield CommandFooter(LICENSES)

    def on_mount(self) -> None:
        """Let the arrow keys move the cursor of the table."""
        self._table.focus()

    # State to view

    @property
    def _table(self) -> RowTable[Row]:
        return self.query_one("#rows", RowTable)

    def _now(self) -> datetime:
        return self.dashboard.clock()

    def show(self, before: AppState, after: AppState) -> None:
        """Show rows, counts and the age of the data; only what has changed is redrawn."""
        is_first = before is after
        if is_first or before.view.show_add_ons != after.view.show_add_ons:
            self.query_one("#show-add-ons", Tick).is_ticked = after.view.show_add_ons
        if is_first or self._has_other_rows(before, after):
            self._show_rows(after)
        elif before.marked_ids != after.marked_ids:
            self._table.show_marks(after.marked_ids)
        elif after.inventory is None:
            self._show_rows(after)
        self._show_counts(after)
        if before.problem is not after.problem and after.inventory is not None:
            problem = after.problem
            self.query_one(StatusLine).show("" if problem is None else problem_text(problem))

    def _has_other_rows(self, before: AppState, after: AppState) -> bool:
        if before.view != after.view or before.inventory is None or after.inventory is None:
            return before.view != after.view or before.inventory is not after.inventory
        if self._now() - self._selected_at > STATUS_STANDS:
            return True
        return (
            before.inventory.keys is not after.inventory.keys
            or before.inventory.instances is not after.inventory.instances
        )

    def _show_rows(self, state: AppState) -> None:
        sort = state.view.sort
        shown_sort = None if sort.column_id is None else (sort.column_id, sort.is_descending)
        if state.inventory is None:
            self._selection = None
            self._table.show_rows((), message=waiting_lines(state))
            return
        self._selected_at = self._now()
        self._selection = self._selector.select(state.inventory, state.view, self._selected_at)
        self._table.show_rows(
            self._selection.rows,
            marked_ids=state.marked_ids,
            sort=shown_sort,
            message=empty_lines(self._selection, state),
        )
        # Rows are seen and answer before anybody can have typed what to look for.
        self.set_timer(_SEARCH_WAITS_SECONDS, self._prepare_search)

    def _prepare_search(self) -> None:
        """Make a little of what a search needs while nobody types, and come back for more."""
        state = self.store.state
        if state.inventory is None or not self.is_attached:
            return
        if not self._selector.prepare(state.inventory, state.view, self._now()):
            self.set_timer(0.01, self._prepare_search)

    def _show_counts(self, state: AppState) -> None:
        line = counts_line(self._selection, state, self._now())
        self.query_one("#counts", Static).update(line, layout=False)

    # User to service

    @property
    def is_at_start(self) -> bool:
        """Say whether the list looks as a start shows it: nothing moved, marked, sorted or told."""
        state = self.store.state
        is_quiet = not state.is_loading and state.problem is None and not state.marked_ids
        is_whole = state.inventory is not None and state.inventory.cursor is not None
        return state.view == self._first_view and is_quiet and is_whole and self._table.is_at_top

    def situation(self) -> Situation:
        """Return the instance and key of the row under the cursor."""
        row = self._table.cursor_row
        if row is None:
            return Situation(self.store.state)
        return Situation(self.store.state, row.instance, row.key)

    @on(RowTable.Opened, "#rows")
    def _open(self, event: RowTable.Opened) -> None:
        event.stop()
        self.action_open_row()

    def action_open_row(self) -> None:
        """Open the key of the row, or its instance where it has no key."""
        row = self._table.cursor_row
        if row is not None and row.key is not None:
            self.dashboard.open_key(row.key.id)
        elif row is not None and row.instance is not None:
            self.dashboard.open_instance(row.instance.id)

    def action_open_instance(self) -> None:
        """Open the instance of the row."""
        row = self._table.cursor_row
        if row is not None and row.instance is not None:
            self.dashboard.open_instance(row.instance.id)

    def action_activate(self) -> None:
        """Activate keys, on the instance of the row unless another one is chosen there."""
        instance = self.situation().instance
        self.dashboard.open_activation(None if instance is None else instance.id)

    def action_download_license(self) -> None:
        """Save the license file of the row, or of every marked row."""
        self._download(DocumentKind.LICENSE)

    def action_download_certificate(self) -> None:
        """Save the certificate of the key, or of every marked key."""
        self._download(DocumentKind.CERTIFICATE)

    def action_download_profile(self) -> None:
        """Save the server profile of the row, or of every marked row."""
        self._download(DocumentKind.PROFILE)

    def _download(self, kind: DocumentKind) -> None:
        ids = self._subject_ids(kind)
        if ids:
            self.dashboard.download(kind, ids)
        else:
            noun = "key" if kind is DocumentKind.CERTIFICATE else "instance"
            self.dashboard.tell(f"No {noun} is marked; mark one, or clear the marks with Esc.")

    def _subject_ids(self, kind: DocumentKind) -> tuple[str, ...]:
        state = self.store.state
        if state.marked_ids and state.inventory is not None:
            return subject_ids(state, kind)
        situation = self.situation()
        subject = situation.key if kind is DocumentKind.CERTIFICATE else situation.instance
        return () if subject is None else (subject.id,)

    def action_copy_row(self) -> None:
        """Copy the key of the row, or the name of its instance."""
        situation = self.situation()
        if situation.key is not None:
            is_masked = self.store.state.view.mask_keys
            key = situation.key.key
            self.dashboard.copy(key, mask_key(key) if is_masked else None)
        elif situation.instance is not None:
            self.dashboard.copy(clean(situation.instance.name))

    def action_mark(self) -> None:
        """Mark the row, or take its mark away, and go on to the next one."""
        if self._marking.toggle(self._table.cursor_row):
            self._table.action_move(1)

    def action_mark_range(self) -> None:
        """Mark the rows from the one marked last to this one."""
        if self._selection is not None:
            self._marking.mark_to(self._selection.rows, self._table.cursor_row)

    def action_extend_marks(self, rows: int) -> None:
        """Mark this row, move the cursor and mark on."""
        row = self._table.cursor_row
        if row is not None and row.id not in self.store.state.marked_ids:
            self._marking.toggle(row)
        self._table.action_move(rows)
        self.action_mark_range()

    def action_mark_all(self) -> None:
        """Mark all rows that are shown, or take their marks away."""
        if self._selection is not None:
            self._marking.mark_all(self._selection.rows)

    def action_sort(self) -> None:
        """Sort by the next column; after the last one, in the default order again."""
        ids = [column.id for column in COLUMNS]
        current = self.store.state.view.sort.column_id
        following = ids if current is None else ids[ids.index(current) + 1 :]
        column_id = following[0] if following else None
        self.store.dispatch(SortChosen(column_id))
        order = "the default order" if column_id is None else find_column(column_id).title
        self.dashboard.tell(f"Sorted by {order}. S reverses; a click on a title sorts by it.")

    def action_reverse_sort(self) -> None:
        """Reverse the order of the column that is sorted by."""
        current = self.store.state.view.sort.column_id
        if current is not None:
            self.store.dispatch(SortChosen(current))

    @on(RowTable.TitleClicked, "#rows")
    def _sort_by_title(self, event: RowTable.TitleClicked) -> None:
        event.stop()
        self.store.dispatch(SortChosen(event.column_id))

    def action_toggle_add_ons(self) -> None:
        """Show or hide the add-on keys."""
        self.dashboard.show_add_ons(not self.store.state.view.show_add_ons)

    @on(Tick.Ticked, "#show-add-ons")
    def _toggle_by_box(self, event: Tick.Ticked) -> None:
        event.stop()
        self.dashboard.show_add_ons(event.is_ticked)

    def action_filter(self) -> None:
        """Type the filter from now on."""
        self.set_focus(self.query_one(FilterField))

    @on(Input.Changed, "#filter")
    def _filter_as_typed(self, event: Input.Changed) -> None:
        event.stop()
        self.store.dispatch(FilterChanged(event.value))

    def action_back(self) -> None:
        """Clear the filter, else the marks; the list itself is left with q."""
        if self.store.state.view.filter_text:
            self.query_one(FilterField).value = ""
        elif self.store.state.marked_ids:
            self.store.dispatch(MarksCleared())
        else:
            self.dashboard.tell("This is the list; press q to leave.")

    def on_screen_resume(self, _event: events.ScreenResume) -> None:
        """Come back from another screen to the row it was left from."""
        self._table.focus()
