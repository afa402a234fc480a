"""The inventory is loaded whole, followed by its changes, and searched by handles."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.values import NOW
from tui_licenses.cloud import administration
from tui_licenses.cloud.embedded import embedded_credentials
from tui_licenses.config import Configuration
from tui_licenses.domain.account import Role
from tui_licenses.domain.inventory import Inventory
from tui_licenses.domain.license_key import KeyKind, KeyState, group_key
from tui_licenses.errors import NotAllowedError, NotFoundError, UseError
from tui_licenses.service import inventory as module
from tui_licenses.wiring import Services, open_services


def environment_of(database: Path, account_name: str) -> dict[str, str]:
    found = next(
        entry for entry in embedded_credentials(database) if entry.account_name == account_name
    )
    return {
        "TUI_LICENSES_SUBJECT_ID": found.subject_id,
        "TUI_LICENSES_REFRESH_TOKEN": found.refresh_token,
    }


async def test_everything_is_loaded_and_shown_page_by_page(services: Services) -> None:
    pages: list[Inventory] = []
    loaded = await services.inventory.load(pages.append)
    assert (len(loaded.instances), len(loaded.keys)) == (24, 120)
    assert loaded.user == await services.account.who_am_i()
    assert loaded.cursor
    assert [(len(page.instances), len(page.keys)) for page in pages] == [(24, 120)]
    assert pages[0].total_count == 144
    assert all(page.cursor is None for page in pages)


async def test_small_pages_give_the_same_inventory(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = await services.inventory.load()
    monkeypatch.setattr(module, "PAGE_SIZE", 7)
    pages: list[Inventory] = []
    paged = await services.inventory.load(pages.append)
    assert replace(paged, fetched_at=NOW) == replace(whole, fetched_at=NOW)
    shown = [(len(page.instances), len(page.keys)) for page in pages]
    # The first rows come first: a page of each kind.
    assert shown[:5] == [(7, 7), (14, 7), (21, 7), (24, 7), (24, 14)]
    assert len(pages) == 4 + 17


async def test_a_plan_without_the_tab_is_refused_with_a_contact(lab_database: Path) -> None:
    environment = environment_of(lab_database, "Orchard Retail Screens")
    services = open_services(Configuration(), None, environment)
    with pytest.raises(NotAllowedError) as caught:
        await services.inventory.load()
    assert caught.value.code == "plan-not-eligible"
    assert caught.value.plan == "OmniD"
    assert caught.value.support_contact
    assert caught.value.support_contact in caught.value.next_step
    await services.aclose()


async def test_a_plan_that_was_lost_meanwhile_is_told_by_the_cloud(lab_database: Path) -> None:
    environment = environment_of(lab_database, "Orchard Retail Screens")
    services = open_services(Configuration(), None, environment)
    with pytest.raises(NotAllowedError) as caught:
        await services.inventory.events()
    assert (caught.value.code, caught.value.plan) == ("plan-not-eligible", "OmniD")
    await services.aclose()


async def test_nothing_changed_keeps_every_object(services: Services) -> None:
    loaded = await services.inventory.load()
    refreshed = await services.inventory.refresh(loaded)
    assert refreshed.instances is loaded.instances
    assert refreshed.keys is loaded.keys
    assert refreshed.fetched_at >= loaded.fetched_at


async def test_a_refresh_follows_changes_page_by_page(
    services: Services, lab_database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = await services.inventory.load()
    instance = next(entry for entry in loaded.instances if entry.key_count > 5)
    renamed = await services.instances.rename(instance, "Potsdam")
    account = loaded.user.account.name
    issued = administration.issue(
        lab_database, account, kind=KeyKind.MASTER, product_code=loaded.keys[0].product_code
    )
    empty = next(entry for entry in loaded.instances if entry.key_count == 0)
    administration.retire_instance(lab_database, empty.id, "sold")
    monkeypatch.setattr(module, "PAGE_SIZE", 1)
    refreshed = await services.inventory.refresh(loaded)
    assert renamed in refreshed.instances
    assert issued[0].id in {key.id for key in refreshed.keys}
    assert empty.id not in {entry.id for entry in refreshed.instances}
    followed = [key for key in refreshed.keys if key.instance_id == instance.id]
    assert followed
    assert {key.instance_name for key in followed} == {"Potsdam"}
    monkeypatch.undo()
    again = await services.inventory.load()
    assert {key.id: key for key in again.keys} == {key.id: key for key in refreshed.keys}
    assert set(again.instances) == set(refreshed.instances)


@pytest.mark.parametrize("cursor", [None, "nonsense"])
async def test_an_inventory_that_cannot_be_followed_is_loaded_anew(
    services: Services, cursor: str | None
) -> None:
    loaded = await services.inventory.load()
    stale = replace(loaded, instances=(), keys=(), cursor=cursor)
    again = await services.inventory.refresh(stale)
    assert (again.instances, again.keys) == (loaded.instances, loaded.keys)


async def test_an_instance_is_found_by_id_and_by_name_in_any_case(services: Services) -> None:
    wanted = next(
        entry
        for entry in (await services.inventory.load()).instances
        if entry.name == "Zürich Flughafen"
    )
    assert await services.inventory.show_instance(wanted.id) == wanted
    for handle in (wanted.id, wanted.id.upper(), wanted.name, " zürich FLUGHAFEN "):
        assert await services.inventory.find_instance(handle) == wanted


async def test_a_name_that_two_instances_have_is_refused_with_their_ids(services: Services) -> None:
    with pytest.raises(UseError) as caught:
        await services.inventory.find_instance("Berlin Hauptbahnhof")
    assert caught.value.code == "ambiguous-name"
    twins = [
        entry.id
        for entry in (await services.inventory.load()).instances
        if entry.name == "Berlin Hauptbahnhof"
    ]
    assert all(twin in caught.value.message for twin in twins)


@pytest.mark.parametrize("handle", ["Atlantis\x1b[31m", "00000000-0000-4000-8000-000000000000"])
async def test_an_unknown_instance_is_not_found(services: Services, handle: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        await services.inventory.find_instance(handle)
    assert caught.value.code == "instance-not-found"
    assert "\x1b" not in caught.value.message


async def test_a_key_is_found_by_id_and_as_it_is_printed(services: Services) -> None:
    key = (await services.inventory.load()).keys[0]
    assert await services.inventory.show_key(key.id) == key
    for handle in (key.id, key.key, group_key(key.key).lower()):
        assert await services.inventory.find_key(handle) == key


async def test_a_key_of_another_account_is_not_shown(
    services: Services, lab_database: Path
) -> None:
    product = (await services.inventory.load()).keys[0].product_code
    foreign = administration.issue(
        lab_database, "Bluefin Partners", kind=KeyKind.MASTER, product_code=product
    )[0]
    with pytest.raises(NotAllowedError) as caught:
        await services.inventory.find_key(foreign.key)
    assert caught.value.code == "key-not-in-account"
    found = await services.inventory.lookup(foreign.key)
    assert not found.in_account
    with pytest.raises(NotFoundError):
        await services.inventory.find_key(foreign.id)


async def test_an_unknown_key_is_not_found(services: Services) -> None:
    with pytest.raises(NotFoundError) as caught:
        await services.inventory.find_key("ZZZZ-ZZZZ-ZZZZ-ZZZZ")
    assert caught.value.code == "key-not-found"
    with pytest.raises(UseError, match="16 characters"):
        await services.inventory.find_key("short")


async def test_the_keys_of_an_instance_begin_with_its_master(services: Services) -> None:
    instance = next(
        entry for entry in (await services.inventory.load()).instances if entry.add_on_count > 3
    )
    keys = await services.inventory.keys_of_instance(instance.id)
    assert keys[0].is_master
    assert {key.instance_id for key in keys} == {instance.id}
    assert not any(key.is_master and key.state is KeyState.ACTIVE for key in keys[1:])


async def test_events_are_newest_first_and_as_many_as_asked(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = await services.inventory.events()
    assert len(every) > 10
    assert [event.sequence for event in every] == sorted(
        (event.sequence for event in every), reverse=True
    )
    assert await services.inventory.events(3) == every[:3]
    monkeypatch.setattr(module, "PAGE_SIZE", 4)
    assert await services.inventory.events(10) == every[:10]
    assert await services.inventory.events() == every
    assert await services.inventory.events(0) == ()


async def test_a_reader_can_look_and_not_change(lab_database: Path) -> None:
    reader = next(
        entry for entry in embedded_credentials(lab_database) if entry.role is Role.READER
    )
    environment = {
        "TUI_LICENSES_SUBJECT_ID": reader.subject_id,
        "TUI_LICENSES_REFRESH_TOKEN": reader.refresh_token,
    }
    services = open_services(Configuration(), None, environment)
    instance = (await services.inventory.load()).instances[0]
    with pytest.raises(NotAllowedError) as caught:
        await services.instances.rename(instance, "Other")
    assert (caught.value.code, caught.value.exit_status) == ("role-insufficient", 6)
    await services.aclose()
