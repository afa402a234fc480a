"""A sign-in in the keyring of the desktop; what fails there is the class C5 of the trust tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.folders import names_in
from tui_licenses import paths
from tui_licenses.config import Context
from tui_licenses.credentials import Credentials
from tui_licenses.errors import FileError, SignInError
from tui_licenses.secret import Secret
from tui_licenses.service.sign_in import (
    Keeping,
    forget_credentials,
    keeping_of,
    load_credentials,
    save_credentials,
    save_in_keyring,
)

ACME = Context("acme", "https://cloud.example.com")
SIGN_IN = Credentials("subject", Secret("tlr_1234567890"))


@pytest.fixture
def keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a keyring that works; its secrets are files of this folder."""
    folder = tmp_path / "keyring"
    folder.mkdir()
    monkeypatch.setenv("KEYRING_FOLDER", str(folder))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "tests.support.keyrings.Working")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    return folder


def test_the_keyring_holds_the_token_and_the_file_does_not(keyring: Path) -> None:
    save_in_keyring(ACME, SIGN_IN)
    assert b"tlr_" not in paths.credentials_file("acme").read_bytes()
    assert keeping_of(ACME) is Keeping.KEYRING
    assert load_credentials(ACME) == SIGN_IN
    forget_credentials("acme")
    assert names_in(keyring) == []
    with pytest.raises(SignInError):
        load_credentials(ACME)


def test_a_sign_in_that_moves_to_a_file_leaves_nothing_in_the_keyring(keyring: Path) -> None:
    save_in_keyring(ACME, SIGN_IN)
    save_credentials(ACME, SIGN_IN)
    assert names_in(keyring) == []
    assert load_credentials(ACME) == SIGN_IN


def test_a_sign_in_in_the_keyring_outlives_a_save_that_fails(keyring: Path) -> None:
    save_in_keyring(ACME, SIGN_IN)
    folder = paths.credentials_file("acme").parent
    other = Credentials("other", Secret("tlr_0987654321"))
    # Anybody may change that folder: nothing is saved there.
    folder.chmod(0o777)
    try:
        with pytest.raises(FileError):
            save_credentials(ACME, other)
    finally:
        folder.chmod(0o700)
    assert load_credentials(ACME) == SIGN_IN


def test_a_keyring_that_has_lost_the_token_is_told(keyring: Path) -> None:
    save_in_keyring(ACME, SIGN_IN)
    for file in keyring.iterdir():
        file.unlink()
    with pytest.raises(FileError) as caught:
        load_credentials(ACME)
    assert caught.value.code == "keyring-unavailable"
    forget_credentials("acme")


def test_a_keyring_that_gives_back_something_else_is_not_trusted(
    keyring: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    with pytest.raises(FileError) as caught:
        save_in_keyring(ACME, SIGN_IN)
    assert caught.value.code == "keyring-unavailable"
    assert not paths.credentials_file("acme").exists()
