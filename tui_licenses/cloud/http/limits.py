"""How long a connection may take over each part of a request, and how many there may be."""

from __future__ import annotations

import ipaddress
import math
from dataclasses import dataclass

from tui_licenses.cloud.http.resource import BODY_BYTES

# What one subscriber gets: whoever has one IPv6 address has 2^64 of them.
_SUBSCRIBER_BITS = 64


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """The limits of one running server; a test may shorten them, the program never does."""

    # From the connection, or from the first byte of a later request, to the end of its headers.
    head_seconds: float = 5.0
    # For each 64 KiB of a body, or what is left of them.
    body_seconds: float = 5.0
    # Between requests. Clients forget a connection after 5 s: they must be the first to.
    idle_seconds: float = 10.0
    # How often an answer that waits for its reader is looked at, and what must have left by then.
    answer_seconds: float = 10.0
    answer_bytes: int = 10 * 1024
    # A reverse proxy on this host is one address too.
    per_address: int = 128

    def body_deadline(self, size_bytes: int) -> float:
        """Return the seconds in which a body of this size must be here."""
        return self.body_seconds * max(1, math.ceil(size_bytes / BODY_BYTES))


def subscriber(host: str) -> str:
    """Return the part of an address that one caller is known by; empty for no address."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return ""
    if address.version == 4:
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, _SUBSCRIBER_BITS), strict=False))
