"""Serve the license cloud over HTTP with uvicorn.

Without TLS it binds to loopback addresses only: tokens and keys must not cross a network bare.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tui_licenses.errors import FileError, UseError

if TYPE_CHECKING:
    import socket

    from tui_licenses.cloud.http.limits import ConnectionLimits
    from tui_licenses.cloud.http.resource import Throttles

HOST_DEFAULT = "127.0.0.1"
PORT_DEFAULT = 8443

# 5 s: a client that keeps a connection open must not hold up a stop for longer.
_SHUTDOWN_SECONDS = 5
_HEADER_BYTES = 32 * 1024
_PROXY_ADDRESSES = ["127.0.0.1", "::1"]


def is_loopback(host: str) -> bool:
    """Say whether an address reaches this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_address(host: str, tls_cert: Path | None, tls_key: Path | None) -> None:
    """Refuse to serve other machines without TLS; raises `UseError` (`tls-required`)."""
    if (tls_cert is None) != (tls_key is None):
        raise UseError(
            "tls-required",
            "TLS needs a certificate and its key; one of them is missing.",
            "Give both `--tls-cert` and `--tls-key`.",
        )
    if tls_cert is None and not is_loopback(host):
        raise UseError(
            "tls-required",
            f"Serving on {host} without TLS would send tokens and keys in the clear.",
            "Give `--tls-cert` and `--tls-key`, or serve on 127.0.0.1 behind a reverse proxy.",
        )


def check_tls_files(tls_cert: Path, tls_key: Path) -> None:
    """Load the certificate and key once, so that a mistake is told before anything listens.

    Raises `FileError` (`tls-files-unusable`).
    """
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tls_cert, tls_key)
    except (OSError, ssl.SSLError) as error:
        raise FileError(
            "tls-files-unusable",
            "The TLS certificate and key cannot be used together.",
            "Give a PEM certificate chain and the unencrypted PEM key that belongs to it.",
        ) from error


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
    limits: ConnectionLimits | None = None,
    throttles: Throttles | None = None,
) -> bool:
    """Serve until SIGTERM or SIGINT, finish the requests in hand, and say whether it was SIGINT.

    Port 0 takes any free port; `on_ready` gets the base URL with the real port once requests
    are answered and signals are heard. `limits` and `throttles` are for tests. Raises `UseError`
    (`tls-required`, `address-unavailable`, `database-missing`) and `FileError`.
    """
    check_address(host, tls_cert, tls_key)
    if tls_cert is not None and tls_key is not None:
        check_tls_files(tls_cert, tls_key)
    from tui_licenses.cloud.app import create_app
    from tui_licenses.cloud.connection import ConnectionConfig
    from tui_licenses.cloud.http.limits import ConnectionLimits
    from tui_licenses.cloud.server import CloudServer
    from tui_licenses.cloud.store import open_store

    limits = limits or ConnectionLimits()

    store = open_store(database)
    try:
        config = ConnectionConfig(
            create_app(store, limits=limits, throttles=throttles),
            limits,
            ssl_certfile=tls_cert,
            ssl_keyfile=tls_key,
            log_config=None,
            # Our own access log names method, path and status; uvicorn's would add the query.
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
            h11_max_incomplete_event_size=_HEADER_BYTES,
            # Whom a reverse proxy on this host speaks for; the environment has no say in it.
            forwarded_allow_ips=_PROXY_ADDRESSES,
        )
        with _bind(host, port, limits.per_address) as bound:
            url = base_url(host, bound.getsockname()[1], is_tls=tls_cert is not None)
            server = CloudServer(config, lambda: (on_ready or _say_nothing)(url))
            server.run(sockets=[bound])
            return server.is_interrupted
    finally:
        store.close()


def _say_nothing(_url: str) -> None:
    """Tell nobody that the server is ready."""


def base_url(host: str, port: int, *, is_tls: bool) -> str:
    """Return the address clients are given."""
    shown_host = f"[{host}]" if ":" in host else host
    return f"{'https' if is_tls else 'http'}://{shown_host}:{port}"
