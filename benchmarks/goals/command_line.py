"""Goal 14: how soon a command has done its work."""

from __future__ import annotations

import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.checks import Check, Figure
from benchmarks.errors import BenchmarkError
from benchmarks.homes import Home, our_command
from benchmarks.interleave import interleave
from benchmarks.laboratory import Laboratory
from benchmarks.session import MILLISECONDS

_BARE_PYTHON = "python -c pass"


def measure_commands(laboratory: Laboratory) -> dict[str, list[float]]:
    """Run each command in turn with a Python that does nothing, on a lab of the usual size."""
    home = laboratory.new_home()
    _run(home, our_command("cloud", "init"))
    license_file = _download_one(home, laboratory.folder("saved"))
    commands = {
        _BARE_PYTHON: (sys.executable, "-c", "pass"),
        "--version": our_command("--version"),
        "--help": our_command("--help"),
        "instances list": our_command("instances", "list", "--limit", "1", "--format", "json"),
        "inspect": our_command("inspect", str(license_file), "--format", "json"),
        "context list": our_command("context", "list", "--format", "json"),
    }
    measures = {name: partial(_run, home, command) for name, command in commands.items()}
    # A command is short: more rounds cost little and say more.
    return interleave(2 * laboratory.runs + 1, measures, warm_ups=1)


def _download_one(home: Home, folder: Path) -> Path:
    _run(home, our_command("download", "license", "--all", "--to", str(folder)))
    return next(folder.glob("*.bin"))


def _run(home: Home, command: tuple[str, ...]) -> float:
    started_at = time.perf_counter()
    done = subprocess.run(command, env=home.environment(), capture_output=True, check=False)
    milliseconds = (time.perf_counter() - started_at) * MILLISECONDS
    if done.returncode:
        raise BenchmarkError(f"`{' '.join(command[1:])}` failed: {done.stderr.decode()}")
    return milliseconds


def command_starts(laboratory: Laboratory) -> list[Check]:
    """Check each command as a multiple of a bare Python."""
    samples = laboratory.once(measure_commands)
    bare = Figure(_BARE_PYTHON, median(samples[_BARE_PYTHON]), "ms")
    limits = {"--version": 4, "--help": 4, "instances list": 45, "inspect": 15, "context list": 15}
    return [
        Check(f"`{name}`", median(samples[name]), "ms", limit, bare, is_ratio=True)
        for name, limit in limits.items()
    ]
