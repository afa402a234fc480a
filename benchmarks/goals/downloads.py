"""Goal 15: a thousand license files, against a program that verifies nothing."""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from shutil import which
from statistics import median

import httpx

from benchmarks.checks import Check, Figure
from benchmarks.errors import BenchmarkError
from benchmarks.homes import Home, our_command
from benchmarks.interleave import interleave
from benchmarks.laboratory import Laboratory
from benchmarks.server import ServedCloud
from tui_licenses.api.schemas import BASE_PATH

# Not every instance is licensed: of so many, a thousand and some are.
_INSTANCE_COUNT, _KEY_COUNT = 1_150, 5_750
_IN_FLIGHT = 8
_FILES_PER_SECOND = 300
_CURL_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class _Order:
    """Who fetches what from where."""

    served: ServedCloud
    home: Home
    instance_ids: tuple[str, ...]


def measure_downloads(laboratory: Laboratory) -> dict[str, list[float]]:
    """Return files per second, of ours and of curl, for the same files."""
    if which("curl") is None:
        raise BenchmarkError("curl is not installed here")
    served = laboratory.serve(laboratory.estate(_INSTANCE_COUNT, _KEY_COUNT))
    home = laboratory.new_home(served)
    _trust(served, home)
    # The first one makes every file in the cloud; it tells whose files there are.
    first_folder = laboratory.folder("first")
    saved = json.loads(_run_ours(home, first_folder))["data"]["items"]
    order = _Order(served, home, tuple(item["subjectId"] for item in saved))
    digests = _digests(first_folder)

    def measure(fetch: str) -> float:
        folder = laboratory.folder(fetch)
        seconds = _fetch_with_ours(order, folder) if fetch == "ours" else _curl(order, folder)
        if _digests(folder) != digests:
            raise BenchmarkError(f"{fetch} has saved other files")
        return len(order.instance_ids) / seconds

    return interleave(laboratory.runs, {name: partial(measure, name) for name in ("ours", "curl")})


def _trust(served: ServedCloud, home: Home) -> None:
    """Trust the cloud's own root, as its owner reads it out."""
    listed = subprocess.run(
        our_command("trust", "list", "--format", "json"),
        env=served.home.environment(),
        capture_output=True,
        check=True,
    )
    fingerprint = json.loads(listed.stdout)["data"]["items"][0]["fingerprint"]
    subprocess.run(
        our_command("trust", "add", "--fingerprint", fingerprint),
        env=home.environment(),
        capture_output=True,
        check=True,
    )


def _run_ours(home: Home, folder: Path) -> bytes:
    command = our_command("download", "license", "--all", "--to", str(folder), "--format", "json")
    done = subprocess.run(command, env=home.environment(), capture_output=True, check=False)
    if done.returncode:
        raise BenchmarkError(f"the download failed: {done.stderr.decode()}")
    return done.stdout


def _fetch_with_ours(order: _Order, folder: Path) -> float:
    started_at = time.perf_counter()
    _run_ours(order.home, folder)
    return time.perf_counter() - started_at


def _curl(order: _Order, folder: Path) -> float:
    served = order.served
    answer = httpx.post(
        f"{served.url}{BASE_PATH}/authorization/token",
        json={
            "subjectType": "Application",
            "subjectId": served.subject_id,
            "grantType": "refreshToken",
            "refreshToken": served.refresh_token,
        },
    )
    settings = [f'header = "Authorization: Bearer {answer.json()["accessToken"]}"']
    for instance_id in order.instance_ids:
        address = f"{served.url}{BASE_PATH}/licensing/instances/{instance_id}/license-file"
        settings += [f'url = "{address}"', f'output = "{folder / instance_id}.bin"']
    file = folder.with_suffix(".curl")
    file.write_text("\n".join(settings), encoding="utf-8")
    limits = ("--parallel", "--parallel-max", str(_IN_FLIGHT))
    started_at = time.perf_counter()
    subprocess.run(
        ("curl", "--silent", "--fail", *limits, "--config", str(file)),
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - started_at


def _digests(folder: Path) -> list[str]:
    """Return the digests of the license files, in an order of their own."""
    files = folder.glob("*.bin")
    return sorted(hashlib.sha256(file.read_bytes()).hexdigest() for file in files)


def license_files(laboratory: Laboratory) -> list[Check]:
    """Check the rate: a share of curl's, or one that is enough in itself."""
    rates = laboratory.once(measure_downloads)
    ours, theirs = median(rates["ours"]), Figure("curl", median(rates["curl"]), "files/s")
    what = "license files downloaded, verified and saved"
    is_enough = ours >= _FILES_PER_SECOND
    if is_enough:
        return [Check(what, ours, "files/s", _FILES_PER_SECOND, theirs, is_least=True)]
    return [Check(what, ours, "files/s", _CURL_SHARE, theirs, is_ratio=True, is_least=True)]
