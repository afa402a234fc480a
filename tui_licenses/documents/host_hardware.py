"""The hardware of this host as the kernel tells it (psutil, /sys, /proc), in lshw's XML form."""

from __future__ import annotations

import platform
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tui_licenses.text import has_control_characters

if TYPE_CHECKING:
    from lxml.etree import _Element

_LINE_BYTES_MAXIMUM = 4096
_ETHERNET = "1"
_DMI_FIELDS = {
    "product": "product_name",
    "vendor": "sys_vendor",
    "version": "product_version",
    "serial": "product_serial",
}


def describe_host(root: Path) -> _Element:
    """Return the `<node class="system">` of this host; `root` is where /sys and /proc are."""
    from lxml import etree

    system = etree.Element("node", {"id": _safe(socket.gethostname()), "class": "system"})
    _add_texts(system, {"description": "Computer"})
    _add_texts(
        system,
        {name: read_line(root / "sys/class/dmi/id" / file) for name, file in _DMI_FIELDS.items()},
    )
    _add_settings(
        system,
        {
            "architecture": platform.machine(),
            "kernel": platform.release(),
            "operating-system": platform.system(),
        },
    )
    core = etree.SubElement(system, "node", {"id": "core", "class": "bus"})
    _add_processors(core, root)
    _add_memory(core)
    _add_disks(core, root)
    _add_cards(core, root)
    return system


def read_line(path: Path) -> str:
    """Return the first line of a small file of the kernel, empty where it cannot be read."""
    try:
        with path.open("rb") as stream:
            line = stream.readline(_LINE_BYTES_MAXIMUM)
    except OSError:
        return ""
    return line.decode("utf-8", errors="replace").strip("\0 \t\r\n")


def card_addresses(root: Path) -> Iterator[str]:
    """Yield the hardware addresses of physical network cards, as burnt in."""
    for card in _cards(root):
        # A card in a bond shows the bond's address; its own is kept here.
        yield read_line(card / "bonding_slave/perm_hwaddr") or read_line(card / "address")


def _cards(root: Path) -> Iterator[Path]:
    folder = root / "sys/class/net"
    cards = sorted(folder.iterdir()) if folder.is_dir() else []
    for card in cards:
        # Only what hangs on a bus has a device: no bridge, tunnel or container interface does.
        if (card / "device").exists() and read_line(card / "type") == _ETHERNET:
            yield card


def _add_processors(core: _Element, root: Path) -> None:
    import psutil

    models: dict[str, int] = {}
    for name, value in _processor_lines(root):
        if name in {"model name", "Model"}:
            models[value] = models.get(value, 0) + 1
    node = _add_node(core, "cpu", "processor")
    _add_texts(node, {"description": "CPU", "product": ", ".join(models)})
    _add_settings(
        node,
        {
            "cores": str(psutil.cpu_count(logical=False) or ""),
            "threads": str(psutil.cpu_count() or ""),
        },
    )


def _processor_lines(root: Path) -> Iterator[tuple[str, str]]:
    try:
        text = (root / "proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for line in text.splitlines():
        name, _, value = line.partition(":")
        yield name.strip(), value.strip()


def _add_memory(core: _Element) -> None:
    import psutil

    node = _add_node(core, "memory", "memory")
    _add_texts(node, {"description": "System memory", "size": str(psutil.virtual_memory().total)})


def _add_disks(core: _Element, root: Path) -> None:
    folder = root / "sys/block"
    disks = sorted(folder.iterdir()) if folder.is_dir() else []
    for disk in disks:
        if (disk / "device").exists():
            node = _add_node(core, f"disk:{disk.name}", "disk")
            sectors = read_line(disk / "size")
            size = str(int(sectors) * 512) if sectors.isdecimal() else ""
            _add_texts(
                node,
                {
                    "product": read_line(disk / "device/model"),
                    "vendor": read_line(disk / "device/vendor"),
                    "logicalname": f"/dev/{disk.name}",
                    "size": size,
                },
            )


def _add_cards(core: _Element, root: Path) -> None:
    for card in _cards(root):
        node = _add_node(core, f"network:{card.name}", "network")
        driver = card / "device/driver"
        _add_texts(
            node,
            {
                "description": "Network interface",
                "logicalname": card.name,
                "serial": read_line(card / "address"),
            },
        )
        _add_settings(node, {"driver": driver.resolve().name if driver.exists() else ""})


def _add_node(parent: _Element, identifier: str, kind: str) -> _Element:
    from lxml import etree

    return etree.SubElement(parent, "node", {"id": _safe(identifier), "class": kind})


def _add_texts(node: _Element, texts: Mapping[str, str]) -> None:
    from lxml import etree

    for name, text in texts.items():
        if text:
            etree.SubElement(node, name).text = _safe(text)


def _add_settings(node: _Element, settings: Mapping[str, str]) -> None:
    from lxml import etree

    configuration = etree.SubElement(node, "configuration")
    for name, value in settings.items():
        if value:
            etree.SubElement(configuration, "setting", {"id": name, "value": _safe(value)})


def _safe(text: str) -> str:
    # XML has no place for control characters, and firmware strings hold them.
    if not has_control_characters(text):
        return text
    return "".join(character if character.isprintable() else " " for character in text)
