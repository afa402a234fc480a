"""A text field with a list below it that follows what is typed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tui_licenses.text import clean

# More would not be read; who sees the last line types another letter.
CHOICES_MAXIMUM = 50

Search = Callable[[str], Sequence[tuple[str, str]]]


class _ChoiceList(OptionList, can_focus=False):
    """The list below the field; the field keeps the focus, the arrow keys move in here."""


class TypeAhead(Vertical):
    """Finds one of many choices by typing; `search` returns (id, label), best match first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", "Next choice", show=False),
        Binding("up", "move(-1)", "Previous choice", show=False),
        Binding("pagedown", "move(5)", "Next choices", show=False),
        Binding("pageup", "move(-5)", "Previous choices", show=False),
    ]

    @dataclass
    class Chosen(Message):
        """A choice was made, or (None) the text of one was typed over."""

        type_ahead: TypeAhead
        choice_id: str | None

        @property
        def control(self) -> TypeAhead:
            """Return the sender, so that `@on` can select by it."""
            return self.type_ahead

    @dataclass
    class Confirmed(Message):
        """Enter or a click settled the choice: the next thing can be typed."""

        type_ahead: TypeAhead

        @property
        def control(self) -> TypeAhead:
            """Return the sender, so that `@on` can select by it."""
            return self.type_ahead

    def __init__(
        self,
        search: Search,
        *,
        placeholder: str,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id)
        self._search = search
        self._placeholder = placeholder
        self._labels: dict[str, str] = {}
        self._chosen_id: str | None = None

    def compose(self) -> ComposeResult:
        field = Input(placeholder=self._placeholder, compact=True)
        field.cursor_blink = False
        yield field
        yield _ChoiceList(markup=False, compact=True)

    def on_mount(self) -> None:
        self._fill("")

    def on_descendant_focus(self) -> None:
        """Show the list while the field has the focus."""
        self.add_class("-open")

    def on_descendant_blur(self) -> None:
        """Take the list away with the focus."""
        self.remove_class("-open")

    @property
    def text(self) -> str:
        """Return what is typed."""
        return self.query_one(Input).value

    def show_choice(self, choice_id: str, label: str) -> None:
        """Write the label of a choice that was made into the field, without searching for it."""
        self._chosen_id = choice_id
        field = self.query_one(Input)
        with field.prevent(Input.Changed):
            field.value = label
            field.cursor_position = len(label)
        self._empty()

    def search_again(self) -> None:
        """Fill the list anew, because what can be chosen has changed."""
        self._fill(self.text)

    def focus_text(self) -> None:
        """Put the cursor into the field."""
        self.screen.set_focus(self.query_one(Input))

    def action_move(self, rows: int) -> None:
        """Move the highlighted choice."""
        choices = self.query_one(_ChoiceList)
        if not choices.option_count:
            self._fill("" if self._chosen_id else self.text)
            return
        wanted = (choices.highlighted or 0) + rows
        choices.highlighted = max(0, min(choices.option_count - 1, wanted))

    @on(Input.Changed)
    def _search_typed_text(self, event: Input.Changed) -> None:
        event.stop()
        self._fill(event.value)
        typed = event.value.strip().casefold()
        exact = next(
            (
                choice_id
                for choice_id, label in self._labels.items()
                if typed in {choice_id.casefold(), label.casefold()}
            ),
            None,
        )
        if exact != self._chosen_id:
            self._chosen_id = exact
            self.post_message(self.Chosen(self, exact))

    @on(Input.Submitted)
    def _choose_highlighted(self, event: Input.Submitted) -> None:
        event.stop()
        choices = self.query_one(_ChoiceList)
        if choices.option_count:
            choices.action_select()
        elif self._chosen_id is not None:
            self.post_message(self.Confirmed(self))

    @on(OptionList.OptionSelected)
    def _choose(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        choice_id = event.option_id or ""
        # Where more was typed meanwhile, it is not among what was found any more.
        if choice_id in self._labels:
            self.show_choice(choice_id, self._labels[choice_id])
            self.post_message(self.Chosen(self, choice_id))
            self.post_message(self.Confirmed(self))

    @on(OptionList.OptionHighlighted)
    def _keep_highlight_to_itself(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()

    def _empty(self) -> None:
        """Take the list away once the choice is made: Enter then keeps it."""
        choices = self.query_one(_ChoiceList)
        choices.clear_options()
        choices.add_class("-empty")

    def _fill(self, text: str) -> None:
        found = tuple(self._search(text))[:CHOICES_MAXIMUM]
        self._labels = {choice_id: clean(label) for choice_id, label in found}
        choices = self.query_one(_ChoiceList)
        choices.set_options(
            Option(Content(label), id=choice_id) for choice_id, label in self._labels.items()
        )
        choices.set_class(not found, "-empty")
        if found:
            choices.highlighted = 0
