"""The third step: the keys of the instance before and after, every problem, and the decision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widgets import Static

from tui_licenses.domain.activation import ActivationPreview, ActivationRequest
from tui_licenses.domain.license_key import KeyState, LicenseKey
from tui_licenses.errors import Detail, TuiLicensesError
from tui_licenses.text import clean
from tui_licenses.tui.facts import kind_text, location_text, quoted, quoted_instance
from tui_licenses.tui.screens.activation.draft import Draft, Target
from tui_licenses.tui.screens.activation.next_steps import next_step_for
from tui_licenses.tui.widgets.inline_problem import InlineProblem
from tui_licenses.tui.widgets.row_table import RowTable, TableColumn
from tui_licenses.tui.widgets.tick import Tick

_KEY_POINTER = "/keys/"
_MASTER_PRESENT = "master-already-present"
_TITLE_LINES = 1
# More are scrolled to: problems and the decision below must be seen too.
_ROWS_MAXIMUM = 8


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One key of the instance: `sign` is `+` for added, `-` for gone, a space for kept."""

    sign: str
    key: LicenseKey
    note: str


class ReviewStep(VerticalScroll, can_focus=False):
    """Shows what an activation would do; replacing a master key is ticked here or not done."""

    @dataclass
    class ReplacementDecided(Message):
        """The current master key is to be replaced, or not."""

        replace_master: bool

    def __init__(self, write_key: Callable[[str], str]) -> None:
        super().__init__(id="review-step")
        self._write_key = write_key

    def compose(self) -> ComposeResult:
        yield Static("", id="review-target", markup=False)
        yield Static("Asking the cloud what this would do…", id="review-progress", markup=False)
        yield RowTable[ChangeRow](self._columns(), lambda row: row.sign + row.key.id, id="changes")
        yield InlineProblem(id="review-problem")
        yield Static("", id="review-problems", markup=False)
        yield Tick("Replace the master key", id="replace-master")

    def _columns(self) -> tuple[TableColumn[ChangeRow], ...]:
        return (
            TableColumn("sign", "", 1, 1, lambda row: row.sign, tone=_tone),
            TableColumn(
                "key", "License key", 19, 19, lambda row: self._write_key(row.key.key), tone=_tone
            ),
            TableColumn("kind", "Kind", 7, 6, lambda row: kind_text(row.key.kind)),
            TableColumn("product", "Product", 24, 10, lambda row: row.key.product_name),
            TableColumn("note", "What happens", 30, 14, lambda row: row.note),
        )

    def show_waiting(self, draft: Draft) -> None:
        """Show the target while the cloud is asked."""
        self.query_one("#review-target", Static).update(Text(_target_text(draft)))
        self.query_one("#review-progress").display = True
        self.query_one("#review-problem", InlineProblem).show(None)
        for shown in ("#changes", "#review-problems", "#replace-master"):
            self.query_one(shown).display = False

    def show_failure(self, error: TuiLicensesError, next_step: str | None) -> None:
        """Show why there is no preview, or why the submission failed."""
        self.query_one("#review-progress").display = False
        self.query_one("#review-problem", InlineProblem).show(error, next_step)

    def show_preview(
        self, draft: Draft, request: ActivationRequest, preview: ActivationPreview
    ) -> None:
        """Show what would change and everything that stands against it."""
        self.query_one("#review-progress").display = False
        self.query_one("#review-problem", InlineProblem).show(None)
        table: RowTable[ChangeRow] = self.query_one("#changes", RowTable)
        rows = change_rows(preview)
        table.styles.height = min(len(rows), _ROWS_MAXIMUM) + _TITLE_LINES
        table.show_rows(rows)
        problems = self.query_one("#review-problems", Static)
        problems.display = bool(preview.problems)
        problems.update(self._problems_text(request, preview.problems))
        tick = self.query_one("#replace-master", Tick)
        tick.is_ticked = draft.replace_master
        tick.show_label(self._replacement_label(preview))
        tick.display = draft.replace_master or any(
            problem.code == _MASTER_PRESENT for problem in preview.problems
        )
        table.display = bool(rows)

    def focus_decision(self) -> bool:
        """Put the focus on the decision to replace a master key, if that is to be made."""
        tick = self.query_one("#replace-master", Tick)
        if tick.display:
            self.screen.set_focus(tick)
        return tick.display

    def _replacement_label(self, preview: ActivationPreview) -> str:
        master = next((key for key in preview.before if key.is_master), None)
        if master is None:
            return "Replace the master key"
        return f"Replace the master key {self._write_key(master.key)}: it is superseded for good"

    def _problems_text(self, request: ActivationRequest, problems: tuple[Detail, ...]) -> Text:
        lines = []
        for problem in problems:
            subject = self._subject(request, problem.pointer)
            lines.append(Text(f"! {subject}{clean(problem.message)}", style="bold"))
            step = next_step_for(problem.code)
            if step is not None:
                lines.append(Text(f"  {step}"))
        return Text("\n").join(lines)

    def _subject(self, request: ActivationRequest, pointer: str) -> str:
        index = pointer.removeprefix(_KEY_POINTER)
        if index != pointer and index.isdigit() and int(index) < len(request.keys):
            return f"{self._write_key(request.keys[int(index)])}: "
        return ""

    @on(Tick.Ticked, "#replace-master")
    def _decide_replacement(self, event: Tick.Ticked) -> None:
        event.stop()
        self.post_message(self.ReplacementDecided(event.is_ticked))

    @on(RowTable.Opened)
    @on(RowTable.Moved)
    def _stay(self, event: RowTable.Opened | RowTable.Moved) -> None:
        event.stop()


def change_rows(preview: ActivationPreview) -> tuple[ChangeRow, ...]:
    """Return the keys of the instance as a diff, in the order they will have."""
    kept = {key.id for key in preview.before}
    staying = {key.id for key in preview.after}
    gone = [
        ChangeRow("-", key, f"becomes {KeyState.SUPERSEDED}" if key.is_master else "goes")
        for key in preview.before
        if key.id not in staying
    ]
    after = [
        ChangeRow(" ", key, "stays") if key.id in kept else ChangeRow("+", key, "is activated")
        for key in preview.after
    ]
    return (*gone, *after)


def _tone(row: ChangeRow) -> str | None:
    return {"+": "good", "-": "bad"}.get(row.sign)


def _target_text(draft: Draft) -> str:
    if draft.target is Target.EXISTING and draft.instance is not None:
        instance = draft.instance
        place = location_text(instance.location)
        return f"On this instance:\n{quoted_instance(instance)}\n{place}"
    return f"On a new instance:\n{quoted(draft.name.strip())}"
