"""D8: 500 documents of which a fifth fails, stopped half-way, and then run again."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.folders import names_in
from tests.support.scripted_server import Answer, Received, http, problem
from tests.support.scripted_services import scripted_services
from tests.support.values import make_instance
from tests.trust.harness import Broken, Run, TrustClass
from tests.trust.spoilt_replies import reply_with
from tui_licenses.errors import TuiLicensesError
from tui_licenses.service.checksums import CHECKSUMS_NAME
from tui_licenses.service.downloads import DocumentKind, DownloadOutcome
from tui_licenses.wiring import Services

_ITEMS, _FAST_ITEMS = 500, 200
_RUNS = 20
# What goes wrong with an item, and the code it is to be told with.
_FAILURES = {
    "is missing": "profile-not-found",
    "is refused": "role-insufficient",
    "is changed on the way": "digest-mismatch",
    "comes without its digest": "unexpected-answer",
    "breaks the cloud": "internal",
    "has a name that is taken": "file-exists",
}
_TAKEN = b"mine"


class _Cloud:
    """Documents of which some fail until `is_healed`."""

    def __init__(self, failing: dict[str, str]) -> None:
        self.failing = failing
        self.is_healed = False
        self.sent: Counter[str] = Counter()

    def respond(self, request: Received) -> Answer:
        identifier = request.path.rpartition("/profile")[0].rpartition("/")[2]
        body = body_of(identifier)
        if request.headers.get("if-none-match") == f'"{hashlib.sha256(body).hexdigest()}"':
            return http(304)
        self.sent[identifier] += 1
        match "" if self.is_healed else self.failing.get(identifier, ""):
            case "is missing":
                return problem("profile-not-found", 404)
            case "is refused":
                return problem("role-insufficient", 403)
            case "breaks the cloud":
                return problem("internal", 500)
            case "is changed on the way":
                return reply_with(body)[:-1] + b"!"
            case "comes without its digest":
                return reply_with(body, Repr_Digest="")
            case _:
                return reply_with(body)


def body_of(identifier: str) -> bytes:
    """Return the document of an instance."""
    return f"<profile>{identifier}</profile>".encode() * 20


@dataclass(frozen=True)
class _Report:
    """What was told: for each item its file or the code of its error."""

    told: list[tuple[str, Path | None, str]]


Bulk = Callable[[Services, Sequence[str], Path, int], Awaitable[_Report]]


async def _real(services: Services, ids: Sequence[str], folder: Path, stop_after: int) -> _Report:
    told = 0

    def count(_: DownloadOutcome) -> None:
        nonlocal told
        told += 1
        if told == stop_after:
            # What Ctrl-C does.
            bulk.stop()

    instances = [make_instance(id=each) for each in ids]
    bulk = services.downloads.bulk(DocumentKind.PROFILE, instances, folder, on_outcome=count)
    outcomes = (await bulk.run()).outcomes
    report = _Report([])
    for each in outcomes:
        path = each.file.path if each.file else None
        report.told.append((each.subject_id, path, each.error.code if each.error else ""))
    return report


async def _naive(services: Services, ids: Sequence[str], folder: Path, stop_after: int) -> _Report:
    """Stop at the first error, and tell of it and of what was saved until then."""
    report = _Report([])
    for each in ids[:stop_after]:
        try:
            saved = await services.downloads.profile(make_instance(id=each), folder)
        except TuiLicensesError as error:
            report.told.append((each, None, error.code))
            break
        report.told.append((each, saved.path, ""))
    return report


async def _one_run(run: Run, number: int, bulk: Bulk) -> None:
    folder = run.folder / f"run-{number}"
    folder.mkdir()
    ids = [f"{index:08}-x" for index in range(run.count(_ITEMS, _FAST_ITEMS))]
    failing = {
        each: run.random.choice(tuple(_FAILURES)) for each in run.random.sample(ids, len(ids) // 5)
    }
    cloud = _Cloud(failing)
    async with scripted_services(cloud.respond) as (services, _):
        taken = [
            folder / services.downloads.profile_name(make_instance(id=each))
            for each, failure in failing.items()
            if failure == "has a name that is taken"
        ]
        for file in taken:
            file.write_bytes(_TAKEN)
        stop_after = run.random.randrange(len(ids) // 2, len(ids))
        first = await bulk(services, ids, folder, stop_after)
        run.disturb(sum(bool(code) and code != "not-fetched" for _, _, code in first.told))
        _look(run, f"run {number}", ids, failing, first, folder)
        for file in taken:
            run.expect(file.read_bytes() == _TAKEN, Broken.LOST, f"run {number}: replaced {file}")
            file.unlink()
        saved = {each for each, file, _ in first.told if file is not None}
        cloud.is_healed = True
        cloud.sent.clear()
        again = await bulk(services, ids, folder, len(ids) + 1)
        _look(run, f"run {number} again", ids, {}, again, folder)
        everything = all(file for _, file, _ in again.told) and len(again.told) == len(ids)
        run.expect(everything, Broken.LOST, f"run {number} again: something is missing")
        twice = saved & set(cloud.sent)
        run.expect(not twice, Broken.OTHER, f"run {number} again: fetched {len(twice)} twice")


def _look(
    run: Run,
    case: str,
    ids: Sequence[str],
    failing: dict[str, str],
    report: _Report,
    folder: Path,
) -> None:
    told = [each for each, _, _ in report.told]
    run.expect(told == list(ids), Broken.LOST, f"{case}: {len(told)} of {len(ids)} are told")
    for each, file, code in report.told:
        expected = {"", "not-fetched"} if each not in failing else {_FAILURES[failing[each]]}
        run.expect(
            code in expected | {"not-fetched"}, Broken.OTHER, f"{case}: {each} is told {code}"
        )
        run.expect((file is None) == bool(code), Broken.OTHER, f"{case}: {each} is both or none")
        if file is not None:
            is_right = file.exists() and file.read_bytes() == body_of(each)
            run.expect(is_right, Broken.CORRUPT, f"{case}: {file.name} is not the document")
    files = {file.name for _, file, _ in report.told if file is not None}
    found = {name for name in names_in(folder) if (folder / name).read_bytes() != _TAKEN}
    run.expect(found - {CHECKSUMS_NAME} == files, Broken.OTHER, f"{case}: others are there")
    listed = (folder / CHECKSUMS_NAME).read_text() if CHECKSUMS_NAME in found else ""
    names = {line.partition("  ")[2] for line in listed.splitlines()}
    run.expect(names == files, Broken.OTHER, f"{case}: SHA256SUMS lists others")


def _bulk(run: Run, bulk: Bulk) -> None:
    for number in range(run.count(_RUNS, 1)):
        asyncio.run(_one_run(run, number, bulk))


def _run(run: Run) -> None:
    _bulk(run, _real)


def _control(run: Run) -> None:
    _bulk(run, _naive)


CLASS = TrustClass("D8", "many documents, some fail, stopped and run again", 1_000, _run, _control)
