"""S6: callers who begin and never end, send too much, or read nothing hold up nobody."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.trust.clouds import NAIVE, OURS, ServedProcess, seed_cloud, serve, sign_in
from tests.trust.harness import Broken, Run, TrustClass
from tests.trust.hostile_callers import PATIENCE_SECONDS, Caller, Ending, call, call_all

# Longer than any part of a request takes on a busy machine, shorter than a test's patience.
_FAST_SECONDS = 1.5
_MEBIBYTE = 1024 * 1024
_RESIDENT_GROWTH = 32 * _MEBIBYTE
_HEAD = b"GET /api/v3/health HTTP/1.1\r\nHost: x\r\n"
_POST = (
    b"POST /api/v3/authorization/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
)
_CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n"
_CHUNK = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
_BIG = b"POST /api/v3/licensing/activations HTTP/1.1\r\nHost: x\r\nContent-Length: 2500000\r\n\r\n"


@dataclass(frozen=True)
class _Attack:
    """Callers of one kind; `expected` judges an ending, given the time limit."""

    name: str
    callers: tuple[Caller, ...]
    expected: Callable[[Ending, float], bool]


def _closed_at_timer(ending: Ending, limit: float) -> bool:
    return not ending.answer and limit * 0.9 <= ending.seconds <= limit + PATIENCE_SECONDS


def _answered(status: int) -> Callable[[Ending, float], bool]:
    return lambda ending, _limit: ending.status == status


def _answered_in_time(status: int) -> Callable[[Ending, float], bool]:
    return lambda ending, limit: (
        ending.status == status and ending.seconds <= limit + PATIENCE_SECONDS
    )


def _ended(_ending: Ending, _limit: float) -> bool:
    return True


def _attacks(run: Run, access_token: str) -> list[_Attack]:
    half_open = run.count(900, 120)
    few = run.count(20, 5)
    document = (
        b"GET /api/v3/licensing/openapi HTTP/1.1\r\nHost: x\r\n"
        b"Authorization: Bearer " + access_token.encode() + b"\r\n\r\n"
    )
    return [
        _Attack(
            "half-open heads",
            # 8 addresses, so that it is the timer that ends them and not their number.
            tuple(Caller(_HEAD, address=f"127.0.0.{2 + n % 8}") for n in range(half_open)),
            _closed_at_timer,
        ),
        _Attack("silent", (Caller(b""),) * run.count(100, 20), _closed_at_timer),
        _Attack("head byte by byte", (Caller(_HEAD, b"X"),) * few, _closed_at_timer),
        _Attack("empty lines", (Caller(b"\r\n", b"\r\n"),) * few, _answered(400)),
        _Attack(
            "a second head that never ends",
            (Caller(_HEAD + b"\r\n" + _HEAD, b"X"),) * few,
            _answered_in_time(200),
        ),
        _Attack(
            "body byte by byte",
            (Caller(_POST + b"Content-Length: 900\r\n\r\n", b"x"),) * few,
            _answered_in_time(400),
        ),
        _Attack(
            "chunks byte by byte",
            (Caller(_POST + _CHUNKS, b"1\r\nx\r\n"),) * few,
            _answered_in_time(400),
        ),
        _Attack(
            "200 MB, declared",
            (Caller(_POST + b"Content-Length: 200000000\r\n\r\n", _CHUNK, 0),) * few,
            _answered(413),
        ),
        _Attack("endless chunks", (Caller(_POST + _CHUNKS, _CHUNK, 0),) * few, _answered(413)),
        _Attack("a large body of a stranger", (Caller(_BIG, b"x" * 4096),) * few, _answered(401)),
        _Attack(
            "a body for no resource",
            (Caller(b"POST /nothing HTTP/1.1\r\nHost: x\r\n" + _CHUNKS, _CHUNK, 0),) * few,
            _answered(404),
        ),
        _Attack("300 requests at once", (Caller((_HEAD + b"\r\n") * 300),) * 3, _answered(200)),
        _Attack("endless headers", (Caller(_HEAD, b"X-A: b\r\n" * 4096, 0),) * few, _answered(400)),
        _Attack("no reader", (Caller(b"", document * 20, 0, reads=False),) * few, _ended),
        *(_Attack(repr(text), (Caller(text),), _answered(400)) for text in _AMBIGUOUS),
        *(_Attack(repr(text), (Caller(text),), _ended) for text in _ODD),
    ]


# Two lengths, or none that can be read: whoever stands between may have read another one.
_AMBIGUOUS = (
    _POST + b"Content-Length: 4\r\n" + _CHUNKS + b"0\r\n\r\n",
    _POST + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\n{}{}",
    _POST + b"Content-Length: 4, 5\r\n\r\n{}{}",
    _POST + b"Content-Length: -4\r\n\r\n{}{}",
    _POST + b"Content-Length: 0x4\r\n\r\n{}{}",
    _POST.replace(b"1.1", b"1.0") + _CHUNKS + b"0\r\n\r\n",
    _POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    _POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    _POST + _CHUNKS + b"not a size\r\n",
    _POST + _CHUNKS + b"1\r\nx\r\n-1\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 TLS to a plain port\r\n\r\n",
    b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
)
_ODD = (
    b"CONNECT other:443 HTTP/1.1\r\nHost: other:443\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    _POST + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n",
    _HEAD + b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
)


async def _attack(
    run: Run, server: ServedProcess, limit: float, most: float, attacks: list[_Attack]
) -> None:
    """Let all attacks happen at once, and judge what became of each within `most` seconds."""
    before = server.resident_bytes()
    waiting = [
        asyncio.ensure_future(call_all(server.port, _from_one_address(attack, number), most))
        for number, attack in enumerate(attacks)
    ]
    honest = asyncio.ensure_future(_answer_seconds(server, limit))
    for attack, endings in zip(attacks, await asyncio.gather(*waiting), strict=True):
        for ending in endings:
            run.disturb()
            kept = not ending.is_held and attack.expected(ending, limit)
            what = f"{attack.name}: held {ending.is_held}, {ending.seconds:.1f} s"
            run.expect(kept, Broken.OTHER, f"{what}, {ending.answer[:40]!r}")
    slowest = await honest
    run.expect(slowest < PATIENCE_SECONDS, Broken.OTHER, f"another caller waited {slowest:.1f} s")
    grown = server.resident_bytes() - before
    run.expect(grown < _RESIDENT_GROWTH, Broken.OTHER, f"the process grew by {grown:,} bytes")


def _from_one_address(attack: _Attack, number: int) -> list[Caller]:
    """Give each kind of attack an address of its own: their number is not what is tested here."""
    address = f"127.0.1.{number + 1}"
    return [replace(entry, address=entry.address or address) for entry in attack.callers]


async def _answer_seconds(server: ServedProcess, limit: float) -> float:
    """Ask like an honest caller while the others attack; return the longest wait."""
    slowest, until = 0.0, time.monotonic() + limit
    honest = Caller(_HEAD + b"Connection: close\r\n\r\n", address="127.0.0.99")
    while time.monotonic() < until:
        ending = await call(server.port, honest, PATIENCE_SECONDS)
        slowest = max(slowest, ending.seconds if ending.status == 200 else PATIENCE_SECONDS)
        await asyncio.sleep(0.1)
    return slowest


async def _crowd(run: Run, server: ServedProcess, limit: float) -> None:
    """Connect more often from one address than one may: the rest is closed at once."""
    callers = [Caller(_HEAD, address="127.0.0.50")] * 300
    endings = await call_all(server.port, callers, limit + PATIENCE_SECONDS)
    at_once = sum(ending.seconds < limit * 0.9 for ending in endings)
    run.disturb(at_once)
    run.expect(at_once >= 300 - 128, Broken.OTHER, f"only {at_once} of 300 were closed at once")


def _limits(run: Run) -> dict[str, float]:
    seconds = _FAST_SECONDS if run.is_fast else 5.0
    names = ("head_seconds", "body_seconds", "idle_seconds", "answer_seconds")
    return dict.fromkeys(names, seconds)


def _run(run: Run) -> None:
    limits = _limits(run)
    cloud, log = seed_cloud(run.folder / "cloud.db", "SQLite"), run.folder / "server.log"
    with serve(cloud, log, OURS, **limits) as server:
        attacks = _attacks(run, sign_in(server, cloud.tokens[0]))
        # An answer that nobody reads is looked at twice.
        most = 2 * limits["head_seconds"] + 2 * PATIENCE_SECONDS
        asyncio.run(_attack(run, server, limits["head_seconds"], most, attacks))
        asyncio.run(_crowd(run, server, limits["head_seconds"]))
    said = log.read_text()
    run.expect("Traceback" not in said, Broken.UNHANDLED, said[-400:])


def _control(run: Run) -> None:
    slow = [entry for entry in _attacks(run, "") if entry.name in {"half-open heads", "silent"}]
    cloud = seed_cloud(run.folder / "cloud.db", "SQLite")
    with serve(cloud, run.folder / "server.log", NAIVE) as server:
        asyncio.run(_attack(run, server, _FAST_SECONDS / 2, _FAST_SECONDS, slow))


CLASS = TrustClass(
    "S6",
    "half-open, silent, endless, ambiguous and unread requests",
    1_300,
    _run,
    _control,
    alone=True,
)
