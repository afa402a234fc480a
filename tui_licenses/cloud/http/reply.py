"""Answers: JSON with ETags, problem documents, and files that can be fetched in parts."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import msgspec

from tui_licenses.api.problems import MEDIA_TYPE, TYPE_PREFIX, Problem
from tui_licenses.cloud.http.call import Call

_JSON = "application/json"
# Below it a compressed body saves no packet.
_GZIP_FROM_BYTES = 1024
# 1: lists repeat themselves so much that a higher level costs time and saves little.
_GZIP_LEVEL = 1
# For a browser that is led here: nothing is run, framed, guessed at or told to others.
# No Strict-Transport-Security: it would bind every other port of the host's name as well.
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}

_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: status, body and headers (names as they are sent)."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def json_reply(
    content: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Reply:
    """Return an object as JSON."""
    return Reply(
        status,
        msgspec.json.encode(content),
        {"Content-Type": _JSON, "Cache-Control": "private, no-cache", **(headers or {})},
    )


def content_etag(content: bytes) -> str:
    """Return a weak ETag of content whose encoding may differ."""
    return f'W/"{hashlib.sha256(content).hexdigest()[:32]}"'


def revision_etag(revision: int) -> str:
    """Return the ETag of an instance: its revision."""
    return f'"{revision}"'


def etags(header: str) -> tuple[str, ...]:
    """Return the entity tags of an If-Match or If-None-Match header."""
    return tuple(entry.strip() for entry in header.split(",") if entry.strip())


def matches_weakly(header: str, etag: str) -> bool:
    """Compare as If-None-Match does: `*` or the same tag, weak or not."""
    plain = etag.removeprefix("W/")
    return any(tag == "*" or tag.removeprefix("W/") == plain for tag in etags(header))


def matches_strongly(header: str, accepted: tuple[str, ...]) -> bool:
    """Compare as If-Match does: `*` or exactly one of the accepted strong tags."""
    return any(
        tag == "*" or (tag in accepted and not tag.startswith("W/")) for tag in etags(header)
    )


def conditional(call: Call, reply: Reply, etag: str | None = None) -> Reply:
    """Add the ETag of an answer, and answer 304 where the caller has it already."""
    tag = etag or content_etag(reply.body)
    headers = {**reply.headers, "ETag": tag}
    known = call.headers.get("if-none-match")
    if known is not None and matches_weakly(known, tag):
        kept = {name: value for name, value in headers.items() if name != "Content-Type"}
        return Reply(304, b"", kept)
    return Reply(reply.status, reply.body, headers)


def compressed(call: Call, reply: Reply) -> Reply:
    """Compress a JSON answer where the caller accepts it and it is worth it."""
    if reply.headers.get("Content-Type") != _JSON:
        return reply
    headers = {**reply.headers, "Vary": "Accept-Encoding"}
    if len(reply.body) < _GZIP_FROM_BYTES or not _accepts_gzip(call):
        return Reply(reply.status, reply.body, headers)
    # mtime=0: the same answer is the same bytes.
    body = gzip.compress(reply.body, _GZIP_LEVEL, mtime=0)
    return Reply(reply.status, body, {**headers, "Content-Encoding": "gzip"})


def _accepts_gzip(call: Call) -> bool:
    for entry in call.headers.get("accept-encoding", "").lower().split(","):
        coding, _, parameters = entry.partition(";")
        if coding.strip() in {"gzip", "*"}:
            return parameters.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


def problem_reply(problem: Problem, request_id: str) -> Reply:
    """Return the RFC 9457 document of a problem."""
    fixed = problem.problem_code
    document: dict[str, Any] = {
        "type": f"{TYPE_PREFIX}{fixed.code}",
        "title": fixed.title,
        "status": fixed.status,
        "detail": problem.detail,
        "code": fixed.code,
        "message": problem.detail,
        "requestId": request_id,
        "errors": [
            {"pointer": entry.pointer, "code": entry.code, "detail": entry.message}
            for entry in problem.errors
        ],
        **problem.members,
    }
    return Reply(
        fixed.status,
        msgspec.json.encode(document),
        {"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store", **problem.headers},
    )


@dataclass(frozen=True, slots=True)
class File:
    """A file to be downloaded; `name` is ours, made of a slug and ids."""

    content: bytes
    media_type: str
    name: str
    sha256: str

    @property
    def etag(self) -> str:
        """Return the strong ETag: the digest of the content."""
        return _file_etag(self.sha256)


def _file_etag(sha256: str) -> str:
    return f'"{sha256}"'


def unchanged(call: Call, sha256: str) -> Reply | None:
    """Return 304 where the caller has the file with this digest already."""
    known, etag = call.headers.get("if-none-match"), _file_etag(sha256)
    if known is None or not matches_weakly(known, etag):
        return None
    return Reply(304, b"", {"ETag": etag, "Cache-Control": "private, no-store"})


def file_reply(call: Call, file: File) -> Reply:
    """Answer a download: whole, 206 for one range, 304, or `Problem` (`range-not-satisfiable`)."""
    digest = base64.b64encode(bytes.fromhex(file.sha256)).decode()
    headers = {
        "Content-Type": file.media_type,
        "Content-Disposition": (
            f"attachment; filename=\"{file.name}\"; filename*=UTF-8''{quote(file.name)}"
        ),
        "ETag": file.etag,
        "Repr-Digest": f"sha-256=:{digest}:",
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-store",
    }
    same = unchanged(call, file.sha256)
    if same is not None:
        return same
    wanted = _wanted_range(call, file)
    if wanted is None:
        return Reply(200, file.content, headers)
    first, last = wanted
    headers["Content-Range"] = f"bytes {first}-{last}/{len(file.content)}"
    return Reply(206, file.content[first : last + 1], headers)


def _wanted_range(call: Call, file: File) -> tuple[int, int] | None:
    """Return the first and last byte of the one range asked for; None means the whole file.

    A range in a form we do not serve (several, another unit) is ignored, as RFC 9110 allows.
    """
    matched = _RANGE.fullmatch(call.headers.get("range", "").replace(" ", ""))
    if matched is None or matched.groups() == ("", ""):
        return None
    condition = call.headers.get("if-range")
    if condition is not None and condition.strip() != file.etag:
        return None
    size = len(file.content)
    start, end = matched.groups()
    if start:
        first, last = int(start), min(int(end) if end else size - 1, size - 1)
    else:
        first, last = max(0, size - int(end)), size - 1
    if start and end and int(end) < int(start):
        return None
    if first >= size or first > last:
        raise Problem(
            "range-not-satisfiable",
            f"The file has {size} bytes; the range asked for is not in it.",
            headers={"Content-Range": f"bytes */{size}"},
        )
    return first, last
