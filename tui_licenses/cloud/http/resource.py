"""What a resource is: an address, who may use it, and the function that answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from tui_licenses.cloud.http.call import Call
from tui_licenses.cloud.http.listing import LIMIT_MAXIMUM, START_MAXIMUM
from tui_licenses.cloud.http.reply import Reply
from tui_licenses.cloud.throttle import RefusedSignIns, Throttle
from tui_licenses.domain.account import Role

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tui_licenses.cloud.store import Store

BODY_BYTES = 64 * 1024
PROFILE_BYTES = 1024 * 1024
ACTIVATION_BYTES = 5 * 512 * 1024

# The parameter schemas that several resources share.
TEXT_SCHEMA: Mapping[str, Any] = {"type": "string", "pattern": "^[^\\u0000]*$"}


def one_of(values: Iterable[str]) -> dict[str, Any]:
    """Return the schema of a parameter with one of these values."""
    return {"type": "string", "enum": list(values)}


def some_of(values: Iterable[str]) -> dict[str, Any]:
    """Return the schema of a parameter with one or more of these values, joined by commas."""
    value = f"({'|'.join(values)})"
    return {"type": "string", "pattern": f"^{value}(,{value})*$"}


def list_parameters(sorts: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """Return the parameters of a list that can be sorted by these, either way."""
    return {
        "start": {"type": "integer", "minimum": 0, "maximum": START_MAXIMUM},
        "limit": {"type": "integer", "minimum": 1, "maximum": LIMIT_MAXIMUM},
        "sort": one_of(f"{sign}{name}" for name in sorts for sign in ("", "-")),
        "cursor": TEXT_SCHEMA,
    }


@dataclass(frozen=True, slots=True)
class Throttles:
    """The limits of one running cloud, each with its own buckets."""

    # 60 keys typed in a row is a large order; a key found by guessing needs 36^16 tries.
    lookups: Throttle = field(default_factory=lambda: Throttle(60, 1.0))
    # Keys that are unknown or another account's: 20, then one every 10 s.
    missed_keys: Throttle = field(default_factory=lambda: Throttle(20, 10.0))
    # Refused sign-ins: 5 a minute of one subject and from one address, then ever longer waits.
    refused_sign_ins: RefusedSignIns = field(default_factory=RefusedSignIns)


@dataclass(frozen=True, slots=True)
class Cloud:
    """What resources work with."""

    store: Store
    throttles: Throttles


class Access(Enum):
    """Who may use a resource."""

    OPEN = auto()
    SIGNED_IN = auto()
    # Signed in, and the plan of the account has the Licenses tab.
    LICENSES = auto()


Read = Callable[[Cloud, Call], Reply]
Change = Callable[[Cloud, Call, "Connection"], Reply]


@dataclass(frozen=True, slots=True)
class Resource:
    """One method of one path below the base path.

    Exactly one of `read` and `change` is set. A change runs inside a write transaction, after
    its Idempotency-Key was looked up. For the OpenAPI document: `request` and `answer` are wire
    schemas, or media types in text; `parameters` maps the query parameters to their JSON schemas;
    `headers` are those of a good answer beside those of every answer; `problems` are the codes
    beyond those every resource has.
    """

    method: str
    path: str
    summary: str
    answer: Any
    read: Read | None = None
    change: Change | None = None
    access: Access = Access.LICENSES
    role: Role = Role.READER
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    headers: tuple[str, ...] = ()
    request: Any = None
    statuses: tuple[int, ...] = (200,)
    body_bytes: int = BODY_BYTES
    problems: tuple[str, ...] = ()
