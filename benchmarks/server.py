"""A license cloud that is served, and a way to it that counts what passes."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import threading
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from benchmarks.errors import BenchmarkError
from benchmarks.homes import Home, our_command
from tui_licenses.cloud.embedded import embedded_credentials

_STOP_SECONDS = 15
_READ_BYTES = 65536
# A request line ends like this; nothing else that our client sends does.
_REQUEST_MARK = b" HTTP/1.1\r\n"


class ServedCloud:
    """Serves the embedded cloud of a home on a free port, in a process of its own."""

    def __init__(self, home: Home) -> None:
        self.home = home
        command = our_command("cloud", "serve", "--port", "0", "--format", "jsonl")
        self._process = subprocess.Popen(
            command,
            env=home.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise BenchmarkError("the license cloud does not start")
        self.url: str = json.loads(line)["url"]
        first = embedded_credentials(home.database)[0]
        self.subject_id, self.refresh_token = first.subject_id, first.refresh_token
        self.account_id = first.account_id

    def stop(self) -> None:
        """Stop serving."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(timeout=_STOP_SECONDS)
        if self._process.stdout is not None:
            self._process.stdout.close()


@dataclass(frozen=True, slots=True)
class Traffic:
    """How much has passed: requests, and bytes of both directions."""

    request_count: int = 0
    byte_count: int = 0

    def since(self, earlier: Traffic) -> Traffic:
        """Return what has passed since an earlier count."""
        return Traffic(
            self.request_count - earlier.request_count, self.byte_count - earlier.byte_count
        )


class CountingProxy:
    """Hands connections on to a served cloud and counts; runs in a thread of its own.

    While `is_open` is false it refuses, like a network that is down.
    """

    def __init__(self, target_url: str) -> None:
        parts = urlsplit(target_url)
        self._target = (parts.hostname, parts.port)
        self.traffic = Traffic()
        self.is_open = True
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._has_started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._has_started.wait()

    def stop(self) -> None:
        """Close every connection."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._has_started.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.05))
        self._loop.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.is_open:
            writer.close()
            return
        with suppress(OSError, asyncio.CancelledError):
            up_reader, up_writer = await asyncio.open_connection(*self._target)
            await asyncio.gather(
                self._hand_on(reader, up_writer, is_request=True),
                self._hand_on(up_reader, writer, is_request=False),
            )

    async def _hand_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_request: bool
    ) -> None:
        carried = b""
        with suppress(OSError):
            while data := await reader.read(_READ_BYTES):
                found = (carried + data).count(_REQUEST_MARK) if is_request else 0
                carried = data[1 - len(_REQUEST_MARK) :]
                self.traffic = Traffic(
                    self.traffic.request_count + found, self.traffic.byte_count + len(data)
                )
                writer.write(data)
                await writer.drain()
        writer.close()
