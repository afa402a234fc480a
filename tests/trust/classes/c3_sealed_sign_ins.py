"""C3: a sealed sign-in with a bit flipped, cut, opened with another passphrase, or made costly."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from tests.trust.harness import Broken, Run, TrustClass
from tui_licenses import paths
from tui_licenses.config import Context
from tui_licenses.credentials import Credentials
from tui_licenses.documents.passphrase import Cost
from tui_licenses.errors import FileError, SignInError
from tui_licenses.secret import Secret
from tui_licenses.service.sign_in import load_credentials, save_credentials

_CONTEXT = Context("acme", "https://cloud.example.com")
_OTHER_CONTEXT = Context("acme", "https://elsewhere.example.com")
_CREDENTIALS = Credentials("0190f8aa-0000-7000-8000-000000000000", Secret("tlr_" + "aB3_" * 10))
_PASSPHRASE = "correct horse battery"
# The least that Argon2id takes: what a flip does is the same at any cost.
_CHEAP = Cost(memory_kib=8, iterations=1, lanes=1)
# A cost within the bounds takes this long at most, on a machine that is busy with other things.
_SECONDS_MAXIMUM = 20.0
_COSTLY = (2**17 + 1, 2**18 + 1, 2**20, 2**31, 2**32 - 1, 2**32, 2**63 - 1, 0, -1)

Open = Callable[[str], object]


def _attack(run: Run, file: Path, sealed: bytes, open_store: Open, attempts: int) -> None:
    for _ in range(run.count(attempts, 300)):
        place = run.random.randrange(len(sealed) * 8)
        changed = bytearray(sealed)
        changed[place // 8] ^= 1 << place % 8
        _try(run, file, bytes(changed), open_store, _PASSPHRASE, f"bit {place} flipped")
    for _ in range(run.count(200, 30)):
        length = run.random.randrange(len(sealed))
        _try(run, file, sealed[:length], open_store, _PASSPHRASE, f"cut to {length} bytes")
    for passphrase in _passphrases(run):
        _try(run, file, sealed, open_store, passphrase, f"passphrase {passphrase!a}")


def _passphrases(run: Run) -> Iterator[str]:
    yield from (
        _PASSPHRASE.upper(),
        _PASSPHRASE + " ",
        "",
        "\ud800",
        _PASSPHRASE[:-1],
        "x" * 10_000,
    )
    for _ in range(run.count(194, 24)):
        changed = list(_PASSPHRASE)
        changed[run.random.randrange(len(changed))] = chr(run.random.randrange(1, 0x2FF) | 0x200)
        yield "".join(changed)


def _try(run: Run, file: Path, data: bytes, open_store: Open, passphrase: str, what: str) -> None:
    file.write_bytes(data)
    started = time.monotonic()
    with run.case(what, FileError, SignInError):
        open_store(passphrase)
        run.report(Broken.FORGED, f"opened with {what}")
    run.disturb()
    seconds = time.monotonic() - started
    run.expect(seconds < _SECONDS_MAXIMUM, Broken.OTHER, f"{what} took {seconds:.1f} s")


def _run(run: Run) -> None:
    save_credentials(_CONTEXT, _CREDENTIALS, Secret(_PASSPHRASE), _CHEAP)
    file = paths.credentials_file(_CONTEXT.name)
    sealed = file.read_bytes()
    token = _CREDENTIALS.refresh_token.reveal().encode()
    run.expect(token not in sealed, Broken.OTHER, "the token stands in the sealed file")
    opened = load_credentials(_CONTEXT, Secret(_PASSPHRASE))
    run.expect(opened == _CREDENTIALS, Broken.LOST, "the right passphrase does not open")
    _attack(run, file, sealed, lambda passphrase: _load(_CONTEXT, passphrase), 1_500)
    _try(
        run,
        file,
        sealed,
        lambda passphrase: _load(_OTHER_CONTEXT, passphrase),
        _PASSPHRASE,
        "another address",
    )
    for member in ("memoryKib", "iterations", "lanes"):
        for number in range(run.count(40, len(_COSTLY))):
            cost = _COSTLY[number] if number < len(_COSTLY) else run.random.randrange(2**19, 2**40)
            document = msgspec.json.decode(sealed)
            document["sealed"][member] = cost
            changed = msgspec.json.encode(document)
            _try(
                run,
                file,
                changed,
                lambda passphrase: _load(_CONTEXT, passphrase),
                _PASSPHRASE,
                f"{member} {cost}",
            )


def _load(context: Context, passphrase: str) -> Credentials:
    return load_credentials(context, Secret(passphrase))


def _control(run: Run) -> None:
    """Hide a token behind the digest of a passphrase, with nothing to tell a change by."""
    file = run.folder / "naive"

    def mask(data: bytes, passphrase: str) -> bytes:
        digest = hashlib.sha512(passphrase.encode("utf-8", "surrogatepass")).digest()
        return bytes(one ^ other for one, other in zip(data, digest, strict=False))

    sealed = mask(_CREDENTIALS.refresh_token.reveal().encode(), _PASSPHRASE)
    _attack(run, file, sealed, lambda passphrase: mask(file.read_bytes(), passphrase), 1_500)


CLASS = TrustClass("C3", "sealed sign-ins: flips, cuts, passphrases, costs", 2_000, _run, _control)
