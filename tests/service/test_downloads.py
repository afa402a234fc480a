"""Documents are saved under names of ours, checked, and never over something else."""

from __future__ import annotations

import hashlib
import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.folders import names_in
from tests.support.values import make_instance
from tui_licenses.config import Configuration, Settings
from tui_licenses.documents.envelope import MANIFEST, seal
from tui_licenses.documents.signing import SigningKey
from tui_licenses.domain.instance import Instance
from tui_licenses.domain.license_key import KeyState, LicenseKey
from tui_licenses.errors import DocumentError, FileError, NotFoundError, StateError
from tui_licenses.service.downloads import DocumentKind
from tui_licenses.service.verification import DownloadedLicense
from tui_licenses.wiring import Services, open_services


async def licensed(services: Services) -> Instance:
    return await services.inventory.find_instance("Zürich Flughafen")


async def keys_of(services: Services) -> tuple[LicenseKey, ...]:
    return (await services.inventory.load()).keys


async def test_a_license_file_is_saved_verified_with_its_manifest(
    services: Services, tmp_path: Path
) -> None:
    instance = await licensed(services)
    saved = await services.downloads.license_file(instance, tmp_path)
    data = saved.path.read_bytes()
    assert saved.path == tmp_path / services.downloads.license_file_name(instance)
    assert saved.path.name.startswith("zurich-flughafen-")
    assert saved.sha256 == hashlib.sha256(data).hexdigest()
    assert saved.size_bytes == len(data)
    assert saved.contents == "contains 1 master + 2 add-ons (lab)"
    assert (saved.is_new, saved.subject, saved.kind) == (True, instance.name, DocumentKind.LICENSE)
    assert stat.S_IMODE(saved.path.stat().st_mode) == 0o600
    manifest = saved.path.name.replace("-license.bin", "-manifest.json")
    assert sorted(names_in(tmp_path)) == sorted([saved.path.name, manifest])
    assert b"manifest.v1+json" in (tmp_path / manifest).read_bytes()


async def test_the_same_file_again_is_not_new(services: Services, tmp_path: Path) -> None:
    instance = await licensed(services)
    first = await services.downloads.license_file(instance, tmp_path)
    again = await services.downloads.license_file(instance, tmp_path)
    assert not again.is_new
    assert replace(again, is_new=True, saved_at=first.saved_at) == first


async def test_another_file_with_the_name_is_replaced_only_by_force(
    services: Services, tmp_path: Path
) -> None:
    instance = await licensed(services)
    path = tmp_path / services.downloads.license_file_name(instance)
    path.write_bytes(b"mine")
    with pytest.raises(FileError) as caught:
        await services.downloads.license_file(instance, tmp_path)
    assert caught.value.code == "file-exists"
    assert names_in(tmp_path) == [path.name]
    assert path.read_bytes() == b"mine"
    saved = await services.downloads.license_file(instance, tmp_path, force=True)
    assert saved.is_new
    assert path.read_bytes() != b"mine"


async def _saved_with_manifest(
    services: Services, instance: Instance, folder: Path
) -> tuple[Path, Path, bytes]:
    """Save a license file; return it, the manifest beside it, and what that holds."""
    saved = await services.downloads.license_file(instance, folder)
    manifest = folder / saved.path.name.replace("-license.bin", "-manifest.json")
    return saved.path, manifest, manifest.read_bytes()


async def test_a_file_with_the_name_of_the_manifest_is_replaced_only_by_force(
    services: Services, tmp_path: Path
) -> None:
    instance = await licensed(services)
    saved, manifest, genuine = await _saved_with_manifest(services, instance, tmp_path)
    saved.unlink()
    manifest.write_bytes(b"{}")
    with pytest.raises(FileError) as caught:
        await services.downloads.license_file(instance, tmp_path)
    assert caught.value.code == "file-exists"
    assert str(manifest) in caught.value.message
    assert names_in(tmp_path) == [manifest.name]
    assert manifest.read_bytes() == b"{}"
    await services.downloads.license_file(instance, tmp_path, force=True)
    assert manifest.read_bytes() == genuine
    assert (tmp_path / f"{manifest.name}.bak").read_bytes() == b"{}"


async def test_an_older_manifest_is_replaced_without_a_trace(
    services: Services, tmp_path: Path
) -> None:
    instance = await licensed(services)
    saved, manifest, genuine = await _saved_with_manifest(services, instance, tmp_path)
    manifest.write_bytes(seal(MANIFEST, b"{}", [SigningKey.generate()]))
    await services.downloads.license_file(instance, tmp_path)
    assert manifest.read_bytes() == genuine
    assert sorted(names_in(tmp_path)) == sorted([saved.name, manifest.name])


async def test_an_instance_without_a_master_has_no_license_file(
    services: Services, tmp_path: Path
) -> None:
    instance = await services.inventory.find_instance("Portland [east] yard")
    with pytest.raises(StateError) as caught:
        await services.downloads.license_file(instance, tmp_path)
    assert caught.value.code == "no-master"
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("change", [{"fingerprint": "00" * 32}, {"fingerprint": None, "id": ""}])
async def test_a_license_file_for_another_server_is_never_accepted(
    services: Services, tmp_path: Path, change: dict[str, str | None]
) -> None:
    instance = await licensed(services)
    saved = await services.downloads.license_file(instance, tmp_path)
    manifest = tmp_path / saved.path.name.replace("-license.bin", "-manifest.json")
    good = DownloadedLicense(instance, saved.path.read_bytes(), manifest.read_bytes())
    bad = replace(good, instance=replace(instance, **change))  # type: ignore[arg-type]
    accepted, refused = services.verification.check_downloads([good, bad])
    assert not isinstance(accepted, DocumentError)
    assert isinstance(refused, DocumentError)
    assert refused.code == "wrong-instance"


async def test_a_profile_is_saved_byte_for_byte(services: Services, tmp_path: Path) -> None:
    instance = await licensed(services)
    saved = await services.downloads.profile(instance, tmp_path)
    assert saved.path.read_bytes() == await services.instances.profile(instance.id)
    assert saved.path.name == services.downloads.profile_name(instance)
    assert (saved.kind, saved.contents) == (DocumentKind.PROFILE, "from a lab")


async def test_a_certificate_is_saved_for_a_key(services: Services, tmp_path: Path) -> None:
    key = next(key for key in await keys_of(services) if key.state is KeyState.ACTIVE)
    saved = await services.downloads.certificate(key, tmp_path)
    assert saved.path.read_bytes().startswith(b"%PDF-")
    assert saved.path.name == services.downloads.certificate_name(key)
    assert (saved.subject, saved.contents) == (key.key[-4:], "from a lab")
    assert key.key not in saved.path.name


async def test_an_unknown_instance_leaves_nothing(services: Services, tmp_path: Path) -> None:
    unknown = make_instance(id="00000000-0000-4000-8000-000000000000")
    with pytest.raises(NotFoundError):
        await services.downloads.profile(unknown, tmp_path)
    assert names_in(tmp_path) == []


async def test_a_missing_folder_is_told_before_anything_is_asked(
    services: Services, tmp_path: Path
) -> None:
    with pytest.raises(FileError) as caught:
        await services.downloads.license_file(make_instance(), tmp_path / "missing")
    assert caught.value.code == "folder-not-writable"


def test_the_folder_is_the_chosen_one_or_the_current_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    plain = open_services(Configuration(), None, {})
    assert plain.downloads.default_folder() == tmp_path
    chosen = Configuration(Settings(download_folder=tmp_path / "licenses"))
    assert open_services(chosen, None, {}).downloads.default_folder() == tmp_path / "licenses"


async def test_a_rename_moves_the_name_and_not_the_bytes(
    services: Services, tmp_path: Path
) -> None:
    instance = await licensed(services)
    before = await services.downloads.license_file(instance, tmp_path)
    renamed = await services.instances.rename(instance, "Genève")
    after = await services.downloads.license_file(renamed, tmp_path)
    assert after.path.name.startswith("geneve-")
    assert after.path.read_bytes() == before.path.read_bytes()
    manifest = json.loads(
        (tmp_path / after.path.name.replace("-license.bin", "-manifest.json")).read_bytes()
    )
    assert manifest["payloadType"].endswith("manifest.v1+json")
