"""Sealing the sign-in from the command line: prompts, pipes, files, and what happens without."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.conftest import PROGRAM, run_process
from tests.conftest import ServedCloud
from tests.pty.terminal import Terminal
from tui_licenses import paths
from tui_licenses.config import load_configuration
from tui_licenses.domain.account import Role
from tui_licenses.wiring import is_sealed

PASSPHRASE = "correct horse"
COLUMNS = 120


def sign_in(cloud: ServedCloud, *options: str, more: str = "", **environment: str) -> None:
    subject_id, token = cloud.sign_ins[Role.READER]
    lines = f"{subject_id}\n{token}\n{more}"
    options = ("login", "--url", cloud.url, "--name", "acme", "--token-stdin", *options)
    done = run_process(*options, stdin=lines, **environment)
    assert done.status == 0, done.notes
    assert token not in done.output + done.notes


def sealed() -> bool:
    (context,) = load_configuration().contexts
    return is_sealed(context)


def forget_access() -> None:
    paths.access_token_file("acme").unlink()


@pytest.fixture
def passphrase_file(tmp_path: Path) -> str:
    file = tmp_path / "passphrase"
    file.touch(mode=0o600)
    file.write_text(f"{PASSPHRASE}\n", encoding="utf-8")
    return str(file)


def test_a_sealed_sign_in_is_opened_by_a_file_and_told_about_without_one(
    served_cloud: ServedCloud, passphrase_file: str
) -> None:
    sign_in(served_cloud, "--passphrase-stdin", more=PASSPHRASE)
    assert sealed()
    refused = run_process("whoami")
    assert refused.status == 3
    assert "TUI_LICENSES_PASSPHRASE_FILE" in refused.notes
    variable = {"TUI_LICENSES_PASSPHRASE_FILE": passphrase_file}
    assert run_process("whoami", **variable).status == 0
    # The access token is shared: nobody is asked while it lasts.
    assert run_process("whoami").status == 0
    forget_access()
    through = {"TUI_LICENSES_PASSPHRASE_FILE": "/dev/fd/0"}
    assert run_process("whoami", stdin=PASSPHRASE, **through).status == 0


def test_a_passphrase_file_that_others_can_read_is_refused(
    served_cloud: ServedCloud, passphrase_file: str
) -> None:
    variable = {"TUI_LICENSES_PASSPHRASE_FILE": passphrase_file}
    sign_in(served_cloud, "--encrypt", **variable)
    Path(passphrase_file).chmod(0o644)
    refused = run_process("whoami", **variable)
    assert refused.status == 10
    assert f"chmod 600 {passphrase_file}" in refused.notes
    assert PASSPHRASE not in refused.notes


def test_a_terminal_asks_for_the_passphrase_and_shows_nothing_of_it(
    served_cloud: ServedCloud,
) -> None:
    sign_in(served_cloud, "--passphrase-stdin", more=PASSPHRASE)
    with Terminal([*PROGRAM, "whoami"], os.environ, columns=COLUMNS) as terminal:
        terminal.wait_for("Passphrase:")
        terminal.type(PASSPHRASE)
        terminal.press("enter")
        terminal.wait_for("Context")
        assert terminal.wait_for_exit() == 0
        assert PASSPHRASE.encode() not in terminal.raw


def test_a_passphrase_is_set_changed_and_removed(served_cloud: ServedCloud) -> None:
    sign_in(served_cloud)
    assert not sealed()
    way = ("--passphrase-stdin", "--format", "json")
    first = run_process("passphrase", "set", *way, stdin=PASSPHRASE)
    assert first.envelope()["data"] == {"context": "acme", "sealed": True}
    changed = run_process("passphrase", "set", *way, stdin=f"{PASSPHRASE}\nbattery staple\n")
    assert changed.status == 0
    wrong = run_process("passphrase", "remove", *way, stdin=PASSPHRASE)
    assert wrong.status == 3
    assert wrong.envelope()["errors"][0]["code"] == "passphrase-wrong"
    assert sealed()
    removed = run_process("passphrase", "remove", *way, stdin="battery staple")
    assert removed.envelope()["data"] == {"context": "acme", "sealed": False}
    assert run_process("passphrase", "remove", *way, stdin="x").status == 2
    assert run_process("whoami").status == 0


@pytest.mark.parametrize(
    ("arguments", "stdin", "code"),
    [
        (("passphrase", "set", "--passphrase-stdin"), "", "invalid-request"),
        (("passphrase", "set", "--passphrase-stdin"), "short", "passphrase-too-short"),
        (("passphrase", "set"), "", "no-terminal"),
        (("login", "--url", "https://a.example", "--encrypt", "--keyring"), "", "invalid-request"),
        (("login", "--url", "https://a.example", "--passphrase-stdin"), "", "invalid-request"),
    ],
)
def test_what_cannot_be_sealed_is_told(
    arguments: tuple[str, ...], stdin: str, code: str, served_cloud: ServedCloud
) -> None:
    sign_in(served_cloud)
    done = run_process(*arguments, "--format", "json", stdin=stdin)
    assert done.envelope()["errors"][0]["code"] == code
    assert not sealed()


def test_a_sign_out_takes_the_access_token_along(served_cloud: ServedCloud) -> None:
    sign_in(served_cloud)
    assert run_process("whoami").status == 0
    assert paths.access_token_file("acme").exists()
    assert run_process("logout").status == 0
    assert not paths.access_token_file("acme").exists()
    assert run_process("whoami").status == 3


def test_a_refresh_token_may_be_a_credential_of_the_service_manager(
    served_cloud: ServedCloud, tmp_path: Path
) -> None:
    environment = served_cloud.environment(Role.READER)
    credential = tmp_path / "tui-licenses-refresh-token"
    credential.touch(mode=0o600)
    credential.write_text(environment.pop("TUI_LICENSES_REFRESH_TOKEN"), encoding="utf-8")
    credential.chmod(0o400)
    done = run_process("whoami", **environment, CREDENTIALS_DIRECTORY=str(tmp_path))
    assert done.status == 0, done.notes
