"""A server profile as a table: every leaf value of the XML, each in a row of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tui_licenses.domain.hardware import HardwareRow

if TYPE_CHECKING:
    from lxml.etree import _Element

_SEPARATOR = " / "
# lshw names a value in one of these: <setting id>, <capability id>, <hint name>, <resource type>.
_LABELS = ("id", "name", "type")
# A longer name is not repeated in every row below it: a megabyte of XML would become gigabytes.
_LABEL_LENGTH_MAXIMUM = 100


def rows_of(root: _Element) -> Iterator[HardwareRow]:
    """Yield the rows of a document; section and attribute are paths, values are raw."""
    if root.tag != "list":
        yield from _part(root, "")
        return
    yield from _own_values(root, "list", "")
    for child in root:
        yield from _part(child, "")
        yield from _tail(child, "list", "")


def _part(element: _Element, section: str) -> Iterator[HardwareRow]:
    section = _join(section, _part_name(element, is_top=not section))
    yield from _own_values(element, section, "")
    yield from _children(element, section, "")


def _part_name(element: _Element, *, is_top: bool) -> str:
    # The top node carries the host's name as its id; the path says what it is instead.
    if is_top and element.get("class") == "system":
        return "system"
    identifier = element.get("id", "")
    return _short(identifier) if identifier and element.tag == "node" else _name(element)


def _children(element: _Element, section: str, attribute: str) -> Iterator[HardwareRow]:
    for child in element:
        if child.tag == "node":
            yield from _part(child, section)
        else:
            yield from _value(child, section, attribute)
        yield from _tail(child, section, attribute)


def _value(element: _Element, section: str, attribute: str) -> Iterator[HardwareRow]:
    label = _label(element)
    if label is None:
        attribute = _join(attribute, _name(element))
        yield from _own_values(element, section, attribute)
        yield from _children(element, section, attribute)
    else:
        attribute = _join(attribute, element.get(label, ""))
        yield from _labelled_values(element, section, attribute, label)


def _label(element: _Element) -> str | None:
    # Parts below it have paths of their own, without the label: it would be lost.
    if len(element):
        return None
    for label in _LABELS:
        text = element.get(label)
        if text and len(text) <= _LABEL_LENGTH_MAXIMUM:
            return label
    return None


def _labelled_values(
    element: _Element, section: str, attribute: str, label: str
) -> Iterator[HardwareRow]:
    value = element.get("value")
    text = element.text or ""
    if value is not None:
        yield HardwareRow(section, attribute, value)
    if text.strip() or value is None:
        yield HardwareRow(section, attribute, text)
    for name, other in _attributes(element):
        if name not in {label, "value"}:
            yield HardwareRow(section, _join(attribute, _short(name)), other)


def _own_values(element: _Element, section: str, attribute: str) -> Iterator[HardwareRow]:
    for name, value in _attributes(element):
        yield HardwareRow(section, _join(attribute, _short(name)), value)
    text = element.text or ""
    if text.strip() or not (len(element) or element.attrib):
        yield HardwareRow(section, attribute or _name(element), text)


def _tail(element: _Element, section: str, attribute: str) -> Iterator[HardwareRow]:
    if element.tail and element.tail.strip():
        yield HardwareRow(section, attribute or "text", element.tail)


def _attributes(element: _Element) -> Iterator[tuple[str, str]]:
    for name, value in element.attrib.items():
        yield _local(str(name)), str(value)


def _name(element: _Element) -> str:
    return _short(_local(str(element.tag)))


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _short(text: str) -> str:
    if len(text) <= _LABEL_LENGTH_MAXIMUM:
        return text
    return text[: _LABEL_LENGTH_MAXIMUM - 1] + "…"


def _join(path: str, name: str) -> str:
    return f"{path}{_SEPARATOR}{name}" if path else name
