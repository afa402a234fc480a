"""Server profiles: the XML with the hardware of one instance, as lshw writes it.

The document itself is kept byte for byte; this module only reads it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui_licenses.documents.identity import (
    HARDWARE_ADDRESSES_SETTING,
    MACHINE_ID_SETTING,
    PRODUCT_UUID_SETTING,
    fingerprint_of,
    normalise_hardware_addresses,
    normalise_machine_id,
    normalise_product_uuid,
)
from tui_licenses.documents.profile_rows import rows_of
from tui_licenses.documents.xml_reader import (
    PROFILE_SIZE_MAXIMUM,
    invalid_profile,
    read_xml,
)
from tui_licenses.domain.hardware import HardwareRow
from tui_licenses.errors import ProfileError

if TYPE_CHECKING:
    from lxml.etree import _Element

__all__ = [
    "PROFILE_SIZE_MAXIMUM",
    "ServerProfile",
    "check_activatable",
    "hardware_rows",
    "parse_profile",
]

_ROOT_NAMES = frozenset({"list", "node"})
_HOSTNAME_LENGTH_MAXIMUM = 255

# Interfaces that software makes up; a physical card never has one of these drivers.
_VIRTUAL_DRIVERS = frozenset(
    {"tun", "bridge", "veth", "dummy", "bonding", "team", "macvlan", "ipvlan", "vxlan", "ifb"}
    | {"802.1q vlan support", "vlan", "vrf", "gre", "sit", "wireguard", "openvswitch", "geneve"}
)


@dataclass(frozen=True, slots=True)
class ServerProfile:
    """What a server profile says about identity, in normal form.

    `fingerprint` is 64 hex digits, None where the profile identifies no server.
    """

    root_name: str
    hostname: str | None
    machine_id: str | None
    product_uuid: str | None
    hardware_addresses: tuple[str, ...]
    fingerprint: str | None


def parse_profile(data: bytes) -> ServerProfile:
    """Return what a server profile says about identity.

    Any XML within the limits is accepted, so that it can be looked at. Raises `ProfileError`:
    `profile-too-large`, `profile-invalid`.
    """
    root = read_xml(data)
    system = _system_node(root)
    settings = {} if system is None else _settings(system)
    machine_id = normalise_machine_id(settings.get(MACHINE_ID_SETTING, ""))
    product_uuid = normalise_product_uuid(settings.get(PRODUCT_UUID_SETTING, ""))
    listed = settings.get(HARDWARE_ADDRESSES_SETTING)
    addresses = normalise_hardware_addresses(
        listed.split() if listed is not None else _card_addresses(root)
    )
    return ServerProfile(
        root_name=str(root.tag),
        hostname=None if system is None else _hostname(system),
        machine_id=machine_id,
        product_uuid=product_uuid,
        hardware_addresses=addresses,
        fingerprint=fingerprint_of(machine_id, product_uuid, addresses),
    )


def check_activatable(profile: ServerProfile) -> str:
    """Return the fingerprint of a profile that a license can be bound to.

    Raises `ProfileError`: `profile-invalid` for XML that is no server profile,
    `profile-without-identity`.
    """
    if profile.root_name not in _ROOT_NAMES:
        raise invalid_profile("it is XML, but not the hardware of a server")
    if profile.fingerprint is None:
        raise ProfileError(
            "profile-without-identity",
            "This server profile holds nothing that identifies the server.",
            "Make a new profile on the server itself with `tui-licenses profile`.",
        )
    return profile.fingerprint


def hardware_rows(data: bytes) -> tuple[HardwareRow, ...]:
    """Return every leaf value of any XML within the limits, raw and in document order.

    Raises `ProfileError`: `profile-too-large`, `profile-invalid`.
    """
    return tuple(rows_of(read_xml(data)))


def _system_node(root: _Element) -> _Element | None:
    if root.tag == "node":
        return root
    nodes = root.findall("node") if root.tag == "list" else []
    return next((node for node in nodes if node.get("class") == "system"), next(iter(nodes), None))


def _settings(node: _Element) -> dict[str, str]:
    settings: dict[str, str] = {}
    for setting in node.iterfind("configuration/setting"):
        settings.setdefault(setting.get("id", ""), setting.get("value", ""))
    return settings


def _hostname(system: _Element) -> str | None:
    return system.get("id", "").strip()[:_HOSTNAME_LENGTH_MAXIMUM] or None


def _card_addresses(root: _Element) -> Iterator[str]:
    for node in root.iter("node"):
        driver = _settings(node).get("driver", "").lower()
        if node.get("class") == "network" and driver not in _VIRTUAL_DRIVERS:
            yield node.findtext("serial", "")
