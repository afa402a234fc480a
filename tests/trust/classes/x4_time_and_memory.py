"""X4: the most expensive documents there are take little time and memory, under a hard limit."""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from tests.support.signed_documents import SignedServer, add_root, offline_service
from tests.trust.harness import Broken, Run, TrustClass
from tests.trust.hostile_xml import NODE, hostile_documents
from tests.vectors.materials import payload, sign
from tui_licenses.documents.profile import hardware_rows
from tui_licenses.errors import TuiLicensesError
from tui_licenses.service.verification import VerificationService

_BYTES_MAXIMUM = 64 * 1024 * 1024
_SECONDS_MAXIMUM = 0.2
_WAIT_SECONDS = 30
_KIBIBYTE = 1024
_LARGEST_JSON = 256 * 1024
_XML_NAMES = frozenset(
    {
        *("a thousand million laughs", "a quadratic bomb", "eleven MB of text", "a small bomb"),
        *("eleven MB of an attribute", "100,000 levels", "a million elements", "a long name"),
        *("60,000 attributes", "30,000 namespaces", "nothing but spaces"),
    }
)

_Read = Callable[[Path], object]


def _json_documents() -> dict[str, bytes]:
    """Return license files as large as they may be, or much larger."""
    size = _LARGEST_JSON
    return {
        "deep lists": b"[" * size,
        "many lists": b"[" + b"[]," * (size // 3 - 1) + b"1]",
        "many objects": b"[" + b'{"a":{}},' * (size // 9 - 1) + b"1]",
        "many names": b"{" + b",".join(b'"%d":1' % n for n in range(20_000)) + b"}",
        "one long number": b"[" + b"7" * (size - 2) + b"]",
        "one long text": b'"' + "é".encode() * (size // 2 - 1) + b'"',
        "many escapes": b'"' + b"\\u0301" * (size // 6 - 1) + b'"',
        "many combining marks": b'"a' + "\u0301".encode() * (size // 2 - 2) + b'"',
        "signed deep lists": sign(b"[" * 190_000),
        "signed many lists": sign(b"[" + b"[]," * 60_000 + b"1]"),
        "a sparse GB": b"",
        "a thousand keys": sign(payload(1000)),
    }


def _xml_documents(canary: Path) -> dict[str, bytes]:
    documents = {
        document.name: document.data
        for document in hostile_documents(canary)
        if document.name in _XML_NAMES
    }
    setting = '<setting id="a" value="b"/>'
    documents["as many settings as there may be"] = NODE.replace(
        "</configuration>", f"{setting * 19_990}</configuration>"
    ).encode()
    documents["as many long texts as there may be"] = NODE.replace(
        "</node>", f"<a>{'é' * 32_000}</a>" * 16 + "</node>"
    ).encode()
    return documents


def _memory(name: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * _KIBIBYTE
    raise LookupError(name)


def _measure(read: _Read, file: Path, answer: Connection) -> None:
    """Read a file in a process of its own that gets no more memory than is promised."""
    # From here on the highest mark is that of this reading.
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = _memory("VmRSS")
    limit = _memory("VmSize") + _BYTES_MAXIMUM
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    started = time.process_time()
    try:
        read(file)
        outcome = ""
    except TuiLicensesError:
        outcome = ""
    except BaseException as error:  # noqa: BLE001 - all that may happen is to be told
        outcome = repr(error)
    seconds = time.process_time() - started
    answer.send((outcome, seconds, _memory("VmHWM") - before))


def _try(run: Run, readers: dict[str, tuple[_Read, dict[str, bytes]]]) -> None:
    context = multiprocessing.get_context("fork")
    file = run.folder / "tried"
    cases = [
        (f"{kind}: {name}", read, data)
        for kind, (read, documents) in readers.items()
        for name, data in documents.items()
    ]
    for what, read, data in run.choose(cases, fast=12):
        file.write_bytes(data)
        if not data:
            with file.open("r+b") as sparse:
                sparse.truncate(1 << 30)
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=_measure, args=(read, file, sender))
        process.start()
        sender.close()
        try:
            outcome, seconds, size = receiver.recv() if receiver.poll(_WAIT_SECONDS) else _ENDLESS
        except EOFError:
            outcome, seconds, size = "the process ended", 0.0, 0
        process.kill()
        process.join()
        run.expect(not outcome, Broken.UNHANDLED, f"{what}: {outcome}")
        is_small = size <= _BYTES_MAXIMUM
        run.expect(is_small, Broken.OTHER, f"{what}: {size // _KIBIBYTE} KiB")
        run.expect(seconds <= _SECONDS_MAXIMUM, Broken.OTHER, f"{what}: {seconds:.3f} s")
        run.disturb()


_ENDLESS = ("it does not end", float(_WAIT_SECONDS), 0)


def _service(folder: Path) -> VerificationService:
    """Return a service that has verified once: nothing is left to be loaded."""
    add_root()
    service, server = offline_service(), SignedServer(1)
    server.save(folder, server.documents())
    service.verify_folder(folder)
    service.inspect(folder / server.name("license"))
    service.fingerprint_of_profile(folder / server.name("profile"))
    return service


def _run(run: Run) -> None:
    service = _service(run.folder)

    def read_profile(file: Path) -> None:
        service.fingerprint_of_profile(file)
        hardware_rows(file.read_bytes())

    _try(
        run,
        {
            "profile": (read_profile, _xml_documents(run.folder)),
            "license file": (service.verify, _json_documents()),
        },
    )


def _control(run: Run) -> None:
    from lxml import etree

    def read(file: Path) -> None:
        root = etree.fromstring(file.read_bytes(), etree.XMLParser(huge_tree=True))
        [*root.iter()]

    _try(run, {"naive": (read, {"elements": b"<a>" + b"<a/>" * 1_000_000 + b"</a>"})})


CLASS = TrustClass("X4", "time and memory of the worst documents", 20, _run, _control, alone=True)
