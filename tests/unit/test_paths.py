"""Every file of the program lives in the XDG folders of its user."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tui_licenses import paths
from tui_licenses.errors import FileError


def test_every_place_is_below_the_home_of_the_user(home: Path) -> None:
    places = (
        paths.configuration_file(),
        paths.credentials_file("work"),
        paths.embedded_database_file(),
        paths.trust_folder(),
        paths.state_folder(),
        paths.log_file(),
    )
    assert all(place.is_relative_to(home) for place in places)
    assert len({*places}) == len(places)


def test_looking_for_a_place_creates_nothing(home: Path) -> None:
    paths.configuration_file()
    paths.embedded_cloud_folder()
    assert list(home.iterdir()) == []


def test_a_private_folder_lets_nobody_else_in(tmp_path: Path) -> None:
    folder = paths.private_folder(tmp_path / "a" / "b")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert paths.private_folder(folder) == folder


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileError) as caught:
        paths.private_folder(tmp_path / "file" / "folder")
    assert caught.value.code == "folder-not-writable"
    assert str(tmp_path / "file" / "folder") in caught.value.message


def test_what_cannot_be_looked_at_is_no_folder(tmp_path: Path) -> None:
    assert paths.is_folder(tmp_path)
    assert not paths.is_folder(tmp_path / "missing")
    assert not paths.is_folder(tmp_path / ("a" * 5_000))
    assert not paths.is_folder(Path("a\0b"))
