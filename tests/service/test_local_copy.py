"""The local copy gives back what was known, and is discarded whenever anything is wrong with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.values import NOW, make_instance, make_key, make_user
from tui_licenses import paths
from tui_licenses.config import Configuration, Settings
from tui_licenses.domain.inventory import Inventory
from tui_licenses.errors import NotAllowedError
from tui_licenses.service.local_copy import LocalCopy
from tui_licenses.wiring import Services, open_services


def _inventory(instances: int = 3, keys_each: int = 2) -> Inventory:
    return Inventory.of(
        make_user(),
        [
            make_instance(id=f"instance-{number:04}", name=f"Site {number:04} [x]")
            for number in range(instances)
        ],
        [
            make_key(
                id=f"key-{number:04}-{place}",
                instance_id=f"instance-{number:04}",
                instance_name=f"Site {number:04} [x]",
            )
            for number in range(instances)
            for place in range(keys_each)
        ],
        NOW,
        "cursor",
    )


@pytest.fixture
def copy(home: Path) -> LocalCopy:
    return LocalCopy(paths.copy_file("site"), "https://licenses.example.com\nanna")


def _file() -> Path:
    return paths.copy_file("site")


def test_an_inventory_comes_back_whole_with_its_age_and_is_private(copy: LocalCopy) -> None:
    inventory = _inventory()
    copy.write(inventory)
    read = copy.read()
    assert read == replace(inventory, total_count=9)
    assert _file().stat().st_mode & 0o777 == 0o600
    assert _file().parent.stat().st_mode & 0o777 == 0o700
    later = NOW + timedelta(hours=1)
    copy.touch(later)
    again = copy.read()
    assert again is not None
    assert again.fetched_at == later


def test_the_first_rows_are_there_without_the_rest(copy: LocalCopy) -> None:
    inventory = _inventory(300)
    copy.write(inventory)
    first = copy.read_first()
    assert first is not None
    assert first.cursor is None
    assert first.total_count == 900
    assert first.instances == inventory.instances[:100]
    assert first.keys == inventory.keys[:200]


@pytest.mark.parametrize("place", range(0, 4000, 97))
def test_a_flipped_byte_is_noticed_and_the_copy_discarded(copy: LocalCopy, place: int) -> None:
    copy.write(_inventory())
    data = bytearray(_file().read_bytes())
    data[place % len(data)] ^= 0x10
    _file().write_bytes(data)
    assert copy.read() is None
    assert not _file().exists()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_copy_that_was_cut_is_discarded(copy: LocalCopy, share: float) -> None:
    copy.write(_inventory())
    data = _file().read_bytes()
    _file().write_bytes(data[: int(len(data) * share)])
    assert copy.read() is None
    assert not _file().exists()


def test_a_copy_of_somebody_else_or_that_others_can_read_is_discarded(copy: LocalCopy) -> None:
    copy.write(_inventory())
    assert LocalCopy(_file(), "https://licenses.example.com\nberta").read_first() is None
    assert not _file().exists()
    copy.write(_inventory())
    _file().chmod(0o640)
    assert copy.read() is None
    assert not _file().exists()


def test_a_link_in_its_place_is_not_followed(copy: LocalCopy, tmp_path: Path) -> None:
    copy.write(_inventory())
    elsewhere = tmp_path / "elsewhere"
    _file().rename(elsewhere)
    _file().symlink_to(elsewhere)
    assert copy.read() is None
    copy.forget()
    assert elsewhere.exists()


async def test_a_load_is_copied_and_the_next_start_asks_for_changes_only(
    services: Services,
) -> None:
    loaded = await services.inventory.load()
    again = open_services(Configuration(), None, {})
    copy = again.local_copy.read()
    assert copy is not None
    assert (copy.instances, copy.keys, copy.cursor) == (
        loaded.instances,
        loaded.keys,
        loaded.cursor,
    )
    instance = loaded.instances[0]
    await services.instances.rename(instance, "Renamed [in between]")
    current = await again.inventory.current()
    renamed = current.instances.find(instance.id)
    assert renamed is not None
    assert renamed.name == "Renamed [in between]"
    await again.aclose()
    last = open_services(Configuration(), None, {}).local_copy.read()
    assert last is not None
    assert last.instances == current.instances


async def test_an_unchanged_refresh_only_makes_the_copy_younger(services: Services) -> None:
    loaded = await services.inventory.load()
    services.local_copy.touch(datetime(2026, 1, 1, tzinfo=UTC))
    before = services.local_copy.read()
    assert before is not None
    assert before.fetched_at == datetime(2026, 1, 1, tzinfo=UTC)
    refreshed = await services.inventory.refresh(loaded)
    after = services.local_copy.read()
    assert after is not None
    assert abs(after.fetched_at - refreshed.fetched_at) < timedelta(seconds=1)
    assert refreshed.keys is loaded.keys


async def test_an_account_that_lost_the_tab_loses_its_copy(
    services: Services, lab_database: Path
) -> None:
    import sqlite3

    await services.inventory.load()
    assert services.local_copy.read_first() is not None
    with sqlite3.connect(lab_database) as database:
        database.execute("UPDATE account SET plan = 'OmniD'")
    database.close()
    again = open_services(Configuration(), None, {})
    with pytest.raises(NotAllowedError):
        await again.inventory.current()
    assert again.local_copy.read_first() is None
    await again.aclose()


async def test_a_cloud_that_was_made_anew_has_no_copy(
    services: Services, lab_database: Path
) -> None:
    await services.inventory.load()
    await services.aclose()
    other = lab_database.with_name("other")
    other.write_bytes(lab_database.read_bytes())
    other.rename(lab_database)
    assert open_services(Configuration(), None, {}).local_copy.read_first() is None


async def test_nothing_is_kept_where_settings_say_so(lab_database: Path) -> None:
    services = open_services(Configuration(Settings(local_copy=False)), None, {})
    first = await services.inventory.current()
    second = await services.inventory.current()
    await services.aclose()
    assert replace(first, fetched_at=NOW) == replace(second, fetched_at=NOW)
    assert services.local_copy.read() is None
    assert not paths.copy_file("embedded").exists()
