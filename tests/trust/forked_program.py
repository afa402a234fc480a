"""The program in a child of this process, which has imported everything: runs are cheap."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_IMPORTED = ("asyncio", "httpx", "sqlalchemy", "cryptography.hazmat.primitives.kdf.argon2")
_OURS = ("wiring", "cli.main", "api.client", "api.session", "api.transport", "service.sign_in")


@dataclass(frozen=True)
class Left:
    """What a run left: its streams, its exit status, and every file of its home."""

    output: bytes
    notes: bytes
    status: int
    home: Path

    def log(self) -> bytes:
        """Return the log of failures, empty where there is none."""
        log = self.home / ".local/state/tui-licenses/tui-licenses.log"
        return log.read_bytes() if log.exists() else b""

    def files(self, *but: str) -> bytes:
        """Return all names and bytes of files, but not of those in folders of these names."""
        found = [path for path in self.home.rglob("*") if not {*path.parts} & {*but}]
        return b"\n".join(
            os.fsencode(path) + (path.read_bytes() if path.is_file() else b"") for path in found
        )


def import_all() -> None:
    """Import what most runs need, once for all of them."""
    for name in (*_IMPORTED, *(f"tui_licenses.{name}" for name in _OURS)):
        importlib.import_module(name)


def run_program(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    home: Path,
    stdin: str = "",
    prepare: Callable[[], object] = lambda: None,
) -> Left:
    """Run the program to its end in a home; `prepare` is called in the child first."""
    streams = home.with_name(f"{home.name}-streams")
    shutil.rmtree(streams, ignore_errors=True)
    streams.mkdir()
    (streams / "0").write_text(stdin)
    child = os.fork()
    if child == 0:
        try:
            _become(streams, {**environment, "HOME": str(home)})
            _main(arguments, prepare)
        finally:
            os._exit(99)
    _, waited = os.waitpid(child, 0)
    return Left(
        (streams / "1").read_bytes(),
        (streams / "2").read_bytes(),
        os.waitstatus_to_exitcode(waited),
        home,
    )


def _become(streams: Path, environment: Mapping[str, str]) -> None:
    for number, flags in enumerate((os.O_RDONLY, *[os.O_WRONLY | os.O_CREAT] * 2)):
        os.dup2(os.open(streams / f"{number}", flags, 0o600), number)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - for the whole life of the child
    sys.stdout, sys.stderr = (open(number, "w", closefd=False) for number in (1, 2))  # noqa: SIM115
    os.environ.clear()
    os.environ.update(environment)


def _main(arguments: Sequence[str], prepare: Callable[[], object]) -> None:
    """Do what the interpreter does with a program, its way with failures included."""
    from tui_licenses.__main__ import main

    sys.argv = ["tui-licenses", *arguments]
    status = 1
    try:
        prepare()
        main()
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001 - what the interpreter would hand to its hook
        sys.excepthook(*sys.exc_info())
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def naive_main(arguments: Sequence[str]) -> None:
    """Print what a program prints that has no boundaries, and fail: for controls."""
    try:
        raise RuntimeError(f"cannot use {' '.join(arguments)}")
    except RuntimeError:
        traceback.print_exc()
        sys.exit(1)
