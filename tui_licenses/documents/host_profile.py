"""This host's own server profile: from lshw where it is installed, else from the kernel.

Both come out in the XML form of lshw, with machine-id, product uuid and hardware addresses added
as settings: a plain lshw of a bare virtual machine has none of them.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tui_licenses.documents.host_hardware import card_addresses, describe_host, read_line
from tui_licenses.documents.identity import (
    HARDWARE_ADDRESSES_SETTING,
    MACHINE_ID_SETTING,
    PRODUCT_UUID_SETTING,
    normalise_hardware_addresses,
    normalise_machine_id,
    normalise_product_uuid,
)
from tui_licenses.documents.profile import parse_profile
from tui_licenses.documents.xml_reader import read_xml
from tui_licenses.errors import DocumentError

if TYPE_CHECKING:
    from lxml.etree import _Element

LSHW_TIMEOUT_SECONDS = 60.0
# lshw finds its program in the system's folders only, whoever set PATH.
_SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin"
_ENVIRONMENT = {"PATH": _SYSTEM_PATH, "LC_ALL": "C.UTF-8", "LANGUAGE": "C"}
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REFERENCE_NOT_IN_XML = re.compile(
    r"&#(?:0*(?:[0-8]|1[124-9]|2[0-9]|3[01])|x0*(?:[0-8bcef]|1[0-9a-f]));", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class HostSources:
    """Where this host tells about itself; `lshw` is None where it is not installed."""

    lshw: str | None = field(default_factory=lambda: shutil.which("lshw", path=_SYSTEM_PATH))
    root: Path = Path("/")
    lshw_timeout_seconds: float = LSHW_TIMEOUT_SECONDS


def collect_host_profile(sources: HostSources | None = None) -> bytes:
    """Return the server profile of this host.

    It takes seconds where lshw runs. A host without any identity gives a profile that can be
    viewed and not activated.
    """
    from lxml import etree

    sources = sources or HostSources()
    document = _lshw_document(sources)
    if document is None:
        document = describe_host(sources.root)
    _add_identity(_system_node(document), sources.root)
    etree.indent(document, space=" ")
    data: bytes = etree.tostring(document, xml_declaration=True, encoding="UTF-8")
    parse_profile(data)
    return data


def _lshw_document(sources: HostSources) -> _Element | None:
    """Return what lshw tells, None where it is missing, fails, or tells nothing usable."""
    if sources.lshw is None:
        return None
    try:
        done = subprocess.run(
            [sources.lshw, "-xml", "-quiet"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=_ENVIRONMENT,
            timeout=sources.lshw_timeout_seconds,
            check=True,
        )
        root = read_xml(_without_invalid_characters(done.stdout))
    except (OSError, subprocess.SubprocessError, DocumentError):
        return None
    is_usable = root.tag == "node" or (root.tag == "list" and root.find("node") is not None)
    return root if is_usable else None


def _without_invalid_characters(output: bytes) -> bytes:
    """Return lshw's output without what firmware strings smuggle in and XML cannot hold."""
    text = output.decode("utf-8", errors="replace")
    return _REFERENCE_NOT_IN_XML.sub("", _NOT_IN_XML.sub("", text)).encode("utf-8")


def _system_node(document: _Element) -> _Element:
    if document.tag == "node":
        return document
    nodes = document.findall("node")
    return next((node for node in nodes if node.get("class") == "system"), nodes[0])


def _add_identity(system: _Element, root: Path) -> None:
    from lxml import etree

    configuration = system.find("configuration")
    if configuration is None:
        configuration = etree.SubElement(system, "configuration")
    present = {setting.get("id") for setting in configuration}
    for name, value in _identity(root).items():
        if name not in present:
            etree.SubElement(configuration, "setting", {"id": name, "value": value})


def _identity(root: Path) -> dict[str, str]:
    addresses = normalise_hardware_addresses(card_addresses(root))
    found = {
        MACHINE_ID_SETTING: normalise_machine_id(read_line(root / "etc/machine-id"))
        or normalise_machine_id(read_line(root / "var/lib/dbus/machine-id")),
        PRODUCT_UUID_SETTING: normalise_product_uuid(
            read_line(root / "sys/class/dmi/id/product_uuid")
        ),
        HARDWARE_ADDRESSES_SETTING: " ".join(addresses) or None,
    }
    return {name: value for name, value in found.items() if value}
