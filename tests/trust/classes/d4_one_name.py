"""D4: many processes save under one name at the same moment; one wins, the others are told."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from tests.support.folders import names_in
from tests.trust.harness import Broken, Run, TrustClass
from tui_licenses.errors import FileError
from tui_licenses.files import write_private

_PROCESSES, _ROUNDS, _FAST_ROUNDS = 50, 20, 4
_WON, _TOLD, _CRASHED = 0, 10, 1
_NAME = "berlin-license.bin"

Save = Callable[[Path, bytes], None]


def _be_a_writer(save: Save, file: Path, data: bytes, gate: int) -> NoReturn:
    code = _CRASHED
    try:
        # Until the parent closes it, for all at once.
        os.read(gate, 1)
        save(file, data)
        code = _WON
    except FileError as error:
        code = _TOLD if error.code == "file-exists" else _CRASHED
    finally:
        os._exit(code)


def _contend(run: Run, save: Save) -> None:
    for number in range(run.count(_ROUNDS, _FAST_ROUNDS)):
        folder = run.folder / f"round-{number}"
        folder.mkdir()
        gate, opened = os.pipe()
        children = []
        for index in range(_PROCESSES):
            child = os.fork()
            if child == 0:
                os.close(opened)
                _be_a_writer(save, folder / _NAME, b"%d" % index * 1000, gate)
            children.append(child)
        os.close(gate)
        os.close(opened)
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        # One of them is to win, as it would alone.
        run.disturb(_PROCESSES - 1)
        _look(run, f"round {number}", folder, codes)


def _look(run: Run, case: str, folder: Path, codes: list[int]) -> None:
    winners = [index for index, code in enumerate(codes) if code == _WON]
    run.expect(len(winners) == 1, Broken.LOST, f"{case}: {len(winners)} were told it is saved")
    others = [code for code in codes if code not in {_WON, _TOLD}]
    run.expect(not others, Broken.UNHANDLED, f"{case}: processes ended with {others}")
    names = names_in(folder)
    run.expect(names == [_NAME], Broken.OTHER, f"{case}: there is {names}")
    found = (folder / _NAME).read_bytes()
    is_winner = any(found == b"%d" % index * 1000 for index in winners)
    run.expect(is_winner, Broken.CORRUPT, f"{case}: the file is not the winner's")


def _save(file: Path, data: bytes) -> None:
    write_private(file, data, replace=False)


def _save_naively(file: Path, data: bytes) -> None:
    if not file.exists():
        time.sleep(0.01)
        file.write_bytes(data)


def _run(run: Run) -> None:
    _contend(run, _save)


def _control(run: Run) -> None:
    _contend(run, _save_naively)


CLASS = TrustClass("D4", "one name, many processes at once", 980, _run, _control)
