"""A backup is restored whole, over nothing newer, by nobody but its own cloud; or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.restores import CASES, PASSPHRASE, Case, Scene, make_template
from tui_licenses.cloud.administration import back_up, check
from tui_licenses.errors import FileError, UseError


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seed the cloud that every test backs up."""
    return make_template(tmp_path_factory.mktemp("seeded"))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_restore(case: Case, seeded: Path, tmp_path: Path) -> None:
    case(Scene.make(seeded, tmp_path))


def test_a_backup_is_private_and_never_replaces_a_file(seeded: Path, tmp_path: Path) -> None:
    scene = Scene.make(seeded, tmp_path)
    assert scene.backup.stat().st_mode & 0o777 == 0o600
    before = scene.backup.read_bytes()
    with pytest.raises(FileError) as refused:
        back_up(scene.database, scene.backup)
    assert refused.value.code == "file-exists"
    assert scene.backup.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []
    assert check(scene.database) == ()


def test_no_key_is_in_a_backup_that_anybody_could_read(seeded: Path, tmp_path: Path) -> None:
    scene = Scene.make(seeded, tmp_path)
    back_up(scene.database, tmp_path / "without")
    for backup in (scene.backup, tmp_path / "without"):
        content = backup.read_bytes()
        for key in scene.database.parent.glob("*.key"):
            assert key.read_bytes() not in content
    assert b'{"keys":' not in (tmp_path / "without").read_bytes()


def test_a_short_passphrase_is_refused(seeded: Path, tmp_path: Path) -> None:
    scene = Scene.make(seeded, tmp_path)
    with pytest.raises(UseError) as refused:
        back_up(scene.database, tmp_path / "other", PASSPHRASE[:11])
    assert refused.value.code == "passphrase-too-short"
    assert not (tmp_path / "other").exists()


def test_keys_that_are_not_in_a_backup_are_not_found(seeded: Path, tmp_path: Path) -> None:
    scene = Scene.make(seeded, tmp_path)
    scene.backup = tmp_path / "without"
    back_up(scene.database, scene.backup)
    with pytest.raises(UseError) as refused:
        scene.restore(with_keys=True)
    assert refused.value.code == "keys-not-in-backup"
