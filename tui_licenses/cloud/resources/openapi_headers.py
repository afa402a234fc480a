"""The headers and parameters of the OpenAPI document: what is sent, and what is answered."""

from __future__ import annotations

import re
from typing import Any

from tui_licenses.cloud.http.resource import Resource

_PATH_PARAMETER = re.compile(r"{(\w+)}")
_JSON = "application/json"


def _always(description: str, **schema: object) -> dict[str, Any]:
    return {
        "description": description,
        "required": True,
        "schema": {"type": "string", **schema},
    }


_SECONDS = _always("Seconds until a repeat has a chance", pattern="^[1-9][0-9]*$")

HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-Id": _always(
        "The id that was sent, or a new one", pattern="^[A-Za-z0-9._-]{1,128}$"
    ),
    "Cache-Control": _always("Who may keep the answer", pattern="^(private, )?no-(cache|store)$"),
    "X-Content-Type-Options": _always("For browsers", const="nosniff"),
    "Content-Security-Policy": _always("For browsers"),
    "Referrer-Policy": _always("For browsers", const="no-referrer"),
    "Cross-Origin-Resource-Policy": _always("For browsers", const="same-origin"),
    "ETag": _always("What If-Match and If-None-Match compare", pattern='^(W/)?"[!#-~]+"$'),
    "X-Changes-Cursor": _always("Where `changes` goes on after this list"),
    "Content-Disposition": _always("The name to save it under", pattern="^attachment; filename="),
    "Repr-Digest": _always("RFC 9530", pattern="^sha-256=:[A-Za-z0-9+/]{43}=:$"),
    "Accept-Ranges": _always("RFC 9110", const="bytes"),
    "Content-Range": _always("RFC 9110", pattern="^bytes ([0-9]+-[0-9]+|[*])/[0-9]+$"),
    "WWW-Authenticate": _always("RFC 6750", pattern="^Bearer "),
    "Retry-After": _SECONDS,
}

EVERY_ANSWER = (
    "X-Request-Id",
    "Cache-Control",
    "X-Content-Type-Options",
    "Content-Security-Policy",
    "Referrer-Policy",
    "Cross-Origin-Resource-Policy",
)
FILE_HEADERS = ("ETag", "Content-Disposition", "Repr-Digest", "Accept-Ranges")
PROBLEM_HEADERS = {
    401: ("WWW-Authenticate",),
    412: ("ETag",),
    416: ("Content-Range",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}


def header_references(*names: str) -> dict[str, dict[str, str]]:
    """Return headers of an answer, by reference to the components."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def is_file(resource: Resource) -> bool:
    """Say whether a resource answers a download, in parts if wanted."""
    return (
        resource.method == "GET" and isinstance(resource.answer, str) and resource.answer != _JSON
    )


def parameters(resource: Resource) -> list[dict[str, Any]]:
    """Return what a request may carry beside its body."""
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PATH_PARAMETER.findall(resource.path)
    ]
    found += [
        {"name": name, "in": "query", "schema": dict(schema)}
        for name, schema in sorted(resource.parameters.items())
    ]
    if resource.change is not None:
        printable = {"maxLength": 128, "pattern": "^[!-~]([ -~]*[!-~])?$"}
        found.append(_header("Idempotency-Key", required=True, **printable))
    if {"if-match-required", "revision-mismatch"} & set(resource.problems):
        # A first profile is sent with If-None-Match instead.
        found.append(_header("If-Match", required=resource.method == "PATCH"))
    is_kept = resource.method == "GET" and "ETag" in resource.headers
    if resource.method == "PUT" or is_file(resource) or is_kept:
        found.append(_header("If-None-Match"))
    if is_file(resource):
        found += [_header("Range"), _header("If-Range")]
    return found


def _header(name: str, *, required: bool = False, **schema: object) -> dict[str, Any]:
    described = {"type": "string", **schema}
    return {"name": name, "in": "header", "required": required, "schema": described}
