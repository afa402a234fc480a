"""A sign-in that is sealed opens with its passphrase, at its address, and in no other way."""

from __future__ import annotations

import msgspec
import pytest

from tui_licenses import paths
from tui_licenses.config import Context
from tui_licenses.credentials import Credentials
from tui_licenses.documents.passphrase import Cost
from tui_licenses.errors import FileError, SignInError, UseError
from tui_licenses.secret import Secret
from tui_licenses.service import sealing
from tui_licenses.service.sealing import Sealed, unseal
from tui_licenses.service.sign_in import load_credentials, save_credentials
from tui_licenses.wiring import change_passphrase, is_sealed

ACME = Context("acme", "https://cloud.example.com")
SIGN_IN = Credentials("subject", Secret("tlr_1234567890"))
PASSPHRASE = Secret("correct horse")
CHEAP = Cost(memory_kib=8, iterations=1, lanes=1)


def seal() -> None:
    save_credentials(ACME, SIGN_IN, PASSPHRASE, CHEAP)


def code_of(context: Context, passphrase: Secret | None) -> str:
    with pytest.raises((SignInError, FileError)) as caught:
        load_credentials(context, passphrase)
    code: str = caught.value.code
    return code


def test_a_sealed_sign_in_does_not_show_its_token_and_opens_with_its_passphrase() -> None:
    seal()
    assert b"tlr_" not in paths.credentials_file("acme").read_bytes()
    assert is_sealed(ACME)
    assert load_credentials(ACME, PASSPHRASE) == SIGN_IN
    assert code_of(ACME, None) == "passphrase-needed"
    assert code_of(ACME, Secret("correct house")) == "passphrase-wrong"


def test_the_same_passphrase_opens_however_a_keyboard_composes_it() -> None:
    save_credentials(ACME, SIGN_IN, Secret("stra\u00dfe \u00e9t\u00e9"), CHEAP)
    assert load_credentials(ACME, Secret("stra\u00dfe e\u0301te\u0301")) == SIGN_IN


def test_a_sealed_sign_in_does_not_open_for_another_address() -> None:
    seal()
    moved = Context("acme", "https://elsewhere.example.com")
    assert code_of(moved, PASSPHRASE) == "passphrase-wrong"


def test_a_sealed_file_that_was_written_by_somebody_else_is_damaged() -> None:
    seal()
    file = paths.credentials_file("acme")
    file.write_bytes(file.read_bytes() + b"\n")
    assert code_of(ACME, PASSPHRASE) == "file-damaged"
    file.write_bytes(b'{"subjectId":"\xff"}')
    assert code_of(ACME, PASSPHRASE) == "file-damaged"


@pytest.mark.parametrize(
    "cost", [(2**18 + 1, 1, 1), (8, 17, 1), (8, 1, 17), (7, 1, 1), (2**18, 5, 1), (8, 0, 1)]
)
def test_costs_that_this_program_never_asks_for_are_refused_before_they_are_paid(
    cost: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> bytes:
        raise AssertionError("the key was made")

    monkeypatch.setattr(sealing, "_key", never)
    sealed = Sealed(*cost, salt=bytes(16), nonce=bytes(12), data=bytes(40))
    with pytest.raises(FileError) as caught:
        unseal(sealed, PASSPHRASE, ())
    assert caught.value.code == "file-damaged"


def test_what_is_written_costs_what_the_standard_recommends() -> None:
    save_credentials(ACME, SIGN_IN, PASSPHRASE)
    kept = msgspec.json.decode(paths.credentials_file("acme").read_bytes())["sealed"]
    assert (kept["memoryKib"], kept["iterations"], kept["lanes"]) == (64 * 1024, 3, 4)
    assert load_credentials(ACME, PASSPHRASE) == SIGN_IN


def test_a_passphrase_is_changed_and_removed() -> None:
    seal()
    change_passphrase(ACME, PASSPHRASE, Secret("battery staple"))
    assert code_of(ACME, PASSPHRASE) == "passphrase-wrong"
    assert load_credentials(ACME, Secret("battery staple")) == SIGN_IN
    change_passphrase(ACME, Secret("battery staple"), None)
    assert not is_sealed(ACME)
    assert load_credentials(ACME) == SIGN_IN


def test_a_short_passphrase_is_refused_and_the_sign_in_stays_as_it_was() -> None:
    seal()
    with pytest.raises(UseError) as caught:
        change_passphrase(ACME, PASSPHRASE, Secret("short"))
    assert caught.value.code == "passphrase-too-short"
    assert load_credentials(ACME, PASSPHRASE) == SIGN_IN
