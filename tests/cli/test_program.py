"""The program as a process: what it imports, what it tells, and how it ends."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tui_licenses import __version__, paths
from tui_licenses.__main__ import DashboardRequest, dashboard_request, open_dashboard
from tui_licenses.__main__ import run as run_program

PROGRAM = (sys.executable, "-m", "tui_licenses")
HEAVY = {"fpdf", "lxml", "cryptography", "sqlalchemy", "starlette", "httpx", "alembic", "uvicorn"}


def _start(
    *arguments: str, stdin: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*PROGRAM, *arguments],
        env={**os.environ, **environment},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "Traceback" not in done.stderr
    return done


def _failure(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    document = json.loads(done.stdout)
    assert document["schemaVersion"] == 1
    assert (document["result"], document["data"]) == ("failure", None)
    error: dict[str, str] = document["errors"][0]
    assert error["message"] in done.stderr
    assert error["nextStep"] in done.stderr
    return error


def test_the_version_is_told_without_importing_anything_for_it() -> None:
    done = _start("--version")
    assert (done.returncode, done.stdout) == (0, f"tui-licenses {__version__}\n")
    assert _modules_after("--version").isdisjoint(HEAVY | {"click", "textual", "msgspec"})
    assert _start("--version", "--no-color").stdout == done.stdout


@pytest.mark.parametrize("words", [("--help",), ("keys", "list", "--help"), ("cloud", "--help")])
def test_help_imports_nothing_heavy(words: tuple[str, ...]) -> None:
    done = _start(*words)
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: tui-licenses")
    assert _modules_after(*words).isdisjoint(HEAVY | {"textual", "rich", "pycountry", "psutil"})


def _modules_after(*arguments: str) -> set[str]:
    program = (
        "import sys\nfrom tui_licenses.__main__ import run\n"
        f"run({list(arguments)!r})\nprint('\\n'.join(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    return {name.split(".")[0] for name in done.stderr.split()}


@pytest.mark.parametrize("words", [(), ("open", "key/1"), ("--context", "lab"), ("--mask",)])
def test_without_a_terminal_the_dashboard_names_the_command_to_use(words: tuple[str, ...]) -> None:
    done = _start(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "tui-licenses keys list" in done.stderr


def test_a_missing_terminal_is_told_in_json_too() -> None:
    done = _start("--format", "json")
    assert (done.returncode, _failure(done)["code"]) == (2, "no-terminal")


def test_the_dashboard_is_recognised_without_the_command_line() -> None:
    assert dashboard_request([]) == DashboardRequest()
    assert dashboard_request(["--context", "lab"]) == DashboardRequest("lab")
    assert dashboard_request(["open", "key/1"]) == DashboardRequest(None, "key/1")
    assert dashboard_request(["open", "key/1", "--context", "lab"]) == DashboardRequest(
        "lab", "key/1"
    )
    for words in (
        ["open"],
        ["open", "--help"],
        ["keys"],
        ["--context"],
        ["open", "a", "open", "b"],
    ):
        assert dashboard_request(words) is None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("keys", "list", "--frobnicate"), "No such option"),
        (("frobnicate",), "No such command"),
        (("keys",), "`tui-licenses keys` is followed by one of: list, lookup, release, show."),
        (("keys", "show"), "Missing argument"),
        (("instances", "list", "--limit", "many"), "not a valid integer"),
        (("cloud", "tokens", "--mask"), "is followed by one of: list, make, revoke."),
        (("keys", "list", "--format", "xml"), "is not one of"),
    ],
)
def test_a_usage_error_is_an_error_of_ours(words: tuple[str, ...], message: str) -> None:
    done = _start("--format", "json", *words)
    error = _failure(done)
    assert (done.returncode, error["code"]) == (2, "invalid-request")
    assert message in error["message"]
    assert "--help`." in error["nextStep"]


@pytest.mark.parametrize("words", [("--format=json", "whoami"), ("whoami", "--format", "json")])
def test_global_options_stand_before_and_after_the_command(
    words: tuple[str, ...], lab_database: Path
) -> None:
    assert lab_database.exists()
    done = _start(*words)
    assert done.returncode == 0
    assert json.loads(done.stdout)["data"]["role"] == "administrator"
    from_environment = _start("whoami", TUI_LICENSES_FORMAT="json")
    assert from_environment.stdout == done.stdout
    assert _start("whoami", "--format", "table", TUI_LICENSES_FORMAT="json").stdout[0] == "A"


def test_a_format_in_the_environment_that_does_not_exist_is_refused() -> None:
    done = _start("keys", "list", TUI_LICENSES_FORMAT="yaml")
    assert done.returncode == 2
    assert "TUI_LICENSES_FORMAT names no format: “yaml”." in done.stderr


def _closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@pytest.mark.parametrize(
    "words", [("keys", "list"), ("download", "license", "--all", "--to", "saved"), ("whoami",)]
)
def test_without_a_network_nothing_is_changed_and_no_key_is_blamed(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sign_in = {"TUI_LICENSES_SUBJECT_ID": "somebody", "TUI_LICENSES_REFRESH_TOKEN": "secret"}
    url = f"http://127.0.0.1:{_closed_port()}"
    done = _start(*words, "--format", "json", TUI_LICENSES_URL=url, **sign_in)
    assert (done.returncode, _failure(done)["code"]) == (7, "connection-refused")
    assert list(tmp_path.iterdir()) == []
    assert "secret" not in done.stdout + done.stderr


def test_a_closed_pipe_is_not_an_error(lab_database: Path) -> None:
    assert lab_database.exists()
    for words in ("whoami", "keys list --addons --format json"):
        with subprocess.Popen(
            [*PROGRAM, *words.split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            process.stdout.close()
            assert process.stderr is not None
            assert process.stderr.read() == b""
            assert process.wait(timeout=60) == 0


def test_an_interrupted_command_ends_with_130_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("TUI_LICENSES_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setenv("TUI_LICENSES_SUBJECT_ID", "somebody")
        monkeypatch.setenv("TUI_LICENSES_REFRESH_TOKEN", "secret")
        words = ("download", "license", "--all", "--to", "saved", "--format", "json")
        with subprocess.Popen(
            [*PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            connection, _ = silent.accept()
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=30)
            connection.close()
    assert process.returncode == 130
    assert json.loads(output)["errors"][0]["code"] == "interrupted"
    assert errors.startswith("Error: Interrupted.")
    assert list(tmp_path.iterdir()) == []


class _BrokenOutput(io.StringIO):
    """A standard output whose reader is gone."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor

    def flush(self) -> None:
        raise BrokenPipeError


def test_a_pipe_that_closes_at_the_end_is_not_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with (tmp_path / "output").open("w") as file:
        monkeypatch.setattr(sys, "stdout", _BrokenOutput(file.fileno()))
        assert run_program(["--version"]) == 0


def test_an_interruption_outside_of_commands_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tui_licenses.__main__.check_terminal", interrupted)
    assert run_program([]) == 130


def test_a_bug_is_told_in_a_sentence_and_logged_without_secrets(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise ZeroDivisionError("ABCDEFGH12345678")

    monkeypatch.setattr("tui_licenses.__main__.check_terminal", fail)
    assert run_program(["--mask", "--format", "json"]) == 1
    output, errors = capsys.readouterr()
    error = json.loads(output)["errors"][0]
    assert error["code"] == "unexpected"
    assert str(paths.log_file()) in error["nextStep"]
    assert "ABCDEFGH12345678" not in errors + output + paths.log_file().read_text()
    assert "ZeroDivisionError" in paths.log_file().read_text()
    assert paths.log_file().stat().st_mode & 0o777 == 0o600


def test_a_bug_that_cannot_be_logged_is_told_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    (home / ".local").mkdir()
    (home / ".local" / "state").write_text("in the way")
    monkeypatch.setattr("tui_licenses.__main__.check_terminal", fail)
    monkeypatch.delitem(sys.modules, "tui_licenses.cli.main", raising=False)
    assert run_program([]) == 1
    output, errors = capsys.readouterr()
    assert output == ""
    assert errors.splitlines()[1:] == ["It could not be logged."]


def test_a_home_that_cannot_be_written_is_told_in_a_sentence() -> None:
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        done = _start("login", "--url", "http://127.0.0.1:9", **{name: "/dev/null/here"})
        assert done.returncode in {2, 7}
    done = _start("keys", "list", "--format", "json", XDG_DATA_HOME="/dev/null/here")
    assert (done.returncode, _failure(done)["code"]) == (10, "folder-not-writable")


def test_a_broken_configuration_is_told_with_its_line() -> None:
    paths.private_folder(paths.configuration_file().parent)
    paths.configuration_file().write_text("[settings]\nmask_keys = 7\n")
    done = _start("keys", "list", "--format", "json")
    assert (done.returncode, _failure(done)["code"]) == (2, "configuration-invalid")
    assert "Line 2" in done.stderr


def test_the_dashboard_opens_only_at_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui_licenses.__main__.check_terminal", lambda: None)
    assert run_program(["open", "somewhere"]) == 2
    assert run_program(["--mask", "open", "somewhere"]) == 2
    assert callable(open_dashboard)
