"""Instances are renamed, relocated and given profiles; nobody overwrites another's change."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui_licenses.domain.instance import Instance, Location
from tui_licenses.errors import DocumentError, FileError, NotFoundError, StateError, UseError
from tui_licenses.service.instances import RevisionConflictError
from tui_licenses.wiring import Services


async def find(services: Services, name: str) -> Instance:
    return await services.inventory.find_instance(name)


async def test_a_rename_gives_a_new_revision(services: Services) -> None:
    instance = await find(services, "Zürich Flughafen")
    renamed = await services.instances.rename(instance, "  Zürich [Nord] ")
    assert (renamed.name, renamed.revision) == ("Zürich [Nord]", instance.revision + 1)
    assert await services.inventory.show_instance(instance.id) == renamed


async def test_a_bad_name_is_refused_before_anything_is_sent(services: Services) -> None:
    instance = await find(services, "Zürich Flughafen")
    with pytest.raises(UseError):
        await services.instances.rename(instance, "a\x1bb")


async def test_a_relocation_keeps_the_name(services: Services) -> None:
    instance = await find(services, "Zürich Flughafen")
    moved = await services.instances.relocate(instance, Location("JP", "Hall 2"))
    assert (moved.location, moved.name) == (Location("JP", "Hall 2"), instance.name)
    bare = await services.instances.relocate(moved, Location("JP", None))
    assert bare.location.label is None


async def test_a_change_on_an_old_revision_shows_the_present_one(services: Services) -> None:
    instance = await find(services, "Zürich Flughafen")
    renamed = await services.instances.rename(instance, "Winterthur")
    with pytest.raises(RevisionConflictError) as caught:
        await services.instances.rename(instance, "Basel")
    assert caught.value.current == renamed
    assert (caught.value.code, caught.value.exit_status) == ("revision-mismatch", 5)


async def test_the_profile_comes_back_byte_for_byte_and_as_rows(services: Services) -> None:
    instance = await find(services, "Zürich Flughafen")
    data = await services.instances.profile(instance.id)
    assert data.startswith(b"<")
    rows = await services.instances.hardware(instance.id)
    assert len(rows) > 5
    assert all(row.attribute for row in rows)


async def test_an_instance_without_a_profile_gets_its_first_one(services: Services) -> None:
    instance = await find(services, "Portland [east] yard")
    with pytest.raises(NotFoundError) as caught:
        await services.instances.profile(instance.id)
    assert caught.value.code == "profile-not-found"
    data = await services.instances.profile((await find(services, "Zürich Flughafen")).id)
    changed = await services.instances.set_profile(instance, data)
    assert (changed.has_profile, changed.profile_revision) == (True, 1)
    assert await services.instances.profile(instance.id) == data


async def test_a_profile_is_replaced_only_on_the_present_revision(services: Services) -> None:
    instance = await find(services, "Zürich Flughafen")
    data = await services.instances.profile(instance.id)
    spaced = data.rstrip() + b"\n\n"
    changed = await services.instances.set_profile(instance, spaced)
    assert changed.profile_revision == 2
    assert await services.instances.profile(instance.id) == spaced
    with pytest.raises(RevisionConflictError):
        await services.instances.set_profile(instance, data)


async def test_a_profile_that_is_no_xml_is_refused_by_the_cloud(services: Services) -> None:
    instance = await find(services, "Zürich Flughafen")
    with pytest.raises(StateError) as caught:
        await services.instances.set_profile(instance, b"<node")
    assert caught.value.code == "profile-invalid"


async def test_this_host_has_a_profile(services: Services, tmp_path: Path) -> None:
    data = await services.instances.this_host_profile()
    (tmp_path / "profile.xml").write_bytes(data)
    assert services.instances.read_profile(tmp_path / "profile.xml") == data


def test_a_profile_file_is_checked(services: Services, tmp_path: Path) -> None:
    file = tmp_path / "profile.xml"
    with pytest.raises(FileError) as missing:
        services.instances.read_profile(file)
    assert missing.value.code == "file-not-found"
    file.write_text("<!DOCTYPE node []><node/>")
    with pytest.raises(DocumentError) as invalid:
        services.instances.read_profile(file)
    assert invalid.value.code == "profile-invalid"
    file.write_bytes(b" " * (1024 * 1024 + 1))
    with pytest.raises(DocumentError) as large:
        services.instances.read_profile(file)
    assert large.value.code == "profile-too-large"
    with pytest.raises(FileError, match="regular file"):
        services.instances.read_profile(tmp_path)
