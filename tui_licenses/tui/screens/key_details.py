"""The License Keys window: one key, and every license of its instance with its certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from tui_licenses.domain.license_key import LicenseKey
from tui_licenses.domain.status import key_status, license_file_refusal
from tui_licenses.errors import TuiLicensesError
from tui_licenses.service.outcomes import DocumentKind
from tui_licenses.state.app_state import AppState
from tui_licenses.state.columns import status_text
from tui_licenses.state.store import Store
from tui_licenses.text import clean
from tui_licenses.tui.commands import KEY, Situation, bindings_of
from tui_licenses.tui.facts import (
    contents_text,
    features_text,
    instant_text,
    key_text,
    kind_text,
    validity_text,
)
from tui_licenses.tui.guide import steps_after_download
from tui_licenses.tui.license_rows import (
    LicenseRow,
    Subject,
    find_key,
    license_columns,
    license_rows,
)
from tui_licenses.tui.screens.base import DomainScreen
from tui_licenses.tui.widgets.account_header import AccountHeader
from tui_licenses.tui.widgets.command_footer import CommandFooter
from tui_licenses.tui.widgets.fact_table import FactTable
from tui_licenses.tui.widgets.inline_problem import InlineProblem
from tui_licenses.tui.widgets.row_table import RowTable
from tui_licenses.tui.widgets.status_line import StatusLine

if TYPE_CHECKING:
    from tui_licenses.wiring import Services


class KeyDetailsScreen(DomainScreen):
    """Shows one key and follows it; a link from outside loads it first."""

    NAME = KEY
    BINDINGS = bindings_of(KEY)

    def __init__(self, services: Services, store: Store, key_id: str) -> None:
        super().__init__(services, store)
        self.key_id = key_id
        self._subject = find_key(store.state, key_id)

    def compose(self) -> ComposeResult:
        yield AccountHeader(self.services, self.store)
        with VerticalScroll(id="body", can_focus=False):
            yield Static("License Keys", id="title", markup=False)
            yield InlineProblem(id="problem")
            yield FactTable(id="facts")
            yield Static("", id="license", markup=False)
            yield Static("", id="saved", markup=False)
            yield RowTable[LicenseRow](
                license_columns(self._write_key), lambda row: row.key.id, id="licenses"
            )
            yield Static("Enter or c downloads the certificate (.pdf) of a row.", id="hint")
        yield StatusLine()
        yield CommandFooter(KEY)

    def on_mount(self) -> None:
        self.query_one("#saved").display = False
        self.set_focus(self.query_one("#licenses"))
        if self._subject.key is None:
            self._load()

    # State → view

    def show(self, before: AppState, after: AppState) -> None:
        """Show the key as the state has it, and a license file that was just saved."""
        if before.inventory is not after.inventory:
            known = find_key(after, self.key_id)
            if known.key is not None:
                self._subject = known
        self._show_subject()
        if before.saved_files is not after.saved_files:
            self._show_saved(after)

    def situation(self) -> Situation:
        """Return what commands act on: this key and its instance."""
        return self._subject.situation(self.store.state)

    def _write_key(self, key: str) -> str:
        return key_text(key, is_masked=self.store.state.view.mask_keys)

    def _show_subject(self) -> None:
        subject, key = self._subject, self._subject.key
        if key is None:
            return
        self.query_one(FactTable).show(self._facts(key))
        refusal = license_file_refusal(subject.instance, subject.master_state)
        text = f"No license file: {refusal}"
        if refusal is None:
            text = f"d download license file (.bin): {contents_text(subject.keys)}"
        self.query_one("#license", Static).update(Text(text))
        licenses: RowTable[LicenseRow] = self.query_one("#licenses", RowTable)
        is_first = not licenses.rows
        licenses.show_rows(license_rows(subject, self.store.state, self.dashboard.clock()))
        if is_first:
            licenses.move_to(key.id)

    def _facts(self, key: LicenseKey) -> tuple[tuple[str, str], ...]:
        view, now = self.store.state.view, self.dashboard.clock()
        status = key_status(key, now, view.expiring_days, self._subject.master_state)
        instance = self._subject.instance
        name = "not assigned" if instance is None else f"{clean(instance.name)}  (i opens it)"
        dates = [
            f"{title} {instant_text(instant, now, show_utc=view.show_utc)}"
            for title, instant in (("issued", key.issued_at), ("activated", key.activated_at))
            if instant is not None
        ]
        return (
            ("Status", status_text(status)),
            ("Last updated", instant_text(key.updated_at, now, show_utc=view.show_utc)),
            ("Instance", name),
            ("License key", self._write_key(key.key)),
            ("Kind", kind_text(key.kind)),
            ("Product", f"{key.product_name} ({key.product_code})"),
            ("Features", features_text(key.features)),
            ("Valid", validity_text(key, now, show_utc=view.show_utc)),
            *(("Dates" if number == 0 else "", date) for number, date in enumerate(dates)),
            ("Order", key.order_reference or "no reference"),
        )

    def _show_saved(self, state: AppState) -> None:
        instance = self._subject.instance
        file = next(iter(state.saved_files), None)
        if file is None or instance is None or file.kind is not DocumentKind.LICENSE:
            return
        if file.path.name != self.services.downloads.license_file_name(instance):
            return
        saved = self.query_one("#saved", Static)
        saved.update(Text("\n".join(steps_after_download(file)), overflow="fold"))
        saved.display = True
        saved.scroll_visible(animate=False)

    @work(group="load", exclusive=True)
    async def _load(self) -> None:
        inventory = self.services.inventory
        try:
            key = await inventory.show_key(self.key_id)
            subject = Subject(keys=(key,), key=key)
            if key.instance_id is not None:
                subject = Subject(
                    await inventory.show_instance(key.instance_id),
                    await inventory.keys_of_instance(key.instance_id),
                    key,
                )
        except TuiLicensesError as error:
            if self._subject.key is None:
                self.query_one("#problem", InlineProblem).show(error)
            return
        if self._subject.key is None:
            self._subject = subject
            self._show_subject()

    # User → service

    def action_open_instance(self) -> None:
        """Open the instance of this key, or go back to it where it was opened from there."""
        from tui_licenses.tui.screens.instance_details import InstanceDetailsScreen

        instance = self._subject.instance
        if instance is None:
            return
        below = self.app.screen_stack[-2]
        if isinstance(below, InstanceDetailsScreen) and below.instance_id == instance.id:
            self.action_back()
        else:
            self.dashboard.open_instance(instance.id)

    def action_download_license(self) -> None:
        """Save the license file of this key's instance: the same bytes for each of its keys."""
        if self._subject.instance is not None:
            self.dashboard.download_license(self._subject.instance.id)

    def action_download_profile(self) -> None:
        """Save the server profile of this key's instance."""
        if self._subject.instance is not None:
            self.dashboard.download_profile(self._subject.instance.id)

    def action_download_certificate(self) -> None:
        """Save the certificate of the row under the cursor."""
        licenses: RowTable[LicenseRow] = self.query_one("#licenses", RowTable)
        if licenses.cursor_id is not None:
            self.dashboard.download_certificate(licenses.cursor_id)

    def action_copy_row(self) -> None:
        """Copy the key of the row under the cursor."""
        licenses: RowTable[LicenseRow] = self.query_one("#licenses", RowTable)
        row = licenses.cursor_row
        if row is not None:
            full = key_text(row.key.key, is_masked=False)
            self.dashboard.copy(full, self._write_key(row.key.key))

    @on(RowTable.Opened, "#licenses")
    def _download_opened(self, event: RowTable.Opened) -> None:
        event.stop()
        self.action_download_certificate()
