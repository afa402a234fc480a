"""The listening socket of `serve`: it takes only as many connections as it can bear.

Counting where connections are taken, and not where requests begin, counts those too that never
finish a TLS handshake.
"""

from __future__ import annotations

import resource
import socket
from collections import Counter

from tui_licenses.cloud.http.limits import subscriber

# More descriptors than that are of no use to one process.
_DESCRIPTORS_WANTED = 8192
# For the database, its journal, the log: without them no request can be answered.
_DESCRIPTORS_KEPT = 128


class GuardedListener(socket.socket):
    """Accepts at most `per_address` connections of one address, and leaves descriptors free."""

    def __init__(self, family: int, per_address: int) -> None:
        # Named, or asyncio does not know that it is TCP: it would leave Nagle's algorithm on, and
        # each answer in two writes would wait 40 ms for the caller's acknowledgement of the first.
        super().__init__(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._per_address = per_address
        self._most = _most_connections()
        self._open: Counter[str] = Counter()

    def accept(self) -> tuple[socket.socket, object]:
        """Take a connection; raises `ConnectionAbortedError` for one too many, which is closed."""
        taken, address = super().accept()
        caller = subscriber(address[0])
        if self._open[caller] >= self._per_address or self._open.total() >= self._most:
            taken.close()
            # asyncio goes on to other work and comes back for the next one.
            raise ConnectionAbortedError
        self._open[caller] += 1
        return _Counted(taken, caller, self._open), address


class _Counted(socket.socket):
    """A connection that is counted until it is closed."""

    def __init__(self, taken: socket.socket, caller: str, counts: Counter[str]) -> None:
        super().__init__(taken.family, taken.type, taken.proto, fileno=taken.detach())
        self._caller = caller
        self._counts: Counter[str] | None = counts

    def close(self) -> None:
        """Close, and count no longer."""
        counts, self._counts = self._counts, None
        if counts is not None:
            counts[self._caller] -= 1
            if not counts[self._caller]:
                del counts[self._caller]
        super().close()


def _most_connections() -> int:
    """Allow this process as many descriptors as it may have; return how many are for callers."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS_WANTED if hard == resource.RLIM_INFINITY else hard
    allowed = max(soft, min(wanted, _DESCRIPTORS_WANTED))
    if soft == resource.RLIM_INFINITY:
        allowed = _DESCRIPTORS_WANTED
    else:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return max(1, allowed - _DESCRIPTORS_KEPT)
