"""The activation screen: four steps over one draft, and one submission that is safe to repeat."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from textual import on, work
from textual.app import ComposeResult

from tui_licenses.domain.activation import Activation, ActivationPreview
from tui_licenses.domain.instance_table import InstanceTable
from tui_licenses.errors import TuiLicensesError, UnavailableError, UseError
from tui_licenses.service.activation import Submission
from tui_licenses.service.outcomes import DocumentKind
from tui_licenses.state.app_state import AppState
from tui_licenses.state.events import KeysActivated
from tui_licenses.state.store import Store
from tui_licenses.tui.commands import ACTIVATION, Situation, bindings_of
from tui_licenses.tui.facts import key_text
from tui_licenses.tui.license_rows import find_instance
from tui_licenses.tui.screens.activation.draft import Draft, QueuedKey
from tui_licenses.tui.screens.activation.instance_step import InstanceStep
from tui_licenses.tui.screens.activation.keys_step import KeysStep
from tui_licenses.tui.screens.activation.next_steps import (
    next_step_after_submit,
    next_step_for,
)
from tui_licenses.tui.screens.activation.reading import check_typed_keys, read_profile
from tui_licenses.tui.screens.activation.result_step import ResultStep
from tui_licenses.tui.screens.activation.review_step import ReviewStep
from tui_licenses.tui.screens.activation.step import Step, StepButtons, StepTitles
from tui_licenses.tui.screens.base import DomainScreen
from tui_licenses.tui.screens.confirm import ConfirmScreen
from tui_licenses.tui.widgets.account_header import AccountHeader
from tui_licenses.tui.widgets.command_footer import CommandFooter
from tui_licenses.tui.widgets.inline_problem import InlineProblem
from tui_licenses.tui.widgets.status_line import StatusLine

if TYPE_CHECKING:
    from tui_licenses.wiring import Services


class ActivationScreen(DomainScreen):
    """Owns the draft of one activation; the steps show it and tell what was typed."""

    NAME = ACTIVATION
    BINDINGS = bindings_of(ACTIVATION)

    def __init__(self, services: Services, store: Store, instance_id: str | None = None) -> None:
        super().__init__(services, store)
        self._wanted_instance_id = instance_id
        self._draft = Draft()
        self._step = Step.KEYS
        self._preview: ActivationPreview | None = None
        self._submission: Submission | None = None
        self._is_submitting = False
        self._activation: Activation | None = None

    def compose(self) -> ComposeResult:
        yield AccountHeader(self.services, self.store)
        yield StepTitles()
        yield KeysStep(self._write_key)
        yield InstanceStep(self._instances)
        yield ReviewStep(self._write_key)
        yield ResultStep(self._write_key)
        yield InlineProblem(id="step-problem")
        yield StepButtons()
        yield StatusLine()
        yield CommandFooter(ACTIVATION)

    def on_mount(self) -> None:
        self._go_to(Step.KEYS)
        self.query_one(KeysStep).show(self._draft)
        if self._wanted_instance_id is not None:
            self._choose_wanted_instance(self._wanted_instance_id)

    # State → view

    def show(self, before: AppState, after: AppState) -> None:
        """Follow the instances that can be chosen, masking, and a license file that was saved."""
        if before.inventory is not after.inventory:
            self.query_one(InstanceStep).show_instances()
        if before.view.mask_keys != after.view.mask_keys:
            self.query_one(KeysStep).show(self._draft)
        if before.saved_files is not after.saved_files and self._activation is not None:
            file = after.saved_files[0]
            name = self.services.downloads.license_file_name(self._activation.instance)
            if file.kind is DocumentKind.LICENSE and file.path.name == name:
                self.query_one(ResultStep).show_saved(file)

    def situation(self) -> Situation:
        """Return what commands act on: the instance of the finished activation."""
        if self._activation is None:
            return Situation(replace(self.store.state, marked_ids=frozenset()))
        subject = find_instance(self.store.state, self._activation.instance.id)
        return replace(subject, instance=self._activation.instance).situation(self.store.state)

    def refusal(self, command_id: str) -> str | None:
        """Return why a command cannot be run now, or None."""
        if command_id == "license-file" and self._activation is None:
            return "The license file comes with the result of the activation."
        return super().refusal(command_id)

    def _write_key(self, key: str) -> str:
        return key_text(key, is_masked=self.store.state.view.mask_keys)

    def _instances(self) -> InstanceTable:
        inventory = self.store.state.inventory
        return InstanceTable.of() if inventory is None else inventory.instances

    def _go_to(self, step: Step) -> None:
        self._step = step
        self.query_one("#step-problem", InlineProblem).show(None)
        for shown, widget in (
            (Step.KEYS, KeysStep),
            (Step.INSTANCE, InstanceStep),
            (Step.REVIEW, ReviewStep),
            (Step.RESULT, ResultStep),
        ):
            self.query_one(widget).display = shown is step
        self.query_one(StepTitles).show(step)
        self._show_buttons()
        if step is Step.KEYS:
            self.query_one(KeysStep).focus_first()
        elif step is Step.INSTANCE:
            self.query_one(InstanceStep).show(self._draft)
            self.query_one(InstanceStep).focus_first(self._draft)
        elif step is Step.REVIEW:
            self._ask_for_preview()
        else:
            self.query_one(StepButtons).focus_next()

    def _show_buttons(self) -> None:
        is_review = self._step is Step.REVIEW
        count = len(self._draft.queue)
        labels = {
            Step.KEYS: "Next: the instance",
            Step.INSTANCE: "Next: review",
            Step.REVIEW: f"Activate {count} key{'' if count == 1 else 's'}",
            Step.RESULT: "Done",
        }
        label = labels[self._step]
        if is_review and self._preview is None:
            label = "Ask again"
        elif self._is_submitting:
            label = "Activating…"
        elif is_review and self._submission is not None:
            label = "Try again"
        self.query_one(StepButtons).show(
            label,
            has_back=self._step in {Step.INSTANCE, Step.REVIEW},
            is_next_possible=not is_review or (self._may_submit and not self._is_submitting),
        )

    # User → service: moving between the steps

    def leave(self, status: int) -> None:
        """Leave the dashboard, after asking where keys are queued."""
        self._leave(status)

    @work(group="leave", exclusive=True)
    async def _leave(self, status: int) -> None:
        if await self._may_leave():
            self.app.exit(status)

    @work(group="leave", exclusive=True)
    async def action_back(self) -> None:
        """Go back a step; from the first one leave, after asking where keys are queued."""
        if self._step in {Step.INSTANCE, Step.REVIEW}:
            self.action_step_back()
        elif await self._may_leave():
            self.dismiss()

    async def _may_leave(self) -> bool:
        if self._activation is not None:
            return True
        count = len(self._draft.queue)
        if not count and not self.query_one(KeysStep).typed_text.strip():
            return True
        what = f"the queue of {count} key{'' if count == 1 else 's'}" if count else "what you typed"
        if self._is_submitting:
            what += "? Its submission is under way and may still succeed. Drop it"
        question = ConfirmScreen(f"Drop {what}?", keep="Keep it", lose="Drop it")
        return await self.app.push_screen_wait(question)

    def action_step_back(self) -> None:
        """Go back a step; nothing that was typed is lost."""
        if self._step in {Step.INSTANCE, Step.REVIEW} and not self._is_submitting:
            self._go_to(Step(self._step - 1))

    def action_next_step(self) -> None:
        """Go on, or say what is missing for that."""
        if self._step is Step.KEYS:
            self._leave_keys()
        elif self._step is Step.INSTANCE:
            self._leave_instance()
        elif self._step is Step.REVIEW and self._preview is None:
            self._ask_for_preview()
        elif self._step is Step.REVIEW:
            self._submit()
        else:
            self.dismiss()

    def _show_step_problem(self, error: TuiLicensesError) -> None:
        self.query_one("#step-problem", InlineProblem).show(error, next_step_for(error.code))

    # User → service: the keys

    @on(KeysStep.KeysGiven)
    def _queue_keys(self, event: KeysStep.KeysGiven) -> None:
        event.stop()
        if event.text.strip():
            self._take_typed_keys(event.text)
        else:
            self.action_next_step()

    def _take_typed_keys(self, text: str) -> bool:
        """Queue what are keys and leave the rest in the field; say whether all were keys."""
        typed = check_typed_keys(self.services.activation, text)
        known = set(self._draft.keys)
        self._draft = self._draft.with_keys(typed.keys)
        step = self.query_one(KeysStep)
        step.show_problem(typed.problem, typed.remaining)
        step.show(self._draft)
        self.query_one("#step-problem", InlineProblem).show(None)
        if known.intersection(typed.keys):
            self.dashboard.tell("A key that was queued already is queued once.")
        self._look_up_keys()
        return typed.problem is None

    @on(KeysStep.KeyRemoved)
    def _remove_key(self, event: KeysStep.KeyRemoved) -> None:
        event.stop()
        self._draft = self._draft.without_key(event.key)
        self.query_one(KeysStep).show(self._draft)

    @on(KeysStep.LookupWanted)
    def _look_up_again(self, event: KeysStep.LookupWanted) -> None:
        event.stop()
        self._draft = self._draft.without_errors()
        self.query_one(KeysStep).show(self._draft)
        self._look_up_keys()

    @work(group="lookup", exclusive=True)
    async def _look_up_keys(self) -> None:
        unreachable: UnavailableError | None = None
        while (queued := self._draft.next_unknown()) is not None:
            answer = QueuedKey(queued.key, error=unreachable)
            if unreachable is None:
                try:
                    lookup = await self.services.activation.validate(queued.key)
                    answer = QueuedKey(queued.key, lookup)
                except UnavailableError as error:
                    # The others would wait for the same silence, one after the other.
                    unreachable = error
                    answer = QueuedKey(queued.key, error=error)
                except TuiLicensesError as error:
                    answer = QueuedKey(queued.key, error=error)
            self._draft = self._draft.with_answer(answer)
            self.query_one(KeysStep).show(self._draft)

    def _leave_keys(self) -> None:
        typed = self.query_one(KeysStep).typed_text
        if typed.strip() and not self._take_typed_keys(typed):
            return
        if not self._draft.queue:
            self._show_step_problem(
                UseError("invalid-request", "No key is queued.", "Type a license key first.")
            )
            return
        self._go_to(Step.INSTANCE)

    # User → service: the instance

    @work(group="instance", exclusive=True)
    async def _choose_wanted_instance(self, instance_id: str) -> None:
        instance = find_instance(self.store.state, instance_id).instance
        try:
            if instance is None:
                instance = await self.services.inventory.show_instance(instance_id)
        except TuiLicensesError as error:
            self._show_step_problem(error)
            return
        self._draft = replace(self._draft, instance=instance)
        self.query_one(InstanceStep).show_chosen(instance)
        self.query_one(InstanceStep).show(self._draft)

    @on(InstanceStep.Changed)
    def _take_instance_choice(self, event: InstanceStep.Changed) -> None:
        event.stop()
        self._draft = event.change(self._draft)
        self.query_one("#step-problem", InlineProblem).show(None)
        self.query_one(InstanceStep).show(self._draft)

    @on(InstanceStep.ProfileWanted)
    def _read_wanted_profile(self, event: InstanceStep.ProfileWanted) -> None:
        event.stop()
        self._read_profile(event.path, goes_on=False)

    @work(group="profile", exclusive=True)
    async def _read_profile(self, path: str | None, *, goes_on: bool) -> None:
        step = self.query_one(InstanceStep)
        step.show_profile_problem(None)
        try:
            profile = await read_profile(self.services, path)
        except TuiLicensesError as error:
            self._draft = replace(self._draft, profile=None)
            step.show_profile_problem(error)
        else:
            self._draft = replace(self._draft, profile=profile)
            goes_on = goes_on and self._step is Step.INSTANCE
        step.show(self._draft)
        if goes_on and self._draft.profile is not None:
            self._leave_instance()

    def _leave_instance(self) -> None:
        path = self.query_one(InstanceStep).typed_path
        profile = self._draft.profile
        if self._draft.needs_profile and path and (profile is None or profile.source != path):
            self._read_profile(path, goes_on=True)
            return
        try:
            self._draft.request()
        except UseError as error:
            self._show_step_problem(error)
            return
        self._go_to(Step.REVIEW)

    # User → service: review, submission and what comes of it

    def action_download_license(self) -> None:
        """Save the license file of the instance that was activated."""
        if self._activation is not None:
            self.dashboard.download_license(self._activation.instance.id)

    @on(ReviewStep.ReplacementDecided)
    def _decide_replacement(self, event: ReviewStep.ReplacementDecided) -> None:
        event.stop()
        self._draft = replace(self._draft, replace_master=event.replace_master)
        self._ask_for_preview()

    @work(group="preview", exclusive=True)
    async def _ask_for_preview(self) -> None:
        step = self.query_one(ReviewStep)
        self._preview = None
        request = self._draft.request()
        if self._submission is not None and self._submission.request != request:
            self._submission = None
        step.show_waiting(self._draft)
        self._show_buttons()
        try:
            self._preview = await self.services.activation.preview(request)
        except TuiLicensesError as error:
            step.show_failure(error, next_step_for(error.code))
        else:
            step.show_preview(self._draft, request, self._preview)
        self._show_buttons()
        if self._step is Step.REVIEW and not step.focus_decision():
            self.query_one(StepButtons).focus_next()

    @property
    def _may_submit(self) -> bool:
        return self._preview is None or not self._preview.problems

    @work(group="submit", exclusive=True)
    async def _submit(self) -> None:
        if self._is_submitting or not self._may_submit:
            return
        request = self._draft.request()
        if self._submission is None:
            self._submission = self.services.activation.prepare(request)
        self._is_submitting = True
        self._show_buttons()
        self.dashboard.tell("Activating…")
        try:
            self._activation = await self.services.activation.submit(self._submission)
        except TuiLicensesError as error:
            # What was refused is decided; only what may have happened is sent again unchanged.
            if not isinstance(error, UnavailableError):
                self._submission = None
            self.query_one(ReviewStep).show_failure(error, next_step_after_submit(error))
            self.dashboard.tell("Nothing that was typed is lost.")
            return
        finally:
            self._is_submitting = False
            self._show_buttons()
        self._finish(self._activation)

    def _finish(self, activation: Activation) -> None:
        self.store.dispatch(KeysActivated(activation))
        self.dashboard.tell("Activated.")
        self.dashboard.refresh_inventory()
        self.query_one(ResultStep).show(activation)
        self._go_to(Step.RESULT)
