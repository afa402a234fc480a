"""One request, read and bounded, before any resource looks at it."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import uuid4

import msgspec

from tui_licenses.api.problems import Problem
from tui_licenses.cloud.operations.audit import Author
from tui_licenses.domain.account import Role
from tui_licenses.errors import Detail
from tui_licenses.text import has_control_characters

Body = TypeVar("Body")

_TEXT_LENGTH = 120
_DIGITS = 12
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_SENT_VALUE = re.compile(r"(Invalid enum value|unknown field) (?:'.*?'|`.*?`|-?\d+)(?= - |$)")
# An escaped NUL in JSON: the backslashes before it stand for themselves two by two.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_JSON_TYPES = frozenset({"application/json"})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the subject of the access token and its account."""

    subject_id: str
    account_id: str
    display_name: str
    email: str | None
    role: Role
    plan: str
    support_contact: str | None


@dataclass(frozen=True, slots=True)
class Call:
    """One request; header names are lower-case, `now` is the instant of the store.

    `client` is the network address of the peer, empty inside this process.
    """

    method: str
    path: str
    path_parameters: Mapping[str, str]
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes
    client: str
    request_id: str
    now: datetime
    now_instant: int
    caller: Caller | None = None

    @property
    def signed_in(self) -> Caller:
        """Return the caller of a resource that needs a sign-in."""
        if self.caller is None:
            raise Problem("token-missing", "This needs an access token.", headers=CHALLENGE)
        return self.caller

    @property
    def author(self) -> Author:
        """Return whom the audit trail names for what this request changes."""
        caller = self.signed_in
        return Author(caller.account_id, caller.display_name, self.now_instant, self.request_id)

    def parameter(self, name: str) -> str | None:
        """Return a query parameter; raises `Problem` where it is given twice."""
        values = [value for key, value in self.query if key == name]
        if len(values) > 1:
            raise invalid(name, f"The parameter {name} is given more than once.")
        if values and "\0" in values[0]:
            raise invalid(name, f"The parameter {name} holds a NUL character.")
        return values[0] if values else None


CHALLENGE = {"WWW-Authenticate": 'Bearer realm="tui-licenses"'}


def invalid(pointer: str, message: str) -> Problem:
    """Return the problem of a request that is wrong at one place."""
    return Problem(
        "invalid-request", message, errors=(Detail(pointer, "invalid-request", message),)
    )


def check_text(pointer: str, text: str | None) -> str | None:
    """Return a short trimmed text, or None for an empty one; raises `Problem`."""
    trimmed = (text or "").strip()
    if len(trimmed) > _TEXT_LENGTH or has_control_characters(trimmed):
        raise invalid(
            pointer, f"At most {_TEXT_LENGTH} characters, none of them control characters."
        )
    return trimmed or None


def request_id_for(sent: str | None) -> str:
    """Return the id a caller sent, if it can be echoed safely, or a new one."""
    if sent is not None and _REQUEST_ID.fullmatch(sent):
        return sent
    return str(uuid4())


def check_parameters(call: Call, allowed: Collection[str]) -> None:
    """Refuse a query parameter that is not in the contract."""
    for name, _ in call.query:
        if name not in allowed:
            known = ", ".join(sorted(allowed)) or "none"
            raise Problem(
                "unknown-parameter",
                f"A query parameter is not known here; known are: {known}.",
                errors=(Detail("query", "unknown-parameter", f"Known are: {known}."),),
            )


def media_type(call: Call) -> str:
    """Return the media type of the body, without its parameters."""
    return call.headers.get("content-type", "").split(";", 1)[0].strip().lower()


def decode_body(call: Call, body_type: type[Body]) -> Body:
    """Decode a JSON body strictly.

    Raises `Problem` (`unsupported-media-type`, `invalid-request`).
    """
    if media_type(call) not in _JSON_TYPES:
        raise Problem("unsupported-media-type", "The body must be sent as application/json.")
    if _NUL.search(call.body):
        # No name, key or reason holds one, and PostgreSQL could not keep it.
        raise invalid("", "The body holds a NUL character.")
    try:
        json.loads(call.body, object_pairs_hook=_once_each, parse_int=str, parse_float=str)
        return msgspec.json.decode(call.body, type=body_type)
    except msgspec.ValidationError as error:
        raise invalid("", f"The body does not fit: {_without_values(str(error))}.") from error
    except (ValueError, RecursionError) as error:
        raise invalid("", "The body is not valid JSON.") from error


def _once_each(pairs: list[tuple[str, object]]) -> None:
    """Refuse two members of one name: readers disagree on which of them holds."""
    if len({name for name, _ in pairs}) < len(pairs):
        raise invalid("", "A member of the body is there twice.")


def _without_values(message: str) -> str:
    """Return a message of the decoder without what was sent: that may be a key or a token."""
    return _SENT_VALUE.sub(r"\1", message)


def read_flag(call: Call, name: str, default: bool) -> bool:
    """Return a query parameter that is `true` or `false`."""
    text = call.parameter(name)
    if text is None:
        return default
    if text not in {"true", "false"}:
        raise invalid(name, f"The parameter {name} is true or false.")
    return text == "true"


def read_number(call: Call, name: str, default: int, least: int, most: int) -> int:
    """Return a query parameter that is a whole number within bounds."""
    text = call.parameter(name)
    if text is None:
        return default
    digits = text.isascii() and text.isdigit() and len(text) <= _DIGITS
    if not digits or not least <= int(text) <= most:
        raise invalid(name, f"The parameter {name} is a whole number from {least} to {most}.")
    return int(text)
