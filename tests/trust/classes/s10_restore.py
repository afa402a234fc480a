"""S10: backups flipped at every byte, cut, spliced and forged; and every case of a restore."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import mkdtemp

import msgspec

from tests.cloud.lab import Database
from tests.support.backed_up import PASSPHRASE, Scene, kept_state
from tests.support.backups import resigned
from tests.support.restores import CASES, FILE_CASES, HONEST_CASES
from tests.trust.harness import Broken, Run, TrustClass
from tests.trust.restored_clouds import Clouds, clouds_of_each_kind
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
_CUTS, _SPLICES, _SAMPLED_FLIPS, _SERVER_FLIPS, _KILLS = 500, 500, 1_500, 100, 60
_PATIENCE_SECONDS = 20

# Puts a backup in the place of a database, or raises one of `_REFUSALS`.
Restorer = Callable[[Path, Database], None]


def _small_cloud(database: Database, folder: Path) -> Scene:
    """Make a cloud with little in it, and its backup: each byte of that is to be flipped."""
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
    scene = Scene(folder, database, Path(mkdtemp(dir=folder)) / "small.backup")
    back_up(database, scene.backup, PASSPHRASE)
    return scene


def _flips(run: Run, sound: bytes, places: Sequence[int]) -> Iterator[tuple[str, bytes]]:
    for place in places:
        bit = run.random.randrange(8)
        changed = bytearray(sound)
        changed[place] ^= 1 << bit
        yield f"bit {bit} of byte {place} flipped", bytes(changed)


def _cuts(run: Run, sound: bytes) -> Iterator[tuple[str, bytes]]:
    for _ in range(run.count(_CUTS, 10)):
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


def _refuse_each(
    run: Run, restorer: Restorer, scene: Scene, broken: Iterator[tuple[str, bytes]]
) -> None:
    backup = run.folder / "broken.backup"
    before = kept_state(scene)
    for what, data in broken:
        backup.write_bytes(data)
        run.disturb()
        with run.case(what, *_REFUSALS):
            restorer(backup, scene.database)
            run.report(Broken.FORGED, what)
        run.expect(kept_state(scene) == before, Broken.CORRUPT, f"{what}: the database")


def _accept(run: Run, restorer: Restorer, scene: Scene) -> None:
    """Take the sound backup, over the database that has refused all that were made of it.

    Not before: a restored database is newer than the backup, and would refuse each for that.
    """
    try:
        restorer(scene.backup, scene.database)
    except _REFUSALS as error:
        run.report(Broken.OTHER, f"the sound backup is refused: {error}")


def _damage(run: Run, restorer: Restorer, clouds: Clouds) -> None:
    """Break backups; on a server, before which all of them are refused, a sample of the bytes."""
    is_file = clouds.kind == "SQLite"
    scene = _small_cloud(clouds.empty(), run.folder)
    small = scene.backup.read_bytes()
    places = run.choose(range(len(small)), fast=60 if is_file else 5)
    _refuse_each(run, restorer, scene, _flips(run, small, places if is_file else places[::20]))
    with clouds.scene() as other:
        large = other.backup.read_bytes()
        flips = run.count(_SAMPLED_FLIPS if is_file else _SERVER_FLIPS, 20 if is_file else 3)
        sampled = [run.random.randrange(len(large)) for _ in range(flips)]
        _refuse_each(run, restorer, other, _flips(run, large, sampled))
        _accept(run, restorer, other)
    if is_file:
        _refuse_each(run, restorer, scene, _cuts(run, small))
        _refuse_each(run, restorer, scene, _splices(run, small, large))
    _accept(run, restorer, scene)


def _run(run: Run) -> None:
    for clouds in clouds_of_each_kind(run.folder):
        _damage(run, _restore, clouds)
        _kills(run, clouds)
        # Where this runs in its fast form, the tests have run each of the same cases already.
        if not run.is_fast:
            _restore_each(run, clouds)


def _restore_each(run: Run, clouds: Clouds) -> None:
    cases = CASES | (FILE_CASES if clouds.kind == "SQLite" else {})
    for name, case in cases.items():
        with clouds.scene() as scene:
            run.disturb(name not in HONEST_CASES)
            what = f"{clouds.kind}: {name}"
            with run.case(what):
                try:
                    case(scene)
                except AssertionError as error:
                    run.report(Broken.OTHER, f"{what}: {error}")


def _kills(run: Run, clouds: Clouds) -> None:
    """Kill a restore at any moment: the database is the old one or the new one, and sound."""
    with clouds.scene() as scene:
        # The first one also imports what it needs.
        scene.restore()
        started = time.monotonic()
        scene.restore(discard_newer=True)
        duration = time.monotonic() - started
        for number in range(run.count(_KILLS, 2)):
            scene.backup = scene.folder / f"killed-{number}"
            back_up(scene.database, scene.backup, PASSPHRASE)
            wait = run.random.uniform(0, duration)
            if not _killed(scene, wait):
                continue
            run.disturb()
            what = f"{clouds.kind}: killed after {wait:.4f} s"
            with run.case(what):
                run.expect(check(scene.database) == (), Broken.CORRUPT, what)
                _restore_when_free(scene)
                left = [path.name for path in scene.place.parent.glob(".*")]
                run.expect(not left, Broken.OTHER, f"{left} left; {what}")


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


def _restore_when_free(scene: Scene) -> None:
    """Restore once a server has noticed that the client before it is gone.

    A server may still have finished what the killed client had begun: the backup is then behind.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            scene.restore(discard_newer=True)
            return
        except StateError as error:
            if error.code != "database-in-use" or time.monotonic() > deadline:
                raise
        time.sleep(0.01)


def _restore(backup: Path, database: Database) -> None:
    restore(database, backup, RestoreOptions())


def _take_what_can_be_read(backup: Path, _database: Database) -> None:
    """Take a backup whose lines can be read, as one without a digest has to."""
    try:
        for line in backup.read_bytes().splitlines():
            msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DocumentError("damaged", "A line cannot be read.") from error


def _control(run: Run) -> None:
    _damage(run, _take_what_can_be_read, next(clouds_of_each_kind(run.folder)))


CLASS = TrustClass(
    "S10",
    "backups flipped at every byte, cut and forged; restores",
    5_000,
    _run,
    _control,
)
