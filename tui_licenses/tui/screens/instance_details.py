"""Instance Details: one server, renamed and relocated in place, with its hardware and keys."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from tui_licenses.domain.instance import Instance, Location
from tui_licenses.domain.status import license_file_refusal
from tui_licenses.errors import TuiLicensesError
from tui_licenses.service.instances import RevisionConflictError
from tui_licenses.state.app_state import AppState
from tui_licenses.state.columns import status_text
from tui_licenses.state.events import InstanceChanged
from tui_licenses.state.store import Store
from tui_licenses.text import clean
from tui_licenses.tui.commands import INSTANCE, Situation, bindings_of
from tui_licenses.tui.facts import (
    UNKNOWN,
    contents_text,
    fingerprint_text,
    instant_text,
    key_text,
    location_text,
)
from tui_licenses.tui.license_rows import (
    LicenseRow,
    Subject,
    find_instance,
    license_columns,
    license_rows,
)
from tui_licenses.tui.screens.base import DomainScreen
from tui_licenses.tui.screens.conflict import ConflictScreen
from tui_licenses.tui.screens.instance_editors import LocationEditor, NameEditor
from tui_licenses.tui.widgets.account_header import AccountHeader
from tui_licenses.tui.widgets.command_footer import CommandFooter
from tui_licenses.tui.widgets.fact_table import FactTable
from tui_licenses.tui.widgets.inline_problem import InlineProblem
from tui_licenses.tui.widgets.row_table import RowTable
from tui_licenses.tui.widgets.status_line import StatusLine

if TYPE_CHECKING:
    from tui_licenses.wiring import Services

Editor = NameEditor | LocationEditor


class InstanceDetailsScreen(DomainScreen):
    """Shows one instance and follows it; a link from outside loads it first."""

    NAME = INSTANCE
    BINDINGS = bindings_of(INSTANCE)

    def __init__(self, services: Services, store: Store, instance_id: str) -> None:
        super().__init__(services, store)
        self.instance_id = instance_id
        self._subject = find_instance(store.state, instance_id)

    def compose(self) -> ComposeResult:
        yield AccountHeader(self.services, self.store)
        with VerticalScroll(id="body", can_focus=False):
            yield Static("Instance Details", id="title", markup=False)
            yield InlineProblem(id="problem")
            yield NameEditor()
            yield LocationEditor()
            yield FactTable(id="facts")
            yield Static("", id="hardware", markup=False)
            yield Static("", id="license", markup=False)
            yield RowTable[LicenseRow](
                license_columns(self._write_key), lambda row: row.key.id, id="keys"
            )
        yield StatusLine()
        yield CommandFooter(INSTANCE)

    def on_mount(self) -> None:
        self.set_focus(self.query_one("#keys"))
        if self._subject.instance is None:
            self._load()

    # State → view

    def show(self, before: AppState, after: AppState) -> None:
        """Show the instance as the state has it."""
        if before.inventory is not after.inventory:
            known = find_instance(after, self.instance_id)
            if known.instance is not None:
                self._subject = known
        self._show_subject()

    def situation(self) -> Situation:
        """Return what commands act on: this instance."""
        return self._subject.situation(self.store.state)

    def _write_key(self, key: str) -> str:
        return key_text(key, is_masked=self.store.state.view.mask_keys)

    def _show_subject(self) -> None:
        subject, instance = self._subject, self._subject.instance
        if instance is None:
            return
        self.query_one(NameEditor).show(instance.name)
        self.query_one(LocationEditor).show(instance.location)
        self.query_one(FactTable).show(self._facts(instance))
        self.query_one("#hardware", Static).update(Text(_hardware_text(instance)))
        self.query_one("#license", Static).update(Text(_license_text(subject, instance)))
        keys: RowTable[LicenseRow] = self.query_one("#keys", RowTable)
        keys.show_rows(
            license_rows(subject, self.store.state, self.dashboard.clock()),
            message=("This instance has no keys yet.", "Press a to activate one here."),
        )

    def _facts(self, instance: Instance) -> tuple[tuple[str, str], ...]:
        show_utc = self.store.state.view.show_utc
        now = self.dashboard.clock()
        activated = "not yet"
        if instance.activated_at is not None:
            activated = instant_text(instance.activated_at, now, show_utc=show_utc)
        revision = str(instance.profile_revision) if instance.has_profile else "none uploaded yet"
        return (
            ("State", status_text(instance.state)),
            ("Hostname", instance.hostname or UNKNOWN),
            ("Core version", instance.core_version or UNKNOWN),
            ("Fingerprint", fingerprint_text(instance)),
            ("Profile revision", revision),
            ("Activated", activated),
            ("Updated", instant_text(instance.updated_at, now, show_utc=show_utc)),
        )

    @work(group="load", exclusive=True)
    async def _load(self) -> None:
        inventory = self.services.inventory
        try:
            instance = await inventory.show_instance(self.instance_id)
            keys = await inventory.keys_of_instance(self.instance_id)
        except TuiLicensesError as error:
            if self._subject.instance is None:
                self.query_one("#problem", InlineProblem).show(error)
            return
        if self._subject.instance is None:
            self._subject = Subject(instance, keys)
            self._show_subject()

    # User → service

    def action_back(self) -> None:
        """Leave an editor that is open, else the screen."""
        opened = [
            editor
            for editor in (self.query_one(NameEditor), self.query_one(LocationEditor))
            if editor.is_open
        ]
        if not opened:
            super().action_back()
            return
        self._close(opened[0])

    def action_rename(self) -> None:
        """Let the name be changed in place."""
        if self._subject.instance is not None:
            self.query_one(LocationEditor).close()
            self.query_one(NameEditor).open(self._subject.instance.name)

    def action_relocate(self) -> None:
        """Let the location be changed in place."""
        if self._subject.instance is not None:
            self.query_one(NameEditor).close()
            self.query_one(LocationEditor).open(self._subject.instance.location)

    def action_activate(self) -> None:
        """Activate keys on this instance."""
        self.dashboard.open_activation(self.instance_id)

    def action_download_license(self) -> None:
        """Save the license file."""
        self.dashboard.download_license(self.instance_id)

    def action_download_profile(self) -> None:
        """Save the server profile."""
        self.dashboard.download_profile(self.instance_id)

    def action_open_hardware(self) -> None:
        """Show the server profile as a table."""
        self.dashboard.open_hardware(self.instance_id)

    def action_copy_row(self) -> None:
        """Copy the name."""
        if self._subject.instance is not None:
            self.dashboard.copy(clean(self._subject.instance.name))

    def action_copy_fingerprint(self) -> None:
        """Copy the whole fingerprint."""
        instance = self._subject.instance
        if instance is not None and instance.fingerprint is not None:
            self.dashboard.copy(clean(instance.fingerprint))

    @on(RowTable.Opened, "#keys")
    def _open_key(self, event: RowTable.Opened) -> None:
        event.stop()
        self.dashboard.open_key(event.row_id)

    @on(NameEditor.Given)
    def _rename(self, event: NameEditor.Given) -> None:
        event.stop()
        name = event.name.strip()
        self._change(
            self.query_one(NameEditor),
            "name",
            name,
            lambda instance: instance.name,
            lambda instance: self.services.instances.rename(instance, name),
        )

    @on(LocationEditor.Given)
    def _relocate(self, event: LocationEditor.Given) -> None:
        event.stop()
        location: Location = event.location
        self._change(
            self.query_one(LocationEditor),
            "location",
            location_text(location),
            lambda instance: location_text(instance.location),
            lambda instance: self.services.instances.relocate(instance, location),
        )

    @work(group="change", exclusive=True)
    async def _change(
        self,
        editor: Editor,
        field: str,
        mine: str,
        read: Callable[[Instance], str],
        change: Callable[[Instance], Awaitable[Instance]],
    ) -> None:
        """Change one field; where somebody else changed it meanwhile, ask which value stays."""
        known = self._subject.instance
        if known is None:
            return
        editor.show_problem(None)
        while True:
            # An answer may take as long as a slow line needs to give up.
            self.dashboard.tell(f"Changing the {field}…")
            try:
                changed = await change(known)
            except RevisionConflictError as error:
                theirs = read(error.current)
                # Somebody changed another field: this one can be written without a question.
                if theirs not in {read(known), mine}:
                    self.dashboard.tell("")
                    self._take(error.current)
                    decision = await self.app.push_screen_wait(ConflictScreen(field, mine, theirs))
                    if decision != "mine":
                        if decision == "theirs":
                            self._close(editor)
                            self.dashboard.tell(f"The {field} stays {clean(theirs)}.")
                        return
                known = error.current
            except TuiLicensesError as error:
                self.dashboard.tell("")
                editor.show_problem(error)
                return
            else:
                self._take(changed)
                self._close(editor)
                self.dashboard.tell(f"The {field} is now {clean(read(changed))}.")
                return

    def _take(self, instance: Instance) -> None:
        self._subject = self._subject.with_instance(instance)
        self.store.dispatch(InstanceChanged(instance))
        self._show_subject()

    def _close(self, editor: Editor) -> None:
        editor.close()
        self.set_focus(self.query_one("#keys"))


def _hardware_text(instance: Instance) -> str:
    if not instance.has_profile:
        return "Hardware Information: no server profile was uploaded yet"
    return "Hardware Information: p download the server profile, t table"


def _license_text(subject: Subject, instance: Instance) -> str:
    refusal = license_file_refusal(instance, subject.master_state)
    if refusal is not None:
        return f"No license file: {refusal}"
    return f"d download license file (.bin): {contents_text(subject.keys)}"
