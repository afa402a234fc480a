"""S7: requests made from the served OpenAPI document, valid and not, get answers that it tells of.

Schemathesis reads the document, makes requests that fit it and requests that do not, follows ids
from one answer into the next request, and checks each answer against the document.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tests.trust.clouds import GENEROUS, ServedProcess, seed_cloud, seeded_clouds, serve, sign_in
from tests.trust.harness import Broken, Run, TrustClass

_SEED_BITS = 32
# A schema cannot say which keys, cursors and revisions there are: a valid request may be refused.
_LEFT_OUT = "positive_data_acceptance"
_LONGEST_SECONDS = 600
_SHOWN_CHARACTERS = 2_000


class _TestCases(msgspec.Struct):
    generated: int


class _Report(msgspec.Struct):
    complete: bool
    test_cases: _TestCases
    failures: list[msgspec.Raw]
    errors: list[msgspec.Raw]


@dataclass(frozen=True)
class _Effort:
    """How much is tried: requests made of each operation, and which phases of Schemathesis."""

    examples: int
    phases: str
    only_path: str = ""


def _explore(run: Run, name: str, server: ServedProcess, token: str, effort: _Effort) -> None:
    report = run.folder / f"{name}.json"
    arguments = [
        "run",
        f"{server.url}/api/v3/licensing/openapi",
        f"--header=Authorization: Bearer {token}",
        f"--max-examples={effort.examples}",
        f"--phases={effort.phases}",
        f"--seed={run.random.getrandbits(_SEED_BITS)}",
        f"--exclude-checks={_LEFT_OUT}",
        f"--report-json-path={report}",
        "--continue-on-failure",
        "--no-shrink",
        "--warnings=off",
        *([f"--include-path={effort.only_path}"] if effort.only_path else []),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", *arguments],
        cwd=run.folder,
        capture_output=True,
        text=True,
        timeout=_LONGEST_SECONDS,
    )
    if not report.exists():
        run.report(Broken.OTHER, f"{name}: no report: {done.stdout[-400:]}{done.stderr[-400:]}")
        return
    told = msgspec.json.decode(report.read_bytes(), type=_Report)
    run.disturb(told.test_cases.generated)
    # The report counts failures; what was sent and answered is on the screen of the program.
    shown = done.stdout.partition("FAILURES")[2]
    for number, _ in enumerate((*told.failures, *told.errors)):
        run.report(Broken.OTHER, f"{name}: {'' if number else shown[:_SHOWN_CHARACTERS]}")
    run.expect(told.complete, Broken.OTHER, f"{name}: the exploration broke off")


def _run(run: Run) -> None:
    whole = _Effort(100, "coverage,fuzzing,stateful")
    for cloud in seeded_clouds(run.folder):
        is_sampled = run.is_fast and cloud.name != "SQLite"
        fast = _Effort(3, "fuzzing" if is_sampled else "coverage,fuzzing")
        effort = fast if run.is_fast else whole
        log = run.folder / f"{cloud.name}.log"
        with serve(cloud, log, GENEROUS) as server:
            _explore(run, cloud.name, server, sign_in(server, cloud.tokens[0]), effort)
        said = log.read_text()
        run.expect("Traceback" not in said, Broken.UNHANDLED, f"{cloud.name}: {said[-600:]}")


# Serves the same cloud, but fails where it should refuse.
_FAILING = """
import sys, uvicorn
from tui_licenses.cloud.app import create_app
from tui_licenses.cloud.connection import ConnectionConfig
from tui_licenses.cloud.http.limits import ConnectionLimits
from tui_licenses.cloud.serve import _bind
from tui_licenses.cloud.server import CloudServer
from tui_licenses.cloud.store import open_store
app = create_app(open_store(sys.argv[1]))

async def failing(scope, receive, send):
    async def sending(message):
        refused = message.get("status", 200) >= 400
        await send({**message, "status": 500} if refused else message)
    await app(scope, receive, sending)

bound = _bind("127.0.0.1", 0, 100)
url = f"http://127.0.0.1:{bound.getsockname()[1]}"
config = ConnectionConfig(failing, ConnectionLimits(), log_config=None, lifespan="off")
CloudServer(config, lambda: print(url, flush=True)).run(sockets=[bound])
"""


def _control(run: Run) -> None:
    cloud = seed_cloud(run.folder / "cloud.db", "SQLite")
    with serve(cloud, Path(run.folder, "control.log"), _FAILING) as server:
        effort = _Effort(1, "fuzzing", "/api/v3/licensing/keys/{id}")
        _explore(run, cloud.name, server, sign_in(server, cloud.tokens[0]), effort)


CLASS = TrustClass(
    "S7",
    "requests made from the OpenAPI document",
    2_200,
    _run,
    _control,
    # Valid requests are among them.
    are_faults=False,
)
