"""The program as a process: exit statuses, streams, signals, and what is imported."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.cli.conftest import PROGRAM, run_process
from tests.pty.terminal import Terminal
from tui_licenses import __version__
from tui_licenses.cli.main import root

HEAVY = {"textual", "httpx", "sqlalchemy", "lxml", "cryptography", "starlette", "fpdf", "uvicorn"}


def test_without_a_terminal_no_dashboard_opens() -> None:
    for words in ((), ("open", "key/x"), ("--context", "embedded"), ("--mask",)):
        done = run_process(*words)
        assert done.status == 2
        assert "needs a terminal" in done.notes
        assert "keys list" in done.notes
        assert done.output == ""


def test_a_terminal_that_is_too_small_is_refused() -> None:
    with Terminal(PROGRAM, os.environ, columns=59, rows=24) as terminal:
        terminal.wait_for("59x24 cells")
        assert terminal.wait_for_exit() == 2


@pytest.mark.parametrize("words", [("--version",), ("--help",), ("keys", "list", "--help")])
def test_help_and_version_import_nothing_heavy(words: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "tui_licenses", *words],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0
    imported = {line.rpartition("|")[2].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert imported.isdisjoint(HEAVY)


def test_the_version_is_told_in_both_ways() -> None:
    assert run_process("--version").output == f"tui-licenses {__version__}\n"
    assert run_process("--mask", "--version").output == f"tui-licenses {__version__}\n"


def _commands(group: click.Group, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))


def _command(path: tuple[str, ...]) -> click.Command:
    command: click.Command = root
    for name in path:
        assert isinstance(command, click.Group)
        command = command.commands[name]
    return command


@pytest.mark.parametrize("path", [(), *_commands(root, ())], ids=" ".join)
def test_every_command_and_option_explains_itself(path: tuple[str, ...]) -> None:
    command = _command(path)
    context = click.Context(command, info_name="tui-licenses")
    shown = command.get_help(context)
    assert command.help
    for parameter in command.get_params(context):
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.opts
    if isinstance(command, click.Group):
        for name in command.commands:
            assert f"  {name} " in shown


def test_an_error_in_json_is_told_on_both_streams(lab_database: Path) -> None:
    done = run_process("keys", "show", "short", "--format", "json")
    assert done.status == 5
    assert done.envelope()["errors"][0]["code"] == "key-format"
    assert done.notes.startswith("Error: ")


def test_keys_from_a_pipe_are_read(lab_database: Path) -> None:
    done = run_process("activate", "--instance", "London Depot", stdin="nonsense\n")
    assert done.status == 5


def test_a_closed_pipe_is_not_an_error(lab_database: Path) -> None:
    with subprocess.Popen(
        [*PROGRAM, "keys", "list", "--addons", "--format", "json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=30) == 0


def test_names_of_all_scripts_survive_a_plain_terminal(lab_database: Path) -> None:
    done = run_process("instances", "list", PYTHONIOENCODING="ascii:strict", LC_ALL="C")
    assert done.status == 0
    assert "Traceback" not in done.notes


def _served(database: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [*PROGRAM, "cloud", "serve", "--port", "0", "--database", f"sqlite:///{database}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    # Before it there may be a warning, as that of root.
    assert any("http://127.0.0.1:" in line for line in process.stdout)
    return process


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_served_cloud_stops_cleanly_on_a_signal(
    lab_database: Path, number: signal.Signals, status: int
) -> None:
    with _served(lab_database) as process:
        process.send_signal(number)
        output, _ = process.communicate(timeout=20)
    assert process.returncode == status
    assert "Traceback" not in output


def test_on_a_terminal_a_table_is_fitted_and_handles_stay_whole(lab_database: Path) -> None:
    words = (*PROGRAM, "keys", "list", "--query", "flughafen")
    with Terminal(words, os.environ, columns=120, rows=30) as terminal:
        terminal.wait_for("KEY", "…", "master")
        assert terminal.wait_for_exit() == 0
    assert b"\x1b[1m" in terminal.raw


def test_on_a_terminal_downloads_show_their_progress(lab_database: Path, tmp_path: Path) -> None:
    words = (*PROGRAM, "download", "profile", "--all", "--to", str(tmp_path))
    with Terminal(words, os.environ, columns=200, rows=60) as terminal:
        terminal.wait_for("SHA-256")
        assert terminal.wait_for_exit() == 0
    assert b"1 of " in terminal.raw


def test_on_a_terminal_a_profile_is_shown_and_an_error_is_red(lab_database: Path) -> None:
    with Terminal((*PROGRAM, "profile"), os.environ) as terminal:
        assert terminal.wait_for_exit() == 0
    with Terminal((*PROGRAM, "keys", "show", "short"), os.environ) as terminal:
        terminal.wait_for("16 characters")
        assert terminal.wait_for_exit() == 5
    assert b"\x1b[31mError:" in terminal.raw
