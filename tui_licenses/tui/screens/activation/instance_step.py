"""The second step: an instance of the list or a new one, and its server profile where needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.widgets import Button, Input, Label, Static

from tui_licenses.domain.countries import country_name, search_countries
from tui_licenses.domain.instance import Instance
from tui_licenses.domain.instance_table import InstanceTable
from tui_licenses.errors import TuiLicensesError
from tui_licenses.text import clean, searchable
from tui_licenses.tui.facts import FINGERPRINT_CHARACTERS
from tui_licenses.tui.screens.activation.draft import Draft, Target
from tui_licenses.tui.widgets.inline_problem import InlineProblem
from tui_licenses.tui.widgets.tick import Tick
from tui_licenses.tui.widgets.type_ahead import CHOICES_MAXIMUM, TypeAhead

_TEXT_FIELDS = (
    ("name", "Name", "the server as it is called in the cloud"),
    ("label", "Place", "optional: city, building, rack"),
    ("core-version", "Core version", "optional: 6.2.1"),
)


class InstanceStep(VerticalScroll, can_focus=False):
    """Asks where the keys go; tells the screen what was typed as it is typed."""

    @dataclass
    class Changed(Message):
        """Something was chosen or typed: `change` makes the next draft of the one before."""

        change: Callable[[Draft], Draft]

    @dataclass
    class ProfileWanted(Message):
        """A server profile is to be read: from a path, or from this very host."""

        path: str | None

    def __init__(self, instances: Callable[[], InstanceTable]) -> None:
        super().__init__(id="instance-step")
        self._instances = instances

    def compose(self) -> ComposeResult:
        with Horizontal(id="targets"):
            yield Tick("An instance of the list", is_one_of_several=True, id="target-existing")
            yield Tick("A new instance", is_one_of_several=True, id="target-new")
        with Vertical(id="existing"):
            yield TypeAhead(
                self._search_instances, placeholder="type the name of an instance", id="instances"
            )
            yield Static(id="chosen-instance", markup=False)
        with Vertical(id="new"):
            yield from self._compose_new()
        with Vertical(id="profile"):
            yield Label("Server profile (.xml)", classes="label")
            path = Input(placeholder="path of the file, then Enter", compact=True, id="path")
            path.cursor_blink = False
            with Horizontal(classes="field"):
                yield path
                yield Button("Use this host", id="this-host", compact=True)
            yield Static(id="profile-facts", markup=False)
            yield InlineProblem(id="profile-problem")

    def _compose_new(self) -> ComposeResult:
        for field_id, label, placeholder in _TEXT_FIELDS:
            with Horizontal(classes="field"):
                yield Label(label, classes="label")
                field = Input(placeholder=placeholder, compact=True, id=field_id)
                field.cursor_blink = False
                yield field
            if field_id == "name":
                with Horizontal(classes="field"):
                    yield Label("Country", classes="label")
                    yield TypeAhead(
                        search_countries, placeholder="type a country or its code", id="countries"
                    )

    def show(self, draft: Draft) -> None:
        """Show what is chosen; texts are left as they were typed."""
        is_new = draft.target is Target.NEW
        self.query_one("#target-existing", Tick).is_ticked = not is_new
        self.query_one("#target-new", Tick).is_ticked = is_new
        self.query_one("#existing").display = not is_new
        self.query_one("#new").display = is_new
        self.query_one("#profile").display = draft.needs_profile
        self.query_one("#chosen-instance", Static).update(_chosen_text(draft.instance))
        facts = ""
        if draft.profile is not None:
            facts = (
                f"Read from {draft.profile.source}: {draft.profile.size_bytes:,} bytes, "
                f"fingerprint {draft.profile.fingerprint[:FINGERPRINT_CHARACTERS]}…"
            )
        self.query_one("#profile-facts", Static).update(Text(clean(facts)))

    def show_profile_problem(self, error: TuiLicensesError | None) -> None:
        """Show why a server profile could not be read."""
        self.query_one("#profile-problem", InlineProblem).show(error)

    def show_instances(self) -> None:
        """Follow a change of the instances that can be chosen."""
        self.query_one("#instances", TypeAhead).search_again()

    def focus_first(self, draft: Draft) -> None:
        """Put the focus where the next thing is to be typed."""
        if draft.target is Target.NEW:
            self.screen.set_focus(self.query_one("#name"))
        else:
            self.query_one("#instances", TypeAhead).focus_text()

    @property
    def typed_path(self) -> str:
        """Return the path of a server profile as it stands in the field."""
        return self.query_one("#path", Input).value.strip()

    def show_chosen(self, instance: Instance) -> None:
        """Show an instance that was chosen before this screen."""
        self.query_one("#instances", TypeAhead).show_choice(instance.id, instance.name)

    def _tell(self, change: Callable[[Draft], Draft]) -> None:
        self.post_message(self.Changed(change))

    def _search_instances(self, text: str) -> list[tuple[str, str]]:
        wanted = text.strip().lower()
        starting: list[tuple[str, str]] = []
        holding: list[tuple[str, str]] = []
        instances = self._instances()
        names = instances.columns.names
        for place in range(len(instances)):
            name = searchable(names[place] or "")
            if any(form.startswith(wanted) for form in name.split("\n")):
                starting.append((instances[place].id, _choice_text(instances[place])))
                if len(starting) == CHOICES_MAXIMUM:
                    break
            elif wanted in name and len(holding) < CHOICES_MAXIMUM:
                holding.append((instances[place].id, _choice_text(instances[place])))
        return [*starting, *holding]

    @on(Tick.Ticked, "#target-existing")
    def _choose_existing(self, event: Tick.Ticked) -> None:
        event.stop()
        self._tell(lambda draft: replace(draft, target=Target.EXISTING))

    @on(Tick.Ticked, "#target-new")
    def _choose_new(self, event: Tick.Ticked) -> None:
        event.stop()
        self._tell(lambda draft: replace(draft, target=Target.NEW))

    @on(TypeAhead.Chosen, "#instances")
    def _choose_instance(self, event: TypeAhead.Chosen) -> None:
        event.stop()
        instance = self._instances().find(event.choice_id)
        self._tell(lambda draft: replace(draft, instance=instance, replace_master=False))

    @on(TypeAhead.Chosen, "#countries")
    def _choose_country(self, event: TypeAhead.Chosen) -> None:
        event.stop()
        code = event.choice_id or ""
        self._tell(lambda draft: replace(draft, country_code=code))

    @on(TypeAhead.Confirmed)
    def _go_on_after_choice(self, event: TypeAhead.Confirmed) -> None:
        event.stop()
        self.screen.focus_next()

    @on(Input.Changed, "#name")
    def _take_name(self, event: Input.Changed) -> None:
        event.stop()
        self._tell(lambda draft: replace(draft, name=event.value))

    @on(Input.Changed, "#label")
    def _take_label(self, event: Input.Changed) -> None:
        event.stop()
        self._tell(lambda draft: replace(draft, label=event.value))

    @on(Input.Changed, "#core-version")
    def _take_core_version(self, event: Input.Changed) -> None:
        event.stop()
        self._tell(lambda draft: replace(draft, core_version=event.value))

    @on(Input.Submitted, "#path")
    def _read_path(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.ProfileWanted(event.value.strip()))

    @on(Input.Submitted, "#name, #label, #core-version")
    def _go_to_next_field(self, event: Input.Submitted) -> None:
        event.stop()
        self.screen.focus_next()

    @on(Button.Pressed, "#this-host")
    def _read_this_host(self, event: Button.Pressed) -> None:
        event.stop()
        self.query_one("#path", Input).value = ""
        self.post_message(self.ProfileWanted(None))


def _choice_text(instance: Instance) -> str:
    # The start of the id parts instances of the same name.
    country = country_name(instance.location.country_code)
    return f"{instance.name}  ({country}, {instance.state}, {instance.id[:8]})"


def _chosen_text(instance: Instance | None) -> Text:
    if instance is None:
        return Text("No instance is chosen yet: type, move with the arrow keys, press Enter.")
    return Text(f"Chosen: {clean(_choice_text(instance))}", style="bold")
