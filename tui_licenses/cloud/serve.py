"""Serve the license cloud over HTTP with uvicorn.

Without TLS it binds to loopback addresses only: tokens and keys must not cross a network bare.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tui_licenses.cloud.start_checks import (
    check_address,
    check_database,
    check_tls_files,
    current_time,
    warn_of_root,
)
from tui_licenses.errors import UseError

if TYPE_CHECKING:
    import socket

    from starlette.applications import Starlette

    from tui_licenses.cloud.connection import ConnectionConfig
    from tui_licenses.cloud.http.limits import ConnectionLimits
    from tui_licenses.cloud.http.resource import Throttles

HOST_DEFAULT = "127.0.0.1"
PORT_DEFAULT = 8443

# 5 s: a client that keeps a connection open must not hold up a stop for longer.
_SHUTDOWN_SECONDS = 5
_HEADER_BYTES = 32 * 1024
_PROXY_ADDRESSES = ["127.0.0.1", "::1"]


def _bind(host: str, port: int, per_address: int) -> socket.socket:
    """Bind before the server starts, so that a taken port is an error of ours, not an exit."""
    import socket as sockets

    from tui_licenses.cloud.listener import GuardedListener

    family = sockets.AF_INET6 if ":" in host else sockets.AF_INET
    bound = GuardedListener(family, per_address)
    bound.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen()
    except OSError as error:
        bound.close()
        raise UseError(
            "address-unavailable",
            f"Nothing can be served on {host} port {port}: {error.strerror}.",
            "Choose another `--port`, or 0 for any free one.",
        ) from error
    return bound


def serve(
    database: str | Path,
    host: str = HOST_DEFAULT,
    port: int = PORT_DEFAULT,
    tls_cert: Path | None = None,
    tls_key: Path | None = None,
    *,
    on_ready: Callable[[str], None] | None = None,
    on_warning: Callable[[str], None] | None = None,
    limits: ConnectionLimits | None = None,
    throttles: Throttles | None = None,
) -> bool:
    """Serve until SIGTERM or SIGINT, finish the requests in hand, and say whether it was SIGINT.

    Port 0 takes any free port; `on_ready` gets the base URL with the real port once requests
    are answered and signals are heard, `on_warning` what is dangerous but served all the same.
    `limits` and `throttles` are for tests. Raises `UseError` (`tls-required`,
    `address-unavailable`, `database-missing`) and `FileError` (those of `start_checks` too).
    """
    warn = on_warning or _say_nothing
    check_address(host, tls_cert, tls_key)
    if tls_cert is not None and tls_key is not None:
        check_tls_files(tls_cert, tls_key, current_time(), warn)
    from tui_licenses.cloud.app import create_app
    from tui_licenses.cloud.database import find_database
    from tui_licenses.cloud.http.limits import ConnectionLimits
    from tui_licenses.cloud.server import CloudServer
    from tui_licenses.cloud.store import open_store

    kept_in = find_database(database)
    if kept_in.is_file:
        check_database(kept_in.path)
    warn_of_root(warn)
    limits = limits or ConnectionLimits()
    store = open_store(database)
    try:
        app = create_app(store, limits=limits, throttles=throttles)
        config = _configuration(app, limits, tls_cert, tls_key)
        with _bind(host, port, limits.per_address) as bound:
            address, bound_port = bound.getsockname()[:2]
            # The name `localhost` can stand for any address.
            check_address(address, tls_cert, tls_key)
            url = base_url(host, bound_port, is_tls=tls_cert is not None)
            server = CloudServer(config, lambda: (on_ready or _say_nothing)(url))
            server.run(sockets=[bound])
            return server.is_interrupted
    finally:
        store.close()


def _configuration(
    app: Starlette, limits: ConnectionLimits, tls_cert: Path | None, tls_key: Path | None
) -> ConnectionConfig:
    from tui_licenses.cloud.connection import ConnectionConfig

    return ConnectionConfig(
        app,
        limits,
        ssl_certfile=tls_cert,
        ssl_keyfile=tls_key,
        log_config=None,
        # Whoever sends what is no HTTP must not fill the log.
        log_level="error",
        # Our own access log names method, path and status; uvicorn's would add the query.
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        h11_max_incomplete_event_size=_HEADER_BYTES,
        # Whom a reverse proxy on this host speaks for; the environment has no say in it.
        forwarded_allow_ips=_PROXY_ADDRESSES,
    )


def _say_nothing(_message: str) -> None:
    """Tell nobody."""


def base_url(host: str, port: int, *, is_tls: bool) -> str:
    """Return the address clients are given."""
    shown_host = f"[{host}]" if ":" in host else host
    return f"{'https' if is_tls else 'http'}://{shown_host}:{port}"
