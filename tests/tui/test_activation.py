"""The activation of license keys, from the first key typed to what remains to be done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from textual import events
from textual.widgets import Input

from tests.tui.conftest import Dashboard, OpenDashboard
from tui_licenses.config import Settings
from tui_licenses.domain.activation import Activation, ActivationRequest
from tui_licenses.domain.instance import Instance, InstanceState
from tui_licenses.domain.license_key import KeyState, LicenseKey, group_key
from tui_licenses.errors import UnavailableError
from tui_licenses.service.activation import ActivationService, Submission
from tui_licenses.service.inventory import Inventory
from tui_licenses.state.events import InstanceChanged, InventoryLoaded
from tui_licenses.state.store import Store
from tui_licenses.tui.screens.activation import ActivationScreen
from tui_licenses.tui.screens.activation.step import Step
from tui_licenses.tui.screens.confirm import ConfirmScreen

CheckFrame = Callable[[str, str], None]


def _unassigned(inventory: Inventory, *, is_master: bool) -> list[LicenseKey]:
    return [
        key
        for key in inventory.keys
        if key.state is KeyState.UNASSIGNED
        and key.is_master is is_master
        and key.expires_at is None
        and key.starts_at is None
    ]


def _licensed(inventory: Inventory) -> Instance:
    own = {key.id for key in inventory.keys if key.state is KeyState.ACTIVE}
    return next(
        known
        for known in inventory.instances
        if known.master_key_id in own and known.fingerprint is not None
    )


def _of_partner(inventory: Inventory) -> Instance:
    own = {key.id for key in inventory.keys}
    return next(
        known
        for known in inventory.instances
        if known.master_key_id is not None and known.master_key_id not in own
    )


def _pending(inventory: Inventory) -> Instance:
    return next(known for known in inventory.instances if known.state is InstanceState.PENDING)


def _screen(dashboard: Dashboard) -> ActivationScreen:
    screen = dashboard.app.screen
    assert isinstance(screen, ActivationScreen)
    return screen


async def _open(dashboard: Dashboard, instance: Instance | None = None) -> None:
    dashboard.app.open_activation(None if instance is None else instance.id)
    await dashboard.wait_for("Activate license keys", "[1] Keys")


async def _queue(dashboard: Dashboard, *keys: LicenseKey) -> None:
    """Queue keys and wait until the cloud has said something about each."""
    for key in keys:
        dashboard.app.screen.query_one("#key-field", Input).value = key.key
        await dashboard.press("enter")
        await dashboard.wait_for(group_key(key.key), gone="asking the cloud")


async def _review(dashboard: Dashboard, instance: Instance, *keys: LicenseKey) -> None:
    await _open(dashboard, instance)
    await _queue(dashboard, *keys)
    await dashboard.press("f8")
    await dashboard.wait_for(f"Chosen: {instance.name}")
    await dashboard.press("f8")
    await dashboard.wait_for("[3] Review", f"On {instance.name}", gone="Asking the cloud")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_steps_look_as_on_record(
    size: tuple[int, int],
    loaded_store: Store,
    inventory: Inventory,
    open_dashboard: OpenDashboard,
    check_frame: CheckFrame,
) -> None:
    key = _unassigned(inventory, is_master=True)[0]
    name = f"activation-{size[0]}x{size[1]}"
    async with open_dashboard(loaded_store, size=size) as dashboard:
        await _open(dashboard, _licensed(inventory))
        await _queue(dashboard, key)
        check_frame(f"{name}-keys", dashboard.text)
        await dashboard.press("f8")
        check_frame(f"{name}-instance", dashboard.text)
        await dashboard.press("shift+tab", "enter")
        await dashboard.wait_for("Server profile (.xml)")
        check_frame(f"{name}-new-instance", dashboard.text)
        await dashboard.press("shift+tab", "enter", "f8")
        await dashboard.wait_for("[3] Review", "Replace the master")
        check_frame(f"{name}-review", dashboard.text)


async def test_a_key_is_checked_in_form_before_the_cloud_is_asked(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard)
        await dashboard.type("abcd-12")
        await dashboard.press("enter")
        await dashboard.wait_for("this one has 6", "No key is queued yet")
        assert dashboard.app.screen.query_one("#key-field", Input).value == "abcd-12"


async def test_a_paste_of_many_lines_queues_the_keys_and_leaves_what_are_none(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    first, second = _unassigned(inventory, is_master=True)[:2]
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard)
        field = dashboard.app.screen.query_one("#key-field", Input)
        text = f"{group_key(first.key).lower()}\r\nnot a key\n{second.key},{first.key}; x\n"
        field.post_message(events.Paste(text))
        await dashboard.wait_for(
            group_key(first.key), group_key(second.key), gone="asking the cloud"
        )
        await dashboard.wait_for("2 of these are no license keys.")
        assert field.value == "not a key; x"
        field.value = ""
        field.post_message(events.Paste(first.key))
        await dashboard.wait_until(lambda: field.value == first.key, "the single key")
        await dashboard.press("enter")
        await dashboard.wait_for("A key that was queued already is queued once.")


async def test_each_key_shows_what_it_is_or_why_it_cannot_be_assigned(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    free = _unassigned(inventory, is_master=True)[0]
    used = next(key for key in inventory.keys if key.id == _licensed(inventory).master_key_id)
    unknown = replace(free, key="ZZZZZZZZZZZZZZZZ")
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard)
        await _queue(dashboard, free, used, unknown)
        await dashboard.wait_for(free.product_name, "Features: ")
        dashboard.app.screen.query_one("#queue").focus()
        await dashboard.press("down")
        await dashboard.wait_for("Take it off the queue, or release it", "It is “")
        await dashboard.press("down")
        await dashboard.wait_for("There is no such license key")
        await dashboard.press("enter", "x")
        await dashboard.wait_for("Activate license keys", gone="ZZZZ-ZZZZ-ZZZZ-ZZZZ")


async def test_a_lookup_that_failed_is_asked_again_on_demand(
    loaded_store: Store,
    inventory: Inventory,
    open_dashboard: OpenDashboard,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = _unassigned(inventory, is_master=True)[:2]
    real = ActivationService.validate
    asked: list[str] = []

    async def unreachable(self: ActivationService, key: str) -> object:
        asked.append(key)
        if len(asked) == 1:
            raise UnavailableError("timeout", "The cloud did not answer.", "Try again.")
        return await real(self, key)

    monkeypatch.setattr(ActivationService, "validate", unreachable)
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard)
        dashboard.app.screen.query_one("#key-field", Input).value = f"{first.key},{second.key}"
        await dashboard.press("enter")
        await dashboard.wait_for("? The cloud did not answer.", gone="asking the cloud")
        assert asked == [first.key]
        dashboard.app.screen.query_one("#queue").focus()
        await dashboard.press("r")
        await dashboard.wait_for("yes", gone="did not answer")


async def test_nothing_goes_on_without_a_key(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard)
        await dashboard.press("enter")
        await dashboard.wait_for("No key is queued.", "Type a license key first.")
        await dashboard.type("abc")
        await dashboard.press("f8")
        await dashboard.wait_for("this one has 3", "[1] Keys")


async def test_a_key_that_stands_in_the_field_is_queued_by_going_on(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    key = _unassigned(inventory, is_master=True)[0]
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard)
        dashboard.app.screen.query_one("#key-field", Input).value = key.key
        await dashboard.click("Next: the instance")
        await dashboard.wait_for("[2] Instance")
        await dashboard.click(" Back ")
        await dashboard.wait_for("[1] Keys", group_key(key.key))


async def test_an_instance_is_found_by_typing_and_needs_to_be_chosen(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    instance = next(known for known in inventory.instances if known.name.startswith("Lagos"))
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard)
        await _queue(dashboard, _unassigned(inventory, is_master=True)[0])
        await dashboard.press("enter")
        await dashboard.wait_for("No instance is chosen yet")
        await dashboard.press("f8")
        await dashboard.wait_for("No instance is chosen.", "or a new instance.")
        await dashboard.type("metta")
        await dashboard.wait_for(instance.name)
        await dashboard.press("enter")
        await dashboard.wait_for(f"Chosen: {instance.name}")
        _screen(dashboard).query_one("#instances Input").focus()
        await dashboard.press("ctrl+u")
        await dashboard.wait_for("No instance is chosen yet")


async def test_replacing_a_master_key_is_refused_until_it_is_ticked(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    instance = _licensed(inventory)
    key = _unassigned(inventory, is_master=True)[0]
    master = next(known for known in inventory.keys if known.id == instance.master_key_id)
    async with open_dashboard(loaded_store) as dashboard:
        await _review(dashboard, instance, key)
        await dashboard.wait_for(f"! {group_key(key.key)}", "[ ] Replace the master key")
        await dashboard.press("f8")
        assert "[3] Review" in dashboard.text
        await dashboard.wait_until(
            lambda: _screen(dashboard).query_one("#replace-master").has_focus, "the focus"
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
    instance = _licensed(inventory)
    add_ons = _unassigned(inventory, is_master=False)[:2]
    settings = Settings(download_folder=tmp_path, refresh_seconds=0)
    async with open_dashboard(loaded_store, settings=settings) as dashboard:
        await _review(dashboard, instance, *add_ons)
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
    add_on = _unassigned(inventory, is_master=False)[0]
    async with open_dashboard(loaded_store) as dashboard:
        await _review(dashboard, _of_partner(inventory), add_on)
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
        if key.state is KeyState.ACTIVE and key.instance_id != _licensed(inventory).id
    )
    revoked = next(key for key in inventory.keys if key.state is KeyState.REVOKED)
    async with open_dashboard(loaded_store) as dashboard:
        await _review(dashboard, _licensed(inventory), used, revoked)
        await dashboard.wait_for(f"! {group_key(used.key)}", f"! {group_key(revoked.key)}")


async def _new_instance(dashboard: Dashboard, key: LicenseKey, name: str) -> None:
    await _open(dashboard)
    await _queue(dashboard, key)
    await dashboard.press("enter")
    await dashboard.wait_for("[2] Instance")
    await dashboard.click("A new instance")
    await dashboard.wait_for("Server profile (.xml)")
    _screen(dashboard).query_one("#name").focus()
    await dashboard.type(name)
    await dashboard.press("enter")
    await dashboard.type("fin")
    await dashboard.press("enter")
    await dashboard.type("Espoo")
    await dashboard.press("enter")
    await dashboard.type("6.2.1")


async def test_a_new_instance_is_activated_with_a_profile_from_a_file(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    key = _unassigned(inventory, is_master=True)[0]
    profile = tmp_path / "profile.xml"
    async with open_dashboard(loaded_store) as dashboard:
        services = dashboard.app.services
        profile.write_bytes(await services.instances.this_host_profile())
        await _new_instance(dashboard, key, "Espoo 1")
        await dashboard.press("f8")
        await dashboard.wait_for("This instance needs a server profile.")
        path = _screen(dashboard).query_one("#path", Input)
        path.focus()
        path.value = str(tmp_path / "missing.xml")
        await dashboard.press("enter")
        await dashboard.wait_for("There is no file")
        path.value = str(profile)
        await dashboard.press("f8")
        await dashboard.wait_for("[3] Review", "On a new instance, Espoo 1", "is activated")
        await dashboard.press("f8")
        await dashboard.wait_for("[4] Result", "1 key activated on Espoo 1")
        made = await services.inventory.find_instance("Espoo 1")
        assert (made.location.country_code, made.location.label) == ("FI", "Espoo")
        assert made.core_version == "6.2.1"


async def test_a_new_instance_can_take_the_profile_of_this_very_host(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    key = _unassigned(inventory, is_master=True)[0]
    async with open_dashboard(loaded_store) as dashboard:
        await _new_instance(dashboard, key, "Espoo 2")
        await dashboard.click("Use this host")
        await dashboard.wait_for("Read from this host: ", "fingerprint ")
        await dashboard.press("f8")
        await dashboard.wait_for("[3] Review", "is activated")
        await dashboard.press("f7")
        await dashboard.wait_for("[2] Instance", "Espoo 2", "Read from this host")


async def test_a_new_instance_without_a_country_or_with_a_broken_profile_is_refused(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.xml"
    broken.write_text("<a>")
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard)
        await _queue(dashboard, _unassigned(inventory, is_master=True)[0])
        await dashboard.press("f8")
        await dashboard.click("A new instance")
        await dashboard.wait_for("Server profile (.xml)")
        path = _screen(dashboard).query_one("#path", Input)
        path.focus()
        path.value = str(broken)
        await dashboard.press("enter")
        await dashboard.wait_until(
            lambda: bool(_screen(dashboard).query_one("#profile-problem").display), "the problem"
        )
        assert path.value == str(broken)
        await dashboard.click("Use this host")
        await dashboard.wait_for("Read from this host: ")
        await dashboard.press("f8")
        await dashboard.wait_for("The country of the new instance is missing.")
        await dashboard.click("An instance of the list")
        await dashboard.wait_for("No instance is chosen yet")


async def test_an_instance_that_has_no_profile_is_asked_for_one(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    instance = replace(_licensed(inventory), profile_revision=0, fingerprint=None)
    loaded_store.dispatch(InstanceChanged(instance))
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard, instance)
        await _queue(dashboard, _unassigned(inventory, is_master=False)[0])
        await dashboard.press("f8")
        await dashboard.wait_for("Server profile (.xml)", f"Chosen: {instance.name}")


class _Interrupted:
    """Loses the answer of the first submission after the cloud has done it."""

    def __init__(self) -> None:
        self.real = ActivationService.submit
        self.submissions: list[Submission] = []

    async def submit(self, service: ActivationService, submission: Submission) -> Activation:
        self.submissions.append(submission)
        done = await self.real(service, submission)
        if len(self.submissions) == 1:
            raise UnavailableError("timeout", "The cloud did not answer in time.", "Try again.")
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
    add_on = _unassigned(inventory, is_master=False)[0]
    async with open_dashboard(loaded_store) as dashboard:
        await _review(dashboard, _licensed(inventory), add_on)
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
    instance = _licensed(inventory)
    add_on = _unassigned(inventory, is_master=False)[0]
    async with open_dashboard(loaded_store) as dashboard:
        await _review(dashboard, instance, add_on)
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
    add_on = _unassigned(inventory, is_master=False)[0]
    async with open_dashboard(loaded_store) as dashboard:
        await _review(dashboard, _licensed(inventory), add_on)
        await dashboard.wait_for("The cloud did not answer.", "Check the network.", "Ask again")
        await dashboard.press("f8")
        await dashboard.wait_for(f"+ {group_key(add_on.key)}", gone="did not answer")


@pytest.mark.parametrize("how", ["escape", "q", "ctrl+c"])
async def test_a_queue_is_not_dropped_without_a_question(
    how: str, loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard)
        await _queue(dashboard, _unassigned(inventory, is_master=True)[0])
        queue = dashboard.app.screen.query_one("#queue")
        queue.focus()
        await dashboard.wait_until(lambda: queue.has_focus, "the focus")
        await dashboard.press(how)
        await dashboard.wait_for("Drop the queue of 1 key?")
        await dashboard.press("enter")
        await dashboard.wait_for("Can be assigned", gone="Drop the queue")
        await dashboard.press(how)
        await dashboard.wait_until(
            lambda: isinstance(dashboard.app.screen, ConfirmScreen), "the question"
        )
        await dashboard.press("y")
        if how == "escape":
            await dashboard.wait_for("Show add-on keys")
        else:
            await dashboard.wait_until(
                lambda: dashboard.app.return_value == (0 if how == "q" else 130), "the end"
            )


async def test_an_empty_queue_is_left_without_a_question(
    loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard)
        await dashboard.press("escape")
        await dashboard.wait_for("Show add-on keys")
        await _open(dashboard)
        await dashboard.type("abc")
        await dashboard.press("escape")
        await dashboard.wait_for("Drop what you typed?")


async def test_an_instance_outside_the_list_is_loaded_and_one_that_is_none_is_told(
    inventory: Inventory, loaded_store: Store, open_dashboard: OpenDashboard
) -> None:
    instance = _licensed(inventory)
    loaded_store.dispatch(InventoryLoaded(replace(inventory, instances=())))
    async with open_dashboard(loaded_store) as dashboard:
        await _review(dashboard, instance, _unassigned(inventory, is_master=False)[0])
        dashboard.app.open_activation("00000000-0000-4000-8000-000000000000")
        await dashboard.wait_for("no such instance", "[1] Keys")


async def test_masked_keys_stay_masked_in_every_step(
    loaded_store: Store, inventory: Inventory, open_dashboard: OpenDashboard
) -> None:
    add_on = _unassigned(inventory, is_master=False)[0]
    async with open_dashboard(loaded_store) as dashboard:
        await _open(dashboard, _licensed(inventory))
        await _queue(dashboard, add_on)
        dashboard.app.screen.query_one("#queue").focus()
        await dashboard.pilot.pause()
        await dashboard.press("m")
        await dashboard.wait_for("••••-••••-••••-" + add_on.key[-4:], gone=group_key(add_on.key))
        await dashboard.press("f8", "f8")
        await dashboard.wait_for("[3] Review", "is activated", gone=group_key(add_on.key))
        await dashboard.press("f8")
        await dashboard.wait_for("[4] Result", gone=group_key(add_on.key))
        assert _screen(dashboard)._step is Step.RESULT
