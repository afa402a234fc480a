"""S10: backups flipped at every byte, cut, spliced and forged; and every case of a restore."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from tests.support.backups import resigned
from tests.support.restores import CASES, PASSPHRASE, Scene, make_template
from tests.trust.harness import Broken, Run, TrustClass
from tui_licenses.cloud.administration import (
    back_up,
    check,
    initialise,
    issue,
    make_account,
    restore,
)
from tui_licenses.cloud.restore import RestoreOptions
from tui_licenses.documents.signing import SigningKey
from tui_licenses.domain.license_key import Feature, KeyKind
from tui_licenses.errors import DocumentError, FileError, StateError, UseError

_REFUSALS = (DocumentError, FileError, StateError, UseError)
_CUTS, _SPLICES, _SAMPLED_FLIPS, _KILLS = 500, 500, 1_500, 60

# Puts a backup in the place of a database, or raises one of `_REFUSALS`.
Restorer = Callable[[Path, Path], None]


def _small_cloud(folder: Path) -> tuple[Path, bytes]:
    """Return a cloud with little in it, and its backup: each byte of that is to be flipped."""
    database = folder / "small" / "cloud.db"
    initialise(database)
    make_account(database, "Acme", "Pro")
    issue(
        database,
        "Acme",
        kind=KeyKind.MASTER,
        product_code="X-1",
        product_name="X",
        features=(Feature("seats", "Seats", 5),),
    )
    backup = folder / "small.backup"
    back_up(database, backup, PASSPHRASE)
    return database, backup.read_bytes()


def _flips(run: Run, sound: bytes, places: Iterator[int] | range) -> Iterator[tuple[str, bytes]]:
    for place in places:
        bit = run.random.randrange(8)
        changed = bytearray(sound)
        changed[place] ^= 1 << bit
        yield f"bit {bit} of byte {place} flipped", bytes(changed)


def _cuts(run: Run, sound: bytes) -> Iterator[tuple[str, bytes]]:
    for _ in range(run.count(_CUTS, 20)):
        length = run.random.randrange(len(sound))
        yield f"cut after {length} bytes", sound[:length]
        more = run.random.randbytes(run.random.randint(1, 40))
        yield f"{more!r} behind it", sound + more


def _splices(run: Run, sound: bytes, other: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield lines left out, doubled, exchanged and taken from another backup; and new ends."""
    lines, others = sound.split(b"\n"), other.split(b"\n")
    for _ in range(run.count(_SPLICES // 5, 4)):
        one, two = run.random.sample(range(1, len(lines) - 1), 2)
        exchanged = list(lines)
        exchanged[one], exchanged[two] = lines[two], lines[one]
        for what, spliced in (
            (f"line {one} left out", lines[:one] + lines[one + 1 :]),
            (f"line {one} twice", [*lines[:one], lines[one], *lines[one:]]),
            (f"lines {one} and {two} exchanged", exchanged),
            (f"line {one} of another", [*lines[:one], others[-2], *lines[one + 1 :]]),
        ):
            yield what, b"\n".join(spliced)
        yield "signed by a stranger", resigned(sound, SigningKey.generate())
    yield "the end of another", b"\n".join([*lines[:-1], others[-1]])


def _state(folder: Path) -> list[tuple[str, int, int, int]]:
    """Return what is in a folder; the lock and log of a reader come and go."""
    return sorted(
        (path.name, (status := path.stat()).st_ino, status.st_size, status.st_mtime_ns)
        for path in folder.iterdir()
        if not path.name.endswith(("-wal", "-shm", ".lock"))
    )


def _refuse_each(
    run: Run, restorer: Restorer, database: Path, broken: Iterator[tuple[str, bytes]]
) -> None:
    backup = run.folder / "broken.backup"
    before = _state(database.parent)
    for what, data in broken:
        backup.write_bytes(data)
        run.disturb()
        with run.case(what, *_REFUSALS):
            restorer(backup, database)
            run.report(Broken.FORGED, what)
        run.expect(_state(database.parent) == before, Broken.CORRUPT, f"{what}: the database")


def _damage(run: Run, restorer: Restorer) -> None:
    database, small = _small_cloud(run.folder)
    template = make_template(run.folder / "template")
    (run.folder / "large").mkdir()
    scene = Scene.make(template, run.folder / "large")
    large = scene.backup.read_bytes()
    places = run.choose(range(len(small)), fast=100)
    _refuse_each(run, restorer, database, _flips(run, small, iter(places)))
    sampled = (run.random.randrange(len(large)) for _ in range(run.count(_SAMPLED_FLIPS, 50)))
    _refuse_each(run, restorer, scene.database, _flips(run, large, sampled))
    _refuse_each(run, restorer, database, _cuts(run, small))
    _refuse_each(run, restorer, database, _splices(run, small, large))


def _run(run: Run) -> None:
    _damage(run, _restore)
    (run.folder / "killed").mkdir()
    _kills(run)
    for number, (name, case) in enumerate(run.choose(list(CASES.items()), fast=6)):
        folder = run.folder / f"case-{number}"
        folder.mkdir()
        scene = Scene.make(run.folder / "template" / "cloud.db", folder)
        run.disturb()
        with run.case(name):
            try:
                case(scene)
            except AssertionError as error:
                run.report(Broken.OTHER, f"{name}: {error}")
        shutil.rmtree(folder)


def _kills(run: Run) -> None:
    """Kill a restore at any moment: the database is the old one or the new one, and sound."""
    scene = Scene.make(run.folder / "template" / "cloud.db", run.folder / "killed")
    # The first one also imports what it needs.
    scene.restore()
    started = time.monotonic()
    scene.restore(discard_newer=True)
    duration = time.monotonic() - started
    for number in range(run.count(_KILLS, 3)):
        back_up(scene.database, run.folder / f"killed-{number}", PASSPHRASE)
        scene.backup = run.folder / f"killed-{number}"
        wait = run.random.uniform(0, duration)
        if not _killed(scene, wait):
            continue
        run.disturb()
        with run.case(f"killed after {wait:.4f} s"):
            run.expect(check(scene.database) == (), Broken.CORRUPT, f"killed after {wait:.4f} s")
            scene.restore()
            left = [path.name for path in scene.database.parent.glob(".*")]
            run.expect(not left, Broken.OTHER, f"{left} after a kill and a restore")


def _killed(scene: Scene, wait: float) -> bool:
    """Restore in a process that is killed; say whether it was before its end."""
    child = os.fork()
    if child == 0:
        try:
            scene.restore()
        finally:
            os._exit(0)
    time.sleep(wait)
    os.kill(child, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def _restore(backup: Path, database: Path) -> None:
    restore(database, backup, RestoreOptions())


def _take_what_can_be_read(backup: Path, _database: Path) -> None:
    """Take a backup whose lines can be read, as one without a digest has to."""
    try:
        for line in backup.read_bytes().splitlines():
            msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DocumentError("damaged", "A line cannot be read.") from error


CLASS = TrustClass(
    "S10",
    "backups flipped at every byte, cut and forged; restores",
    5_000,
    _run,
    lambda run: _damage(run, _take_what_can_be_read),
)
