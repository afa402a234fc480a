"""Review, submission and result of an activation, and how all its steps look."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tui.activation_driver import (
    activation_screen,
    instance_of_partner,
    licensed_instance,
    open_activation,
    open_review,
    queue_keys,
    unassigned_keys,
)
from tests.tui.conftest import OpenDashboard
from tui_licenses.config import Settings
from tui_licenses.domain.activation import Activation, ActivationRequest
from tui_licenses.domain.inventory import Inventory
from tui_licenses.domain.license_key import KeyState, group_key
from tui_licenses.errors import OutcomeUnknownError, UnavailableError
from tui_licenses.service.activation import ActivationService, Submission
from tui_licenses.state.store import Store
from tui_licenses.tui.screens.activation.step import Step

CheckFrame = Callable[[str, str], None]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_steps_look_as_on_record(
    size: tuple[int, int],
    loaded_store: Store,
    inventory: Inventory,
    open_dashboard: OpenDashboard,
    check_frame: CheckFrame,
) -> None:
    key = unassigned_keys(inventory, is_master=True)[0]
    name = f"activation-{size[0]}x{size[1]}"
    async with open_dashboard(loaded_store, size=size) as dashboard:
        await open_activation(dashboard, licensed_instance(inventory))
        await queue_keys(dashboard, key)
        check_frame(f"{name}-keys", dashboard.text)
        await dashboard.press("f8")
        check_frame(f"{name}-instance", dashboard.text)
        await dashboard.press("shift+tab", "enter")
        await dashboard.wait_for("Server profile (.xml)")
        check_frame(f"{name}-new-instance", dashboard.text)
        await dashboard.press("shift+tab", "enter", "f8")
        await dashboard.wait_for("[3] Review", "Replace the master")
        check_frame(f"{name}-review", dashboard.text)


async def test_replacing_a_master_key_is_refused_until_it_is_ticked(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    instance = licensed_instance(inventory)
    key = unassigned_keys(inventory, is_master=True)[0]
    master = next(known for known in inventory.keys if known.id == instance.master_key_id)
    async with open_dashboard(loaded_store) as dashboard:
        await open_review(dashboard, instance, key)
        await dashboard.wait_for(f"! {group_key(key.key)}", "[ ] Replace the master key")
        await dashboard.press("f8")
        assert "[3] Review" in dashboard.text
        await dashboard.wait_until(
            lambda: activation_screen(dashboard).query_one("#replace-master").has_focus, "the focus"
        )
        await dashboard.press("space")
        await dashboard.wait_for(
            f"- {group_key(master.key)}", f"+ {group_key(key.key)}", "becomes superseded"
        )
        await dashboard.press("f8")
        await dashboard.wait_for("[4] Result", f"1 key activated on {instance.name}")
        told = await dashboard.app.services.inventory.show_key(master.id)
        assert told.state is KeyState.SUPERSEDED


async def test_add_ons_are_activated_and_the_license_file_saved_with_what_remains(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    instance = licensed_instance(inventory)
    add_ons = unassigned_keys(inventory, is_master=False)[:2]
    settings = Settings(download_folder=tmp_path, refresh_seconds=0)
    async with open_dashboard(loaded_store, settings=settings) as dashboard:
        await open_review(dashboard, instance, *add_ons)
        await dashboard.press("d")
        await dashboard.wait_for("The license file comes with the result")
        for add_on in add_ons:
            await dashboard.wait_for(f"+ {group_key(add_on.key)}")
        await dashboard.click(f"Activate {len(add_ons)} key")
        await dashboard.wait_for("[4] Result", "activated on", "Press d to save it")
        state = dashboard.app.store.state
        assert state.inventory is not None
        active = {key.id for key in state.inventory.keys if key.state is KeyState.ACTIVE}
        assert {add_on.id for add_on in add_ons} <= active
        await dashboard.press("d")
        await dashboard.wait_for("Saved as")
        await dashboard.press("enter")
        await dashboard.wait_until(
            lambda: bool(dashboard.app.store.state.saved_files), "the license file"
        )
        await dashboard.press("escape")
        await dashboard.wait_for("What remains, by hand", "sha256sum")
        await dashboard.press("escape")
        await dashboard.wait_for("Show add-on keys")


async def test_add_ons_for_the_master_of_another_account_are_refused_with_that_reason(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    add_on = unassigned_keys(inventory, is_master=False)[0]
    async with open_dashboard(loaded_store) as dashboard:
        await open_review(dashboard, instance_of_partner(inventory), add_on)
        await dashboard.wait_for(
            "The master key of the instance belongs to another account.",
            "Sign in to the account that owns the master key",
        )
        await dashboard.press("f8")
        assert "[3] Review" in dashboard.text


async def test_all_problems_are_listed_at_once(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    used = next(
        key
        for key in inventory.keys
        if key.state is KeyState.ACTIVE and key.instance_id != licensed_instance(inventory).id
    )
    revoked = next(key for key in inventory.keys if key.state is KeyState.REVOKED)
    async with open_dashboard(loaded_store) as dashboard:
        await open_review(dashboard, licensed_instance(inventory), used, revoked)
        await dashboard.wait_for(f"! {group_key(used.key)}", f"! {group_key(revoked.key)}")


class _Interrupted:
    """Loses the answer of the first submission after the cloud has done it."""

    def __init__(self) -> None:
        self.real = ActivationService.submit
        self.submissions: list[Submission] = []

    async def submit(self, service: ActivationService, submission: Submission) -> Activation:
        self.submissions.append(submission)
        done = await self.real(service, submission)
        if len(self.submissions) == 1:
            raise OutcomeUnknownError(
                "the activation of …ABCD", "The cloud did not answer in time.", "Wait."
            )
        return done


async def test_a_lost_answer_is_asked_for_again_with_the_same_submission(
    loaded_store: Store,
    inventory: Inventory,
    open_dashboard: OpenDashboard,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    interrupted = _Interrupted()

    async def submit(self: ActivationService, submission: Submission) -> Activation:
        return await interrupted.submit(self, submission)

    monkeypatch.setattr(ActivationService, "submit", submit)
    add_on = unassigned_keys(inventory, is_master=False)[0]
    async with open_dashboard(loaded_store) as dashboard:
        await open_review(dashboard, licensed_instance(inventory), add_on)
        await dashboard.press("f8")
        await dashboard.wait_for(
            "The cloud did not answer in time.", "the cloud never does it", "Try again"
        )
        assert group_key(add_on.key) in dashboard.text
        await dashboard.press("f8")
        await dashboard.wait_for("[4] Result")
    first, second = interrupted.submissions
    assert first == second


async def test_a_refusal_at_submission_is_told_and_the_next_try_is_a_new_submission(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    instance = licensed_instance(inventory)
    add_on = unassigned_keys(inventory, is_master=False)[0]
    async with open_dashboard(loaded_store) as dashboard:
        await open_review(dashboard, instance, add_on)
        other = next(
            known
            for known in inventory.instances
            if known.id != instance.id
            and known.master_key_id in {key.id for key in inventory.keys}
            and known.fingerprint
        )
        service = dashboard.app.services.activation
        await service.submit(service.prepare(ActivationRequest((add_on.key,), other.id)))
        await dashboard.press("f8")
        await dashboard.wait_for("This key is used on another instance.", "Take it off the queue")
        await dashboard.press("f7", "f7")
        await dashboard.wait_for("[1] Keys", group_key(add_on.key))


async def test_a_preview_that_failed_is_asked_for_again(
    loaded_store: Store,
    inventory: Inventory,
    open_dashboard: OpenDashboard,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = ActivationService.preview
    asked: list[object] = []

    async def preview(self: ActivationService, request: object) -> object:
        asked.append(request)
        if len(asked) == 1:
            raise UnavailableError("timeout", "The cloud did not answer.", "Check the network.")
        return await real(self, request)  # type: ignore[arg-type]

    monkeypatch.setattr(ActivationService, "preview", preview)
    add_on = unassigned_keys(inventory, is_master=False)[0]
    async with open_dashboard(loaded_store) as dashboard:
        await open_review(dashboard, licensed_instance(inventory), add_on)
        await dashboard.wait_for("The cloud did not answer.", "Check the network.", "Ask again")
        await dashboard.press("f8")
        await dashboard.wait_for(f"+ {group_key(add_on.key)}", gone="did not answer")


async def test_masked_keys_stay_masked_in_every_step(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    add_on = unassigned_keys(inventory, is_master=False)[0]
    async with open_dashboard(loaded_store) as dashboard:
        await open_activation(dashboard, licensed_instance(inventory))
        await queue_keys(dashboard, add_on)
        dashboard.app.screen.query_one("#queue").focus()
        await dashboard.pilot.pause()
        await dashboard.press("m")
        await dashboard.wait_for("••••-••••-••••-" + add_on.key[-4:], gone=group_key(add_on.key))
        await dashboard.press("f8", "f8")
        await dashboard.wait_for("[3] Review", "is activated", gone=group_key(add_on.key))
        await dashboard.press("f8")
        await dashboard.wait_for("[4] Result", gone=group_key(add_on.key))
        assert activation_screen(dashboard)._step is Step.RESULT
