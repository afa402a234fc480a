"""T4: hostile texts from every other source: answers, headers, file names, XML, PDF.

A server on this host answers byte by byte; the real commands ask it.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
from dataclasses import replace
from pathlib import Path
from xml.sax.saxutils import quoteattr

from pypdf import PdfReader

from tests.support.scripted_server import (
    Answer,
    Last,
    Received,
    http,
    scripted_server,
    sign_in_environment,
    signing_in,
)
from tests.trust.harness import Broken, Run, TrustClass
from tests.trust.hostile_lab import Ended, look, run_command
from tests.trust.hostile_text import HOSTILE_TEXTS
from tests.unit.documents.test_certificate import CONTENT, code_of
from tui_licenses.documents.certificate import render_certificate
from tui_licenses.domain.license_key import Feature
from tui_licenses.errors import DocumentError
from tui_licenses.text import is_hidden

_TEXTS = tuple(entry.text for entry in HOSTILE_TEXTS)
# A certificate is made from what the database of a cloud holds.
_STORABLE = frozenset(entry.text for entry in HOSTILE_TEXTS if entry.is_storable)
_INSTANCE = "11111111-1111-4111-8111-111111111111"
# What opens or runs something in a reader of PDF.
_ACTIVE = re.compile(rb"/(URI|JavaScript|JS|Launch|Annots|EmbeddedFile|AcroForm)\b")
# Where our own layout lets a long word break.
_BREAK = "\u200b"


class _Cloud:
    """A cloud that gives one answer to everything but the sign-in."""

    def __init__(self) -> None:
        self.url = ""
        self.answer = b""
        self.asked = 0

    def respond(self, _: Received) -> Answer:
        self.asked += 1
        return Last(self.answer)


def _ask(run: Run, cloud: _Cloud, answer: bytes, command: tuple[str, ...], what: str) -> None:
    cloud.answer, cloud.asked = answer, 0
    signed_in = sign_in_environment(cloud.url)
    look(run, run_command(command, is_terminal=True, environment=signed_in), what)
    run.disturb(cloud.asked > 0)


def _bytes_of(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _reason_phrase(run: Run, cloud: _Cloud, text: str) -> None:
    answer = b"HTTP/1.1 400 " + _bytes_of(text) + b"\r\nContent-Length: 0\r\n\r\n"
    _ask(run, cloud, answer, ("whoami",), f"reason phrase {text[:60]!a}")


def _header(run: Run, cloud: _Cloud, text: str) -> None:
    value = _bytes_of(text)
    names = (b"Content-Type", b"X-Request-Id", b"Retry-After", b"Location", b"ETag")
    lines = b"".join(name + b": " + value + b"\r\n" for name in names)
    answer = b"HTTP/1.1 404 No\r\n" + lines + b"Content-Length: 2\r\n\r\n{}"
    _ask(run, cloud, answer, ("whoami",), f"headers {text[:60]!a}")


def _problem(run: Run, cloud: _Cloud, text: str) -> None:
    members = dict.fromkeys(
        ("type", "title", "detail", "code", "message", "nextStep", "plan", "supportContact"), text
    )
    document = {
        **members,
        "status": 403,
        "errors": [{"pointer": text, "code": text, "message": text}],
        "requestId": text,
    }
    body = json.dumps(document).encode()
    answer = http(403, body, {"Content-Type": "application/problem+json"})
    _ask(run, cloud, answer, ("whoami",), f"problem {text[:60]!a}")


def _profile(run: Run, cloud: _Cloud, text: str) -> None:
    """Answer with a profile that holds the text as it is, and as references to characters."""
    references = "".join(f"&#{ord(character)};" for character in text[:300])
    for written in (quoteattr(text), f'"{references}"'):
        xml = f"<node id={written}><description>{written[1:-1]}</description></node>"
        answer = http(200, _bytes_of(xml), {"Content-Type": "application/xml"})
        for command in ("hardware", "profile"):
            words = ("instances", command, _INSTANCE)
            _ask(run, cloud, answer, words, f"{command} of XML with {text[:60]!a}")


def _file_name(run: Run, folder: Path, text: str) -> None:
    name = text.replace("/", "|").replace("\0", "")[:80]
    place = folder / "names"
    place.mkdir(exist_ok=True)
    try:
        file = place / os.fsdecode(name.encode("utf-8", "surrogateescape"))
        file.write_bytes(b"no license file")
    except (UnicodeEncodeError, OSError):
        file = place / os.fsdecode(b"\xff\x9b" + _bytes_of(name)[:100])
        file.write_bytes(b"no license file")
    for command in (("inspect", str(file)), ("verify", str(file)), ("verify", str(place))):
        look(run, run_command(command, is_terminal=True), f"{ascii(command)[:200]}")
        run.disturb()
    file.unlink()


def _certificate(run: Run, text: str) -> None:
    content = replace(
        CONTENT,
        account_name=text,
        instance_name=text,
        product_name=text,
        order_reference=text,
        features=(Feature("f", text, None),),
    )
    with run.case(f"certificate with {text[:60]!a}", DocumentError):
        data = render_certificate(content, code_of(content))
        run.expect(_ACTIVE.search(data) is None, Broken.OTHER, f"{text[:60]!a}: an active PDF")
        words = PdfReader(io.BytesIO(data)).pages[0].extract_text()
        hidden = {sign for sign in words if is_hidden(sign)} - {"\n", _BREAK}
        run.expect(not hidden, Broken.RAW, f"certificate with {text[:60]!a}: {hidden!a}")
        run.disturb()


def _ask_all(run: Run, cloud: _Cloud) -> None:
    for text in run.choose(_TEXTS, fast=4):
        for give in (_reason_phrase, _header, _problem, _profile):
            give(run, cloud, text)
        _file_name(run, run.folder, text)
        if text in _STORABLE:
            _certificate(run, text)


def _run(run: Run) -> None:
    async def work() -> None:
        cloud = _Cloud()
        # In a thread: the commands ask this process.
        async with scripted_server(signing_in(cloud.respond)) as server:
            cloud.url = server.url
            await asyncio.to_thread(_ask_all, run, cloud)

    asyncio.run(work())


def _control(run: Run) -> None:
    """Tell what a server said as most programs do."""
    for text in _TEXTS:
        told = f"Error: 400 {text} for url".encode("utf-8", "surrogatepass")
        run.disturb()
        look(run, Ended(1, b"", told), f"naive {text[:60]!a}")


CLASS = TrustClass("T4", "hostile texts in answers, headers, files, XML, PDF", 360, _run, _control)
