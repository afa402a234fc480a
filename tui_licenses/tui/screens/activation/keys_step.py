"""The first step: the queue of license keys, each checked in form and asked about in the cloud."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Label, Static

from tui_licenses.errors import TuiLicensesError
from tui_licenses.text import clean
from tui_licenses.tui.facts import features_text, kind_text
from tui_licenses.tui.screens.activation.draft import Draft, QueuedKey
from tui_licenses.tui.screens.activation.key_field import KeyField
from tui_licenses.tui.screens.activation.next_steps import next_step_for
from tui_licenses.tui.widgets.inline_problem import InlineProblem
from tui_licenses.tui.widgets.row_table import RowTable, TableColumn

_HINT = "Enter queues; paste several lines at once; Enter on the empty field goes on."
_QUEUE_HINT = "In the list: x takes a key off, r asks the cloud again."


class _Queue(RowTable[QueuedKey]):
    """The queued keys; `x` takes the one under the cursor off, `r` asks about all again."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x,delete,backspace", "take_off", "Take off the queue", show=False),
        Binding("r", "ask_again", "Ask again", show=False),
    ]

    def action_take_off(self) -> None:
        """Take the key under the cursor off the queue."""
        if self.cursor_id is not None:
            self.post_message(KeysStep.KeyRemoved(self.cursor_id))

    def action_ask_again(self) -> None:
        """Ask again about keys that could not be looked up."""
        self.post_message(KeysStep.LookupWanted())


class KeysStep(Vertical):
    """Takes keys in, shows what the cloud says about each."""

    @dataclass
    class KeysGiven(Message):
        """Text that is meant as one or several keys; empty to go on."""

        text: str

    @dataclass
    class KeyRemoved(Message):
        """A key was taken off the queue."""

        key: str

    @dataclass
    class LookupWanted(Message):
        """The cloud is to be asked again where it did not answer."""

    def __init__(self, write_key: Callable[[str], str]) -> None:
        super().__init__(id="keys-step")
        self._write_key = write_key

    def compose(self) -> ComposeResult:
        with Horizontal(classes="field"):
            yield Label("License keys", classes="label")
            yield KeyField()
        yield Static(_HINT, classes="hint", markup=False)
        yield InlineProblem(id="keys-problem")
        yield _Queue(self._columns(), lambda queued: queued.key, id="queue")
        yield Static("", id="queue-row", markup=False)

    def _columns(self) -> tuple[TableColumn[QueuedKey], ...]:
        return (
            TableColumn("key", "License key", 19, 19, lambda row: self._write_key(row.key)),
            TableColumn("kind", "Kind", 7, 6, lambda row: _told(row, "kind")),
            TableColumn("product", "Product", 24, 10, lambda row: _told(row, "product")),
            TableColumn("features", "Features", 30, 8, lambda row: _told(row, "features"), 1),
            TableColumn("verdict", "Can be assigned", 30, 16, verdict_text, tone=_tone),
        )

    def show(self, draft: Draft) -> None:
        """Show the queue."""
        self.query_one(_Queue).show_rows(
            draft.queue, message=("No key is queued yet: type or paste one above.",)
        )
        self._show_cursor_row()

    def show_problem(self, error: TuiLicensesError | None, remaining: str) -> None:
        """Show what is no key, and leave exactly that in the field."""
        self.query_one(InlineProblem).show(
            error, None if error is None else next_step_for(error.code)
        )
        field = self.query_one(KeyField)
        field.value = remaining
        field.cursor_position = len(remaining)

    def focus_first(self) -> None:
        """Put the cursor into the field."""
        self.screen.set_focus(self.query_one(KeyField))

    @property
    def typed_text(self) -> str:
        """Return what stands in the field and is not queued."""
        return self.query_one(KeyField).value

    @on(KeyField.Given)
    def _take_keys(self, event: KeyField.Given) -> None:
        event.stop()
        self.post_message(self.KeysGiven(event.text))

    @on(RowTable.Moved)
    def _follow_cursor(self, event: RowTable.Moved) -> None:
        event.stop()
        self._show_cursor_row()

    @on(RowTable.Opened)
    def _stay(self, event: RowTable.Opened) -> None:
        event.stop()

    def _show_cursor_row(self) -> None:
        row = self.query_one(_Queue).cursor_row
        self.query_one("#queue-row", Static).update(Text("" if row is None else row_text(row)))


def _told(row: QueuedKey, what: str) -> str:
    lookup = row.lookup
    if lookup is None:
        return ""
    if what == "kind":
        return kind_text(lookup.kind)
    if what == "product":
        return lookup.product_name or ""
    return features_text(lookup.features) if lookup.in_account else ""


def verdict_text(row: QueuedKey) -> str:
    """Return whether a key can be assigned, in few words."""
    if row.error is not None:
        return f"? {row.error.message}"
    if row.lookup is None:
        return "asking the cloud…"
    if row.lookup.assignable:
        return "yes"
    return f"no: {' '.join(reason.message for reason in row.lookup.reasons)}"


def row_text(row: QueuedKey) -> str:
    """Return all that is known about a key: features, or why not and what to do."""
    if row.error is not None:
        return clean(f"{row.error.message} {row.error.next_step}") + f"\n{_QUEUE_HINT}"
    if row.lookup is None:
        return _QUEUE_HINT
    if row.lookup.assignable:
        return clean(f"Features: {features_text(row.lookup.features)}.") + f"\n{_QUEUE_HINT}"
    lines = []
    for reason in row.lookup.reasons:
        where = row.lookup.instance_name
        place = f" It is “{where}”." if reason.code == "key-already-assigned" and where else ""
        lines.append(clean(f"{reason.message}{place} {next_step_for(reason.code) or ''}"))
    return "\n".join([*lines, _QUEUE_HINT])


def _tone(row: QueuedKey) -> str | None:
    if row.error is not None:
        return "warning"
    if row.lookup is None:
        return "dim"
    return "good" if row.lookup.assignable else "bad"
