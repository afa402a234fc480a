"""Signing in, contexts, and what a cloud refuses: by plan, by token, by network."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.cli.conftest import Program
from tests.conftest import ServedCloud
from tests.support.folders import names_in
from tui_licenses import paths
from tui_licenses.cloud.embedded import EmbeddedCredentials, embedded_credentials
from tui_licenses.domain.account import Role


def _typed(cloud: ServedCloud, role: Role = Role.ADMINISTRATOR) -> str:
    return "\n".join(cloud.sign_ins[role]) + "\n"


def _use(monkeypatch: pytest.MonkeyPatch, **environment: str) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def _credentials(plan: str) -> EmbeddedCredentials:
    found = embedded_credentials(paths.embedded_database_file())
    return next(entry for entry in found if entry.plan == plan)


@pytest.fixture
def free_port() -> int:
    """Return a port of this host on which nothing answers."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


def test_without_any_context_it_is_the_embedded_lab_cloud(program: Program) -> None:
    user = program.data("whoami")
    assert (user["context"], user["account"]["plan"]) == ("embedded", "Enterprise")
    (context,) = program.items("context", "list")
    assert context["current"] is True
    assert "embedded lab cloud" in program("context", "show").output
    program.refusal("logout", status=2)


def test_a_context_is_made_by_login_and_used_shown_and_removed(
    blank_program: Program, served_cloud: ServedCloud
) -> None:
    login = ("login", "--url", served_cloud.url, "--token-stdin")
    signed_in = blank_program.data(*login, "--name", "work", stdin=_typed(served_cloud))
    assert signed_in["context"] == "work"
    assert "Account" in blank_program(*login, "--name", "other", stdin=_typed(served_cloud)).output
    assert "work" in blank_program("context", "use", "work").output
    listed = {one["name"]: one for one in blank_program.items("context", "list")}
    assert [name for name, one in listed.items() if one["current"]] == ["work"]
    assert listed["work"]["url"] == served_cloud.url
    assert blank_program.data("context", "show", "other")["current"] is False
    assert blank_program.data("whoami", "--context", "other")["context"] == "other"
    (paths.private_folder(paths.journal_folder("other")) / "left.change").touch(0o600)
    signed_out = blank_program("logout", "--context", "other")
    assert "other" in signed_out.output
    assert "sign in again to learn what became of it" in signed_out.notes
    error = blank_program.refusal("whoami", "--context", "other", status=3)
    assert error["code"] == "token-missing"
    assert "Removed" in blank_program("context", "remove", "work").output
    assert blank_program.data("context", "show")["name"] == "embedded"
    assert blank_program.refusal("context", "use", "work", status=2)["code"] == "context-unknown"


def test_a_refresh_token_is_never_written_to_a_stream(
    blank_program: Program, served_cloud: ServedCloud
) -> None:
    token = served_cloud.sign_ins[Role.ADMINISTRATOR][1]
    done = blank_program(
        "login", "--url", served_cloud.url, "--token-stdin", stdin=_typed(served_cloud)
    )
    assert token not in done.output + done.notes


def test_the_sign_in_may_come_from_the_environment(
    blank_program: Program, served_cloud: ServedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    _use(monkeypatch, **served_cloud.environment(Role.READER))
    assert blank_program.data("whoami")["role"] == "reader"
    key = blank_program.keys("master", "active")[0]
    words = ("keys", "release", key["id"], "--reason", "x", "--cascade")
    assert blank_program.refusal(*words, status=6)["code"] == "role-insufficient"
    saved = blank_program.data("login", "--url", served_cloud.url, "--name", "kept")
    assert saved["context"] == "kept"


def test_only_the_token_is_read_where_the_environment_names_the_subject(
    blank_program: Program, served_cloud: ServedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject_id, token = served_cloud.sign_ins[Role.OPERATOR]
    _use(monkeypatch, TUI_LICENSES_SUBJECT_ID=subject_id)
    words = ("login", "--url", served_cloud.url, "--name", "half", "--token-stdin")
    assert blank_program.data(*words, stdin=f"{token}\n")["role"] == "operator"


def test_a_wrong_token_keeps_nothing(
    blank_program: Program, served_cloud: ServedCloud, home: Path
) -> None:
    subject_id, token = served_cloud.sign_ins[Role.ADMINISTRATOR]
    words = ("login", "--url", served_cloud.url, "--token-stdin")
    error = blank_program.refusal(*words, status=3, stdin=f"{subject_id}\n{token}x\n")
    assert error["code"] == "invalid-refresh-token"
    assert not paths.configuration_file().exists()
    assert not [path for path in home.rglob("*") if path.is_file() and path.suffix != ".log"]


@pytest.mark.parametrize("typed", ["", "only one line\n", "1\n2\n3\n"])
def test_a_sign_in_of_other_than_two_lines_is_refused(blank_program: Program, typed: str) -> None:
    words = ("login", "--url", "http://127.0.0.1:1", "--token-stdin")
    assert blank_program.refusal(*words, status=2, stdin=typed)["code"] == "invalid-request"


def test_without_a_terminal_nobody_is_asked_for_a_token(blank_program: Program) -> None:
    error = blank_program.refusal("login", "--url", "http://127.0.0.1:1", status=2)
    assert error["code"] == "no-terminal"
    assert "--token-stdin" in error["nextStep"]


@pytest.mark.parametrize(
    ("url", "code"), [("http://cloud.example.com", "insecure-url"), ("nonsense", "url-invalid")]
)
def test_an_address_that_cannot_be_is_refused(blank_program: Program, url: str, code: str) -> None:
    assert blank_program.refusal("login", "--url", url, status=2)["code"] == code


def test_where_nothing_answers_it_is_a_network_fault_and_no_bad_key(
    blank_program: Program, free_port: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _use(
        monkeypatch,
        TUI_LICENSES_URL=f"http://127.0.0.1:{free_port}",
        TUI_LICENSES_SUBJECT_ID="somebody",
        TUI_LICENSES_REFRESH_TOKEN="something",
    )
    folder = tmp_path / "saved"
    for words in (
        ("whoami",),
        ("keys", "list"),
        ("keys", "lookup", "ABCDEFGHIJKLMNOP"),
        ("download", "license", "--all", "--to", str(folder)),
    ):
        assert blank_program.refusal(*words, status=7)["code"] == "connection-refused"
    assert not folder.exists()


def test_half_a_sign_in_in_the_environment_is_refused(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUI_LICENSES_SUBJECT_ID", "somebody")
    assert program.refusal("keys", "list", status=2)["code"] == "invalid-request"


@pytest.fixture
def ineligible(program: Program, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Give the program, signed in to an account whose plan has no Licenses tab."""
    entry = _credentials("OmniD")
    _use(
        monkeypatch,
        TUI_LICENSES_SUBJECT_ID=entry.subject_id,
        TUI_LICENSES_REFRESH_TOKEN=entry.refresh_token,
    )
    return program


@pytest.mark.parametrize(
    "words",
    [
        ("keys", "list"),
        ("instances", "list"),
        ("keys", "lookup", "ABCDEFGHIJKLMNOP"),
        ("instances", "show", "00000000-0000-4000-8000-000000000000"),
        ("events", "list"),
        ("download", "license", "--all", "--to", "saved"),
    ],
    ids=" ".join,
)
def test_a_plan_without_licenses_is_told_whom_to_ask(
    ineligible: Program, words: tuple[str, ...]
) -> None:
    error = ineligible.refusal(*words, status=6)
    assert error["code"] == "plan-not-eligible"
    assert "contact" in error["nextStep"] or "@" in error["nextStep"]
    assert names_in(Path.cwd()) == []


def test_with_another_plan_the_account_is_shown_and_the_reason(ineligible: Program) -> None:
    envelope = ineligible("whoami", "--format", "json").envelope()
    assert envelope["data"]["account"]["licensesTab"]["available"] is False
    assert envelope["warnings"]
    assert "Warning" in ineligible("whoami").notes


def test_a_key_of_another_account_is_not_told_from_an_unknown_one(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = program.keys("master", "active")[0]
    entry = _credentials("ProPlus")
    _use(
        monkeypatch,
        TUI_LICENSES_SUBJECT_ID=entry.subject_id,
        TUI_LICENSES_REFRESH_TOKEN=entry.refresh_token,
    )
    assert program.refusal("keys", "show", foreign["id"], status=4)["code"] == "key-not-found"
    error = program.refusal("keys", "show", foreign["key"], status=6)
    assert error["code"] == "key-not-in-account"


def test_a_broken_configuration_is_named_with_its_line(program: Program) -> None:
    file = paths.configuration_file()
    file.parent.mkdir(parents=True)
    file.write_text("[settings]\nmask_keys = 3\n", encoding="utf-8")
    error = program.refusal("keys", "list", status=2)
    assert error["code"] == "configuration-invalid"
    assert "Line 2" in error["message"]


def test_a_second_cloud_on_the_same_host_needs_a_name(
    blank_program: Program, served_cloud: ServedCloud
) -> None:
    words = ("login", "--url", served_cloud.url, "--token-stdin")
    blank_program(*words, stdin=_typed(served_cloud))
    elsewhere = ("login", "--url", "http://127.0.0.1:1", "--token-stdin")
    error = blank_program.refusal(*elsewhere, status=2, stdin=_typed(served_cloud))
    assert error["code"] == "context-exists"
