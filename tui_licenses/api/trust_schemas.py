"""The JSON of signing in, and of whose signatures to believe (docs/protocol.md, Resources)."""

from __future__ import annotations

from typing import Literal

import msgspec

from tui_licenses.api.schemas import StrictWire, Wire


class TokenRequest(StrictWire):
    subject_type: Literal["Application"]
    subject_id: str
    grant_type: Literal["refreshToken"]
    refresh_token: str


class TokenAnswer(Wire):
    """An access token; `expires_in` is in seconds."""

    access_token: str
    expires_in: int
    token_type: str


class WireTrust(Wire):
    """The signed trust document (docs/license-file.md) and the roots it can be checked with.

    `earlier` are those before it, the first one first: nobody can follow who misses a step.
    """

    class Root(Wire):
        keyid: str
        key: str

    document: str
    roots: list[Root]
    lab: bool
    earlier: list[str] = msgspec.field(default_factory=list)
