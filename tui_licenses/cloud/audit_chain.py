"""The chain that holds the events of an account together, so that none can be changed unseen.

Each event carries the digest of its own content and of the event before it. The account carries
the digest of its last event, its head, with a seal: a MAC made with a key that is not in the
database. Whoever can write the database, and no more, can neither change an event, nor put one
in, nor cut the end off.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

import msgspec

# What the first event of an account follows.
NO_HEAD = ""
# The execution option in which a writing connection carries the key of the seals.
SEAL_KEY = "seal_key"
# The columns of `event` that a link covers, in this order.
LINKED = (
    "account_id",
    "sequence",
    "at",
    "actor",
    "action",
    "target_kind",
    "target_id",
    "before",
    "after",
    "request_id",
)

_SEAL_PURPOSE = b"tui-licenses audit seal v1"


def link(head: str, values: Sequence[object]) -> str:
    """Return the digest (hex) of an event that follows `head`; `values` are those of `LINKED`."""
    return hashlib.sha256(head.encode() + b"\n" + msgspec.json.encode(values)).hexdigest()


def seal_key(pepper: bytes) -> bytes:
    """Return the key of the seals of a cloud, which follows from its pepper."""
    return hmac.digest(pepper, _SEAL_PURPOSE, "sha256")


def seal(key: bytes, account_id: str, event_count: int, head: str) -> str:
    """Return the MAC (hex) that vouches for the number and the head of an account's events."""
    content = msgspec.json.encode([account_id, event_count, head])
    return hmac.digest(key, content, "sha256").hex()
