"""Connections to a license cloud: whose certificates are trusted, and through which proxy."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Callable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui_licenses import __version__
from tui_licenses.api.bodies import ACCEPTED_ENCODING
from tui_licenses.api.faults import Endpoint, ca_file_refused, proxy_unusable
from tui_licenses.api.http_library import load_httpx

if TYPE_CHECKING:
    import httpx

    from tui_licenses.api.transport import TimeLimits


def make_client(
    endpoint: Endpoint,
    limits: TimeLimits,
    *,
    ca_file: Path | None,
    application: Callable[[], Any] | None,
) -> httpx.AsyncClient:
    """Return a client for a cloud on the network, or for an ASGI `application`.

    Nothing comes from the environment but the proxy: no netrc, no CA bundle of httpx, no
    SSLKEYLOGFILE. Raises `UseError` (`ca-file-invalid`), `UnavailableError` (`proxy-refused`).
    """
    load_httpx()
    import httpx

    # httpcore looks for sniffio at every lock it makes; to search the whole path for what is
    # not installed, again and again, takes longer than the request.
    sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]
    timeout = httpx.Timeout(limits.read, connect=limits.connect, write=limits.write, pool=None)
    headers = {
        "User-Agent": f"tui-licenses/{__version__}",
        "Accept": "application/json",
        "Accept-Encoding": ACCEPTED_ENCODING,
    }
    # Nobody signs in with cookies, so none are kept or sent.
    cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    if application is not None:
        # Given a transport, httpx reads no CA bundle; compressing for ourselves is waste.
        direct = httpx.ASGITransport(application(), raise_app_exceptions=False)
        headers["Accept-Encoding"] = "identity"
        return httpx.AsyncClient(
            transport=direct, timeout=timeout, headers=headers, cookies=cookies, trust_env=False
        )
    trusted = tls_context(endpoint, ca_file)
    try:
        return httpx.AsyncClient(
            timeout=timeout,
            headers=headers,
            cookies=cookies,
            verify=trusted,
            trust_env=False,
            follow_redirects=False,
            proxy=_proxy(endpoint, trusted),
        )
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        raise proxy_unusable(error) from error


def _proxy(endpoint: Endpoint, trusted: ssl.SSLContext) -> httpx.Proxy | None:
    import httpx

    url = endpoint.proxy_url()
    if url is None:
        return None
    # A proxy that speaks TLS itself is trusted as the cloud is.
    is_tls = url.lower().startswith("https:")
    return httpx.Proxy(url, ssl_context=trusted if is_tls else None)


def tls_context(endpoint: Endpoint, ca_file: Path | None) -> ssl.SSLContext:
    """Return what decides whom to trust: the system's store, or a file of certificates instead.

    TLS 1.2 or newer; there is no way to trust everybody. Raises `UseError` (`ca-file-invalid`).
    """
    # Not `create_default_context`: it would write session keys to the file SSLKEYLOGFILE names.
    if not endpoint.is_tls:
        # Trusts nobody: never used, and quicker to make than one that reads a store.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    elif ca_file is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ca_file_refused(ca_file, error) from error
    else:
        import truststore

        context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
