"""A secret is shown nowhere by accident, and no error of ours holds one."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from dataclasses import asdict, dataclass

import msgspec
import pytest

from tui_licenses.errors import Detail, FileError
from tui_licenses.secret import REFRESH_TOKEN_VARIABLE, Secret, hold_secrets, redact, secret_from


@dataclass(frozen=True)
class Holder:
    secret: Secret


def test_a_secret_is_masked_wherever_it_is_written() -> None:
    secret = Secret("hunter2hunter2")
    shown = f"{secret} {secret!r} {secret:>20} {secret!s} {Holder(secret)} {asdict(Holder(secret))}"
    assert "hunter2" not in shown + "%s" % secret + repr([secret])  # noqa: UP031
    assert secret.reveal() == "hunter2hunter2"


def test_a_secret_is_neither_pickled_nor_encoded_nor_hashed() -> None:
    secret = Secret("hunter2")
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        msgspec.json.encode(secret)
    with pytest.raises(TypeError):
        hash(secret)
    assert copy.copy(secret) is secret
    assert copy.deepcopy(secret) is secret


def test_secrets_are_the_same_when_their_texts_are() -> None:
    assert Secret("a\ud800") == Secret("a\ud800")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert not Secret("")


def test_an_error_holds_no_secret_that_the_program_holds() -> None:
    secret = Secret("any words at all")
    error = FileError(
        "x",
        f"No {secret.reveal()}.",
        secret.reveal(),
        details=(Detail(secret.reveal(), "x", secret.reveal()),),
    )
    assert "any words" not in f"{error} {error.args} {error.details}"
    del secret
    assert redact("any words at all") == "any words at all"


@pytest.mark.parametrize(
    "token",
    [
        "tlr_short",
        "tla_0Z-_x",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4",
    ],
)
def test_what_looks_like_a_token_is_no_part_of_a_sentence(token: str) -> None:
    assert token not in redact(f"There is no “{token}”, {token}.")


@pytest.mark.parametrize("key", ["ABCD-EF12-GHIJ-KLMN", "abcd-ef12-ghij-klmn", "ABCDEF12GHIJKLMN"])
def test_of_a_license_key_the_last_four_stay(key: str) -> None:
    assert redact(f"There is no “{key}”.") == f"There is no “…{key[-4:]}”."


@pytest.mark.parametrize(
    "sentence",
    [
        "There is no instance 0190f8aa-1111-4222-8333-444455556666.",
        "The digest is " + "ab12" * 16 + ".",
        "Run `chmod 600 /home/anna/.local/share/tui-licenses/credentials/acme.json`.",
        "Press this four time more, with TUI_LICENSES_REFRESH_TOKEN set.",
        "rack-a3-0190f8aa-license.bin already exists.",
    ],
)
def test_ids_digests_and_names_stay_as_they_are(sentence: str) -> None:
    assert redact(sentence) == sentence


def test_a_refresh_token_leaves_the_environment_and_is_still_found() -> None:
    program = (
        "import os, subprocess\n"
        "from tui_licenses.secret import hold_secrets, secret_from\n"
        "hold_secrets(os.environ)\n"
        f"print(secret_from(os.environ, '{REFRESH_TOKEN_VARIABLE}').reveal(), flush=True)\n"
        "subprocess.run(['env'], check=True)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={REFRESH_TOKEN_VARIABLE: "tlr_1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("tlr_1\n")
    assert done.stdout.count("tlr_1") == 1


def test_another_environment_does_not_get_what_was_taken_out_of_one() -> None:
    environment = {REFRESH_TOKEN_VARIABLE: "tlr_1"}
    hold_secrets(environment)
    assert environment == {}
    assert secret_from(environment, REFRESH_TOKEN_VARIABLE) is None
    hold_secrets({})


def test_a_process_with_secrets_leaves_no_core_and_cannot_be_looked_into() -> None:
    program = (
        "import ctypes, resource\n"
        "from tui_licenses.secret import protect_process\n"
        "protect_process()\n"
        "print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    # 3 is PR_GET_DUMPABLE.
    assert done.stdout == "(0, 0) 0\n"
