"""S4: whoever guesses is slowed down and learns nothing, and keeps nobody else out."""

from __future__ import annotations

import asyncio
import math
import statistics
import time
import tracemalloc
from uuid import uuid4

import httpx

from tests.cloud.lab import generous
from tests.trust.clouds import GENEROUS, ServedProcess, seed_cloud, serve
from tests.trust.harness import Broken, Run, TrustClass
from tests.trust.sign_in_site import SignInSite, exchange, open_site
from tui_licenses.cloud.administration import NewToken
from tui_licenses.cloud.throttle import RefusedSignIns

# The limits as docs/protocol.md promises them.
_FREE = 5
_WAITS = (12, 24, 48, 96, 192, 384, 768, 900, 900)
_MEMORY_BYTES = 12 * 1024 * 1024
# Below it a difference drowns in what a network adds by itself; ten times the work of one look.
_NOISE_SECONDS = 0.000_3


async def _guess(site: SignInSite, address: str, subject_id: str) -> httpx.Response:
    async with site.client(address) as client:
        return await exchange(client, subject_id, f"tlr_{uuid4()}")


async def _waits(run: Run, site: SignInSite, name: str, subjects: bool) -> None:
    """Guess for one subject from many addresses, or for many subjects from one address."""
    one = site.token("operator").subject_id

    async def guess(number: int) -> httpx.Response:
        run.disturb()
        if subjects:
            return await _guess(site, f"198.51.100.{number % 250}", one)
        return await _guess(site, "203.0.113.7", f"{name} {number}")

    for number in range(_FREE):
        answer = await guess(number)
        run.expect(answer.status_code == 401, Broken.OTHER, f"{name}: {number}th {answer.text}")
    for number, seconds in enumerate(_WAITS, 100):
        answer = await guess(2 * number)
        told = answer.headers.get("retry-after")
        kept = answer.status_code == 429 and told == str(seconds)
        run.expect(kept, Broken.OTHER, f"{name}: {answer.status_code}, {told}, not {seconds} s")
        await _owners_get_in(run, site)
        site.clock.advance(seconds=seconds)
        answer = await guess(2 * number + 1)
        kept = answer.status_code == 401
        run.expect(kept, Broken.OTHER, f"{name}: after {seconds} s {answer.status_code}")


async def _owners_get_in(run: Run, site: SignInSite) -> None:
    """Sign in with right tokens: in the guesser's target's name, and from the guesser's place."""
    for who, address in (("operator", "192.0.2.9"), ("reader", "203.0.113.7")):
        token = site.token(who)
        async with site.client(address) as client:
            answer = await exchange(client, token.subject_id, token.refresh_token)
        kept = answer.status_code == 200
        run.expect(kept, Broken.OTHER, f"{who} with the right token: {answer.status_code}")


async def _networks(run: Run, site: SignInSite) -> None:
    """One subscriber has 2^64 IPv6 addresses, and is one guesser all the same."""
    for number in range(_FREE + 1):
        answer = await _guess(site, f"2001:db8::{number + 1:x}", f"subject of {number}")
        run.disturb()
    run.expect(answer.status_code == 429, Broken.OTHER, "each IPv6 address has its own limit")
    answer = await _guess(site, "2001:db8:0:1::1", "another subject")
    run.expect(answer.status_code == 401, Broken.OTHER, "a neighbour's network is limited too")


def _memory(run: Run) -> None:
    """Guess in ever new names from ever new addresses: what is remembered stays bounded."""
    limits = RefusedSignIns()
    tracemalloc.start()
    # So many that they would pass the limit if all of them were remembered.
    for number in range(run.count(100_000, 30_000)):
        limits.count(f"{number} " * 50, f"2001:db8:{number:x}::/64", number)
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    run.disturb()
    run.expect(used < _MEMORY_BYTES, Broken.OTHER, f"the limits hold {used:,} bytes")


def _timing(run: Run, server: ServedProcess, token: NewToken) -> None:
    """Compare how long a wrong token takes for a subject that there is, and for one that is not."""
    known, unknown = token.subject_id, str(uuid4())
    spent: dict[str, list[float]] = {known: [], unknown: []}
    bodies = set()
    with httpx.Client(trust_env=False) as client:
        for number in range(run.count(1_500, 250)):
            pair = (known, unknown) if number % 2 else (unknown, known)
            for subject_id in pair:
                seconds, answer = _timed(client, server, subject_id)
                run.disturb()
                spent[subject_id].append(seconds)
                bodies.add(str({**answer.json(), "requestId": ""}))
    differences = [one - other for one, other in zip(*spent.values(), strict=True)]
    difference, noise = abs(statistics.median(differences)), noise_seconds(differences)
    what = f"a known subject differs by {difference * 1e6:.0f} µs, noise {noise * 1e6:.0f} µs"
    run.expect(difference < noise, Broken.OTHER, what)
    run.expect(len(bodies) == 1, Broken.OTHER, f"a known subject is answered otherwise: {bodies}")


def noise_seconds(differences: list[float]) -> float:
    """Return what the median of pairs may be off by where there is no difference at all."""
    middle = statistics.median(differences)
    spread = statistics.median(abs(entry - middle) for entry in differences)
    # Of a normal distribution: 1.4826 spreads are one deviation, and a median is 1.2533 times as
    # uncertain as a mean. Four of these errors: one run in 15,000 goes beyond by chance.
    error = 1.2533 * 1.4826 * spread / math.sqrt(len(differences))
    return max(_NOISE_SECONDS, 4 * error)


def _timed(
    client: httpx.Client, server: ServedProcess, subject_id: str
) -> tuple[float, httpx.Response]:
    body = {
        "subjectType": "Application",
        "subjectId": subject_id,
        "grantType": "refreshToken",
        "refreshToken": "tlr_wrong",
    }
    begun = time.perf_counter()
    answer = client.post(f"{server.url}/api/v3/authorization/token", json=body)
    return time.perf_counter() - begun, answer


async def _limits(run: Run, site: SignInSite) -> None:
    await _waits(run, site, "one subject", subjects=True)
    await _waits(run, site, "one address", subjects=False)
    await _networks(run, site)


def _run(run: Run) -> None:
    cloud = seed_cloud(run.folder / "cloud.db", "SQLite")
    with open_site(cloud) as site:
        asyncio.run(_limits(run, site))
    _memory(run)
    with serve(cloud, run.folder / "server.log", GENEROUS) as server:
        _timing(run, server, cloud.tokens[0])


# A cloud that works hard on a token, but only for a subject that there is.
_TELLTALE = """
import hashlib, sys
from tests.cloud.lab import generous
from tui_licenses.cloud.operations import tokens
from tui_licenses.cloud.serve import serve
belongs = tokens.hash_refresh_token

def slow(pepper, salt, refresh_token):
    if salt != tokens._NO_SALT:
        hashlib.scrypt(refresh_token.encode(), salt=salt, n=2**10, r=8, p=1)
    return belongs(pepper, salt, refresh_token)

tokens.hash_refresh_token = slow
serve(sys.argv[1], port=0, throttles=generous(), on_ready=lambda url: print(url, flush=True))
"""


def _control(run: Run) -> None:
    """A cloud without limits, and one whose time tells which subjects there are."""
    cloud, seen = seed_cloud(run.folder / "cloud.db", "SQLite"), Run(run.random, run.folder, True)
    with open_site(cloud, generous()) as site:
        asyncio.run(_networks(seen, site))
    timed = Run(run.random, run.folder, True)
    with serve(cloud, run.folder / "server.log", _TELLTALE) as server:
        _timing(timed, server, cloud.tokens[0])
    run.disturb(seen.disturbed + timed.disturbed)
    if seen.broken and timed.broken:
        run.report(Broken.OTHER, "neither limits nor equal time")


CLASS = TrustClass("S4", "guessing: limits, waits, time, memory", 200, _run, _control, alone=True)
