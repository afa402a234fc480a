"""Keys are checked, previewed and activated all or none, never twice, and released again."""

from __future__ import annotations

import pytest

from tui_licenses.domain.activation import ActivationRequest, NewInstance
from tui_licenses.domain.instance import InstanceState, Location
from tui_licenses.domain.license_key import KeyKind, KeyState, LicenseKey
from tui_licenses.errors import StateError, TuiLicensesError, UseError
from tui_licenses.wiring import Services

NEW = NewInstance("Oslo S", Location("NO", "Hall 1"), "4.2.0")


async def unassigned(services: Services, kind: KeyKind) -> LicenseKey:
    keys = (await services.inventory.load()).keys
    for key in keys:
        if key.kind is kind and key.state is KeyState.UNASSIGNED:
            found = await services.activation.validate(key.key)
            if found.assignable:
                return key
    raise AssertionError("the lab has such keys")


async def profile_of(services: Services, name: str) -> str:
    instance = await services.inventory.find_instance(name)
    return (await services.instances.profile(instance.id)).decode()


def test_typed_keys_are_normalised_and_each_kept_once(services: Services) -> None:
    texts = ["abcd-efgh-1234-5678", "ABCDEFGH12345678", "ZZZZ ZZZZ ZZZZ ZZZZ"]
    assert services.activation.check_format(texts) == ("ABCDEFGH12345678", "ZZZZZZZZZZZZZZZZ")
    assert services.activation.check_format([]) == ()


def test_every_text_that_is_no_key_is_named_by_its_ending(services: Services) -> None:
    with pytest.raises(UseError) as caught:
        services.activation.check_format(["SECRET-KEY-ABCD", "ABCDEFGH12345678", "\x1b[31mEFGH"])
    assert caught.value.code == "key-format"
    assert [detail.pointer for detail in caught.value.details] == ["/keys/0", "/keys/2"]
    assert "ABCD" in caught.value.message
    assert "SECRET" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


async def test_a_preview_changes_nothing(services: Services) -> None:
    key = await unassigned(services, KeyKind.MASTER)
    request = ActivationRequest((key.key,), new_instance=NEW)
    preview = await services.activation.preview(request)
    assert preview.before == ()
    assert [problem.code for problem in preview.problems] == ["profile-required"]
    assert await services.inventory.show_key(key.id) == key


async def test_a_new_instance_is_licensed_and_a_repeat_does_nothing_more(
    services: Services,
) -> None:
    key = await unassigned(services, KeyKind.MASTER)
    profile = await profile_of(services, "Zürich Flughafen")
    request = ActivationRequest((key.key,), new_instance=NEW, profile_xml=profile)
    submission = services.activation.prepare(request)
    first = await services.activation.submit(submission)
    again = await services.activation.submit(submission)
    assert first == again
    assert first.instance.state is InstanceState.LICENSED
    assert (first.instance.name, first.instance.location) == (NEW.name, NEW.location)
    assert [entry.state for entry in first.keys] == [KeyState.ACTIVE]
    assert first.license_file is not None
    assert services.activation.prepare(request) != submission


async def test_every_refused_key_is_told_at_once(services: Services) -> None:
    instance = await services.inventory.find_instance("Zürich Flughafen")
    request = ActivationRequest(("ZZZZZZZZZZZZZZZZ", "YYYYYYYYYYYYYYYY"), instance_id=instance.id)
    with pytest.raises(TuiLicensesError) as caught:
        await services.activation.submit(services.activation.prepare(request))
    assert [detail.pointer for detail in caught.value.details] == ["/keys/0", "/keys/1"]
    assert "ZZZZZZZZZZZZ" not in str(caught.value)


async def test_an_add_on_is_activated_and_released_again(services: Services) -> None:
    key = await unassigned(services, KeyKind.ADD_ON)
    instance = await services.inventory.find_instance("Zürich Flughafen")
    request = ActivationRequest((key.key,), instance_id=instance.id)
    preview = await services.activation.preview(request)
    assert preview.problems == ()
    assert len(preview.after) == len(preview.before) + 1
    activation = await services.activation.submit(services.activation.prepare(request))
    assert activation.instance.add_on_count == instance.add_on_count + 1
    active = await services.inventory.show_key(key.id)
    released = await services.activation.release(active, "moved")
    assert (released.state, released.instance_id) == (KeyState.UNASSIGNED, None)


async def test_a_master_with_add_ons_is_released_only_together_with_them(
    services: Services,
) -> None:
    instance = await services.inventory.find_instance("Zürich Flughafen")
    master = (await services.inventory.keys_of_instance(instance.id))[0]
    with pytest.raises(StateError) as caught:
        await services.activation.release(master, "closed")
    assert caught.value.code == "release-would-orphan-addons"
    released = await services.activation.release(master, "closed", cascade=True)
    assert released.state is KeyState.UNASSIGNED
    after = await services.inventory.show_instance(instance.id)
    assert after.state is InstanceState.UNLICENSED
    assert released.key == master.key
