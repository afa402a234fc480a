"""What identifies a server, and the fingerprint made of it (docs/license-file.md).

The first of machine-id, product uuid and hardware addresses that is there counts, so that the
fingerprint is the same whether root or somebody else looked, with lshw or without.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

MACHINE_ID_SETTING = "machine-id"
PRODUCT_UUID_SETTING = "uuid"
HARDWARE_ADDRESSES_SETTING = "hardware-addresses"

_HEX_32 = re.compile(r"[0-9a-f]{32}")
_HARDWARE_ADDRESS = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")

# Written by firmware whose maker never filled the value in: many servers have the same.
_SHARED_UUIDS = frozenset(
    {
        "03000200040005000006000700080009",
        "00020003000400050006000700080009",
        "4c4c454400002010802080c04f202020",
        "123456781234567890abcddeefaabbcc",
        "0123456789abcdef0123456789abcdef",
    }
)
_MULTICAST = 0b01
_LOCALLY_ADMINISTERED = 0b10


def normalise_machine_id(text: str) -> str | None:
    """Return a machine-id as 32 lower-case hex digits, or None where it identifies nothing."""
    digits = text.strip().lower().replace("-", "")
    if not _HEX_32.fullmatch(digits) or len(set(digits)) == 1:
        return None
    return digits


def normalise_product_uuid(text: str) -> str | None:
    """Return a product uuid in its usual lower-case form, or None where it identifies nothing."""
    digits = text.strip().lower().removeprefix("urn:uuid:").strip("{}").strip().replace("-", "")
    if not _HEX_32.fullmatch(digits) or len(set(digits)) == 1 or digits in _SHARED_UUIDS:
        return None
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def normalise_hardware_address(text: str) -> str | None:
    """Return the hardware address of a network card, or None where it is not burnt in.

    Zero, multicast and locally administered addresses are made up by software.
    """
    address = text.strip().lower().replace("-", ":")
    if not _HARDWARE_ADDRESS.fullmatch(address):
        return None
    first = int(address[:2], 16)
    if first & (_MULTICAST | _LOCALLY_ADMINISTERED) or not address.strip("0:"):
        return None
    return address


def normalise_hardware_addresses(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the usable hardware addresses, each once, sorted."""
    found = (normalise_hardware_address(text) for text in texts)
    return tuple(sorted({address for address in found if address}))


def fingerprint_of(
    machine_id: str | None, product_uuid: str | None, hardware_addresses: tuple[str, ...]
) -> str | None:
    """Return the fingerprint of normalised values as 64 hex digits, None where there are none."""
    if machine_id:
        identity = f"machine-id:{machine_id}"
    elif product_uuid:
        identity = f"product-uuid:{product_uuid}"
    elif hardware_addresses:
        identity = f"hardware-addresses:{','.join(hardware_addresses)}"
    else:
        return None
    return hashlib.sha256(identity.encode("ascii")).hexdigest()
