"""The two things of an instance that are changed in place: its name and its location."""

from __future__ import annotations

from dataclasses import dataclass

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Label, Static

from tui_licenses.domain.countries import country_name, search_countries
from tui_licenses.domain.instance import Location
from tui_licenses.errors import TuiLicensesError, UseError
from tui_licenses.text import clean
from tui_licenses.tui.facts import location_text
from tui_licenses.tui.widgets.inline_problem import InlineProblem
from tui_licenses.tui.widgets.type_ahead import TypeAhead


class NameEditor(Vertical):
    """The name as text, or as a field with its problem below it."""

    @dataclass
    class Given(Message):
        """Another name was typed."""

        name: str

    def compose(self) -> ComposeResult:
        with Horizontal(classes="field"):
            yield Label("Name", classes="label")
            yield Static("", id="name", markup=False)
            field = Input(compact=True, id="name-field")
            field.cursor_blink = False
            field.display = False
            yield field
        yield InlineProblem(id="name-problem")

    @property
    def is_open(self) -> bool:
        """Say whether the name is being typed."""
        return self.query_one(Input).display

    def show(self, name: str) -> None:
        """Show the name; what is being typed stays."""
        self.query_one("#name", Static).update(Text(clean(name), style="bold"))

    def open(self, name: str) -> None:
        """Let the name be typed over."""
        field = self.query_one(Input)
        field.value = name
        field.cursor_position = len(name)
        field.display = True
        self.query_one("#name").display = False
        # At once, not after a refresh: whoever types ahead must not lose a letter.
        self.screen.set_focus(field)

    def close(self) -> None:
        """Show the name as text again."""
        self.query_one(InlineProblem).show(None)
        self.query_one(Input).display = False
        self.query_one("#name").display = True

    def show_problem(self, error: TuiLicensesError | None) -> None:
        """Show what is wrong with the name that was typed."""
        self.query_one(InlineProblem).show(error)

    @on(Input.Submitted)
    def _give(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Given(event.value))


class LocationEditor(Vertical):
    """The location as text, or as a country picker and a free text."""

    @dataclass
    class Given(Message):
        """Another location was chosen."""

        location: Location

    def __init__(self) -> None:
        super().__init__()
        self._country_code = ""

    def compose(self) -> ComposeResult:
        with Horizontal(classes="field"):
            yield Label("Location", classes="label")
            yield Static("", id="location", markup=False)
        with Vertical(id="location-fields"):
            with Horizontal(classes="field"):
                yield Label("  Country", classes="label")
                yield TypeAhead(
                    search_countries, placeholder="type a country or its code", id="country"
                )
            with Horizontal(classes="field"):
                yield Label("  Place", classes="label")
                field = Input(placeholder="optional: city, building", compact=True, id="place")
                field.cursor_blink = False
                yield field
        yield InlineProblem(id="location-problem")

    def on_mount(self) -> None:
        self.query_one("#location-fields").display = False

    @property
    def is_open(self) -> bool:
        """Say whether the location is being chosen."""
        return self.query_one("#location-fields").display

    def show(self, location: Location) -> None:
        """Show the location; what is being chosen stays."""
        self.query_one("#location", Static).update(Text(location_text(location)))

    def open(self, location: Location) -> None:
        """Let another location be chosen."""
        self._country_code = location.country_code
        self.query_one("#location-fields").display = True
        country = self.query_one("#country", TypeAhead)
        country.show_choice(location.country_code, country_name(location.country_code))
        self.query_one("#place", Input).value = location.label or ""
        country.focus_text()

    def close(self) -> None:
        """Show the location as text again."""
        self.query_one(InlineProblem).show(None)
        self.query_one("#location-fields").display = False

    def show_problem(self, error: TuiLicensesError | None) -> None:
        """Show what is wrong with the location that was chosen."""
        self.query_one(InlineProblem).show(error)

    @on(TypeAhead.Chosen, "#country")
    def _choose_country(self, event: TypeAhead.Chosen) -> None:
        event.stop()
        self._country_code = event.choice_id or ""

    @on(TypeAhead.Confirmed, "#country")
    def _go_on_to_place(self, event: TypeAhead.Confirmed) -> None:
        event.stop()
        self.screen.set_focus(self.query_one("#place"))

    @on(Input.Submitted, "#place")
    def _give(self, event: Input.Submitted) -> None:
        event.stop()
        if not self._country_code:
            self.show_problem(
                UseError(
                    "invalid-request",
                    "No country is chosen.",
                    "Type the beginning of its name, move with the arrow keys, press Enter.",
                )
            )
            self.query_one("#country", TypeAhead).focus_text()
            return
        label = event.value.strip() or None
        self.post_message(self.Given(Location(self._country_code, label)))
