"""Many documents at once: each with its outcome, and only what is missing when run again."""

from __future__ import annotations

import asyncio
import subprocess
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.folders import names_in
from tui_licenses.domain.instance import Instance
from tui_licenses.domain.license_key import KeyState
from tui_licenses.errors import FileError, UseError
from tui_licenses.service.bulk import to_the_end
from tui_licenses.service.checksums import CHECKSUMS_NAME
from tui_licenses.service.downloads import BulkResult, DocumentKind, DownloadOutcome, Subject
from tui_licenses.wiring import Services

LICENSE, CERTIFICATE, PROFILE = (
    DocumentKind.LICENSE,
    DocumentKind.CERTIFICATE,
    DocumentKind.PROFILE,
)


async def saved(
    services: Services, kind: DocumentKind, subjects: list[Subject], folder: Path
) -> BulkResult:
    result = await services.downloads.bulk(kind, subjects, folder).run()
    assert result.checksums_error is None
    assert [outcome.subject_id for outcome in result.outcomes] == [each.id for each in subjects]
    return result


async def subjects_of(services: Services, kind: DocumentKind) -> list[Subject]:
    inventory = await services.inventory.load()
    if kind is CERTIFICATE:
        return [key for key in inventory.keys if key.state is KeyState.ACTIVE][:4]
    states = {key.id: key.state for key in inventory.keys}
    return [
        instance
        for instance in inventory.instances
        if instance.has_profile and states.get(instance.master_key_id or "") is KeyState.ACTIVE
    ]


def check_sums(folder: Path) -> str:
    """Let `sha256sum` check the list, as an administrator would; return what it says."""
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", CHECKSUMS_NAME],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def test_many_files_are_saved_and_each_outcome_told(
    services: Services, tmp_path: Path
) -> None:
    instances: list[Subject] = list((await services.inventory.load()).instances)
    told: list[DownloadOutcome] = []
    bulk = services.downloads.bulk(LICENSE, instances, tmp_path, on_outcome=told.append)
    outcomes = (await bulk.run()).outcomes
    assert [outcome.subject_id for outcome in outcomes] == [entry.id for entry in instances]
    assert sorted(outcomes, key=repr) == sorted(told, key=repr)
    files = [outcome.file for outcome in outcomes if outcome.file]
    assert {outcome.error.code for outcome in outcomes if outcome.error} == {"no-master"}
    assert len(files) >= 18
    assert all(file.is_new for file in files)
    assert len(names_in(tmp_path)) == 2 * len(files) + 1
    report = services.verification.verify_folder(tmp_path)
    assert report.is_good
    assert report.is_lab


@pytest.mark.parametrize("kind", [LICENSE, CERTIFICATE, PROFILE])
async def test_run_again_only_what_is_missing_is_new(
    services: Services, tmp_path: Path, kind: DocumentKind
) -> None:
    subjects = await subjects_of(services, kind)
    first = (await saved(services, kind, subjects, tmp_path)).outcomes
    assert all(outcome.file and outcome.file.is_new for outcome in first)
    lost = first[1].file
    assert lost is not None
    lost.path.unlink()
    again = (await saved(services, kind, subjects, tmp_path)).outcomes
    assert [outcome.file.is_new for outcome in again if outcome.file] == [
        number == 1 for number in range(len(subjects))
    ]
    assert lost.path.exists()
    for before, after in zip(first, again, strict=True):
        assert before.file is not None
        assert after.file is not None
        assert replace(before.file, saved_at=after.file.saved_at, is_new=after.file.is_new) == (
            after.file
        )


async def test_a_lost_manifest_is_fetched_again_and_its_license_file_is_not_new(
    services: Services, tmp_path: Path
) -> None:
    subjects = await subjects_of(services, LICENSE)
    await saved(services, LICENSE, subjects, tmp_path)
    names = sorted(names_in(tmp_path))
    manifest = next(tmp_path.glob("*-manifest.json"))
    manifest.unlink()
    again = (await saved(services, LICENSE, subjects, tmp_path)).outcomes
    assert not any(outcome.file.is_new for outcome in again if outcome.file)
    assert sorted(names_in(tmp_path)) == names
    assert services.verification.verify_folder(tmp_path).is_good


@pytest.mark.parametrize("force", [False, True])
async def test_a_file_that_was_changed_is_replaced_only_by_force(
    services: Services, tmp_path: Path, force: bool
) -> None:
    subjects = await subjects_of(services, LICENSE)
    first = (await saved(services, LICENSE, subjects, tmp_path)).outcomes
    assert first[0].file is not None
    path = first[0].file.path
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b" ")
    bulk = services.downloads.bulk(LICENSE, subjects, tmp_path, force=force)
    changed, *others = (await bulk.run()).outcomes
    assert not any(outcome.file.is_new for outcome in others if outcome.file)
    if force:
        assert changed.file is not None
        assert changed.file.is_new
        assert path.read_bytes() == whole
        check_sums(tmp_path)
    else:
        assert changed.error is not None
        assert changed.error.code == "file-exists"
        assert path.read_bytes() != whole


async def test_the_checksums_of_all_files_stand_beside_them_and_stay_true(
    services: Services, tmp_path: Path
) -> None:
    instances = await subjects_of(services, LICENSE)
    instance = instances[0]
    assert isinstance(instance, Instance)
    await services.downloads.profile(instance, tmp_path)
    assert CHECKSUMS_NAME not in names_in(tmp_path)
    await saved(services, LICENSE, instances[:3], tmp_path)
    assert check_sums(tmp_path).count("-license.bin: OK") == 3
    assert check_sums(tmp_path).count("-manifest.json: OK") == 3
    await services.downloads.profile(instance, tmp_path)
    await saved(services, CERTIFICATE, await subjects_of(services, CERTIFICATE), tmp_path)
    told = check_sums(tmp_path)
    assert told.count("-profile.xml: OK") == 1
    assert told.count("-certificate.pdf: OK") == 4
    assert len(told.splitlines()) == 11
    listed = [line[66:] for line in (tmp_path / CHECKSUMS_NAME).read_text().splitlines()]
    assert listed == sorted(listed)


async def test_documents_that_a_subject_cannot_have_are_refused(
    services: Services, tmp_path: Path
) -> None:
    inventory = await services.inventory.load()
    key, instance = inventory.keys[0], inventory.instances[0]
    for kind, subject in ((LICENSE, key), (PROFILE, key), (CERTIFICATE, instance)):
        (outcome,) = (await saved(services, kind, [subject], tmp_path)).outcomes
        assert isinstance(outcome.error, UseError)
    with pytest.raises(UseError):
        services.downloads.bulk(DocumentKind.MANIFEST, [], tmp_path)
    with pytest.raises(FileError):
        services.downloads.bulk(LICENSE, [], tmp_path / "missing")


async def test_what_is_being_saved_is_told_however_often_the_run_is_cancelled() -> None:
    has_begun, may_end = threading.Event(), threading.Event()
    told: list[str] = []

    def save() -> str:
        has_begun.set()
        may_end.wait(10)
        return "saved"

    task = asyncio.create_task(to_the_end(save, told.append))
    await asyncio.to_thread(has_begun.wait)
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0)
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told == ["saved"]
