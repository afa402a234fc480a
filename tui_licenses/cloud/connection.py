"""One connection of `serve`: uvicorn's, with an end to everything a caller can leave open.

uvicorn ends connections between requests only. Here a head must be whole in time, an answer must
be read, and what is no HTTP is told so with a problem document.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any
from uuid import uuid4

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from tui_licenses.api.problems import Problem
from tui_licenses.cloud.http.limits import ConnectionLimits
from tui_licenses.cloud.http.reply import SECURITY_HEADERS, problem_reply

# Requests sent before the answer to the one in hand: more than any client has in flight.
_AHEAD_BYTES = 64 * 1024

_UNSENT_BYTES = 16 * 1024

_HANG_UP_SECONDS = 1.0
_UNWANTED_BYTES = 1024 * 1024


class ConnectionConfig(uvicorn.Config):
    """The configuration of a server whose connections are `GuardedConnection`s."""

    def __init__(self, app: Any, limits: ConnectionLimits, **options: Any) -> None:  # noqa: ANN401
        # h11 and asyncio, whatever else is installed: the guards are made for them.
        super().__init__(
            app,
            http=GuardedConnection,
            loop="tui_licenses.cloud.server:new_event_loop",
            ws="none",
            timeout_keep_alive=limits.idle_seconds,  # type: ignore[arg-type]
            **options,
        )
        self.limits = limits


class CountedConnection(h11.Connection):
    """The state of a connection, which counts all that was given to the transport."""

    sent_bytes = 0

    def send_with_data_passthrough(self, event: h11.Event) -> list[bytes] | None:
        """Return the bytes of an event, which are written at once."""
        parts = super().send_with_data_passthrough(event)
        self.sent_bytes += sum(map(len, parts or ()))
        return parts


class GuardedConnection(H11Protocol):
    """Closes a connection whose request does not come or whose answer is not read."""

    def __init__(
        self,
        config: ConnectionConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        limit = self.conn._max_incomplete_event_size
        self._http = self.conn = CountedConnection(h11.SERVER, limit)
        self._limits = config.limits
        self._head_timer: asyncio.TimerHandle | None = None
        self._answer_timer: asyncio.TimerHandle | None = None
        self._hang_up_timer: asyncio.TimerHandle | None = None
        # What came since this side hung up, None before that.
        self._unwanted_bytes: int | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a head: a caller that never sends anything is closed too."""
        super().connection_made(transport)
        connected = transport.get_extra_info("socket")
        if connected is not None and connected.family != socket.AF_UNIX:
            # The system takes more once little is unsent, not once a third of megabytes has left:
            # a slow reader would look like one who reads nothing.
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_BYTES)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop every timer."""
        for timer in (self._head_timer, self._answer_timer, self._hang_up_timer):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; a head that has begun has a time limit in all, not one for each byte."""
        if self._unwanted_bytes is not None:
            self._unwanted_bytes += len(data)
            if self._unwanted_bytes > _UNWANTED_BYTES:
                # Now the caller has to wait, and can hear the answer.
                self.flow.pause_reading()
            return
        super().data_received(data)
        self._watch_head()
        if self.conn.their_state is h11.DONE and len(self.conn.trailing_data[0]) > _AHEAD_BYTES:
            # uvicorn reads more whenever a request ends, however many wait already.
            self.transport.abort()

    def on_response_complete(self) -> None:
        """Go on to the next request, once this answer is on its way to somebody who reads."""
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY:
            # Nobody reads the rest of this body, which could be sent for ever.
            self._hang_up()
        elif self.conn.trailing_data[0]:
            self._watch_head()
        self._watch_answer()

    def pause_writing(self) -> None:
        """Note that an answer waits for its reader."""
        super().pause_writing()
        self._watch_answer()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's own words
        """Refuse what is no HTTP, unless an answer has begun; close either way."""
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            self.transport.close()
            return
        request_id = str(uuid4())
        reply = problem_reply(Problem("invalid-request", "This is no valid HTTP."), request_id)
        headers = {
            **SECURITY_HEADERS,
            **reply.headers,
            "X-Request-Id": request_id,
            "Content-Length": str(len(reply.body)),
            "Connection": "close",
        }
        sent = [(name.encode(), value.encode()) for name, value in headers.items()]
        for event in (
            h11.Response(status_code=400, headers=sent, reason=b"Bad Request"),
            h11.Data(data=reply.body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self._hang_up()
        self._watch_answer()

    def _hang_up(self) -> None:
        """Close, but hear the caller out for a moment: a caller still sending would see a reset.

        Its system could then throw the answer away.
        """
        if self.transport.is_closing():
            return
        self._unwanted_bytes = 0
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._unset_keepalive_if_required()
        self._hang_up_timer = self.loop.call_later(_HANG_UP_SECONDS, self.transport.close)

    def _watch_head(self) -> None:
        if self.conn.their_state is h11.IDLE:
            self._await_head()
        elif self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _await_head(self) -> None:
        if self._head_timer is None and not self.transport.is_closing():
            self._head_timer = self.loop.call_later(self._limits.head_seconds, self.transport.close)

    def _watch_answer(self) -> None:
        waiting = self.transport.get_write_buffer_size()
        if waiting and self._answer_timer is None:
            self._answer_timer = self.loop.call_later(
                self._limits.answer_seconds, self._look_at_answer, waiting, self._left_bytes()
            )

    def _look_at_answer(self, waiting: int, left_before: int) -> None:
        """Close where little of what waited has left; an answer that came later does not count."""
        self._answer_timer = None
        if self._left_bytes() - left_before < min(waiting, self._limits.answer_bytes):
            self.transport.abort()
        else:
            self._watch_answer()

    def _left_bytes(self) -> int:
        return self._http.sent_bytes - self.transport.get_write_buffer_size()
