"""Addresses of license clouds: https, or plain http to a literal loopback address.

An address is taken only where every reader of URLs reads the same host out of it. So it is
matched as a whole against a narrow form, and nothing is repaired: no user names, no percent signs
or backslashes, no letters outside ASCII, no numbers that some readers take for an address.
"""

from __future__ import annotations

import ipaddress
import re

from tui_licenses.errors import UseError
from tui_licenses.text import clean

_ADDRESS = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://"
    r"(?:\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|(?P<host>[0-9A-Za-z._-]+))"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<path>(?:/[0-9A-Za-z_~-][0-9A-Za-z._~-]*)*)/?"
)
# A name as it stands in a certificate: no empty label, so no dot at its end.
_LABEL = r"[0-9A-Za-z_](?:[0-9A-Za-z_-]{0,61}[0-9A-Za-z_])?"
_NAME = re.compile(rf"(?!.{{254}}){_LABEL}(?:\.{_LABEL})*")
# Readers of URLs take a host whose last label begins with a digit for an IPv4 address, and
# disagree which one: 127.1, 0x7f.1, 0177.0.0.1, 2130706433.
_NUMBER_AT_END = re.compile(r"(?:.*\.)?[0-9][^.]*")
_PORT_MAXIMUM = 65535


def check_url(url: str) -> str:
    """Return the address of a license cloud without a slash at its end.

    Raises `UseError`: `insecure-url` unless it is https or plain http to a literal loopback
    address, `url-invalid` for anything that is no such address.
    """
    parts = _ADDRESS.fullmatch(url.strip(" "))
    if parts is None or int(parts["port"] or 1) > _PORT_MAXIMUM:
        raise _invalid(url)
    address = _address_of(parts)
    if address is None and not _is_name(parts["host"] or ""):
        raise _invalid(url)
    scheme = parts["scheme"].lower()
    if scheme == "https" or (scheme == "http" and address is not None and address.is_loopback):
        return scheme + parts[0][len(scheme) :].rstrip("/")
    raise UseError(
        "insecure-url",
        f"“{clean(url)}” would send the sign-in unprotected.",
        "Use an https address; plain http is for 127.0.0.1 and [::1] only.",
    )


def is_loopback(host: str) -> bool:
    """Say whether a host is a literal loopback address (127.0.0.0/8, ::1), and no name."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _address_of(parts: re.Match[str]) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        if parts["ipv6"] is not None:
            return ipaddress.IPv6Address(parts["ipv6"])
        return ipaddress.IPv4Address(parts["host"])
    except ValueError:
        return None


def _is_name(host: str) -> bool:
    return _NAME.fullmatch(host) is not None and _NUMBER_AT_END.fullmatch(host) is None


def _invalid(url: str) -> UseError:
    return UseError(
        "url-invalid",
        f"“{clean(url)}” is not the address of a license cloud.",
        "Give an address such as https://cloud.example.com, without user name or query.",
    )
