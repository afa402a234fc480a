"""XML from outside, read within limits: no document type, no entities, no network.

lxml's own defaults expand internal entities and accept UTF-16; `resolve_entities=False` alone
leaves text silently out. So every document type declaration is refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tui_licenses.errors import DocumentError, ProfileError

if TYPE_CHECKING:
    from lxml.etree import XMLPullParser, _Element

PROFILE_SIZE_MAXIMUM = 1024 * 1024
DEPTH_MAXIMUM = 32
ELEMENTS_MAXIMUM = 20_000
ATTRIBUTES_MAXIMUM = 64
NAMESPACES_MAXIMUM = 16
TEXT_BYTES_MAXIMUM = 64 * 1024

_CHUNK_BYTES = 16 * 1024
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_DECLARED_ENCODING = re.compile(rb"""\A<\?xml[^>]*?\sencoding\s*=\s*["']([^"']*)["']""")
_ENCODINGS = frozenset({b"utf-8", b"us-ascii", b"ascii"})


def read_xml(data: bytes) -> _Element:
    """Return the root element of hostile bytes.

    Raises `DocumentError`: `profile-too-large`, `profile-invalid`.
    """
    from lxml import etree

    if len(data) > PROFILE_SIZE_MAXIMUM:
        raise DocumentError(
            "profile-too-large",
            f"A server profile has at most {PROFILE_SIZE_MAXIMUM} bytes; this is larger.",
            "Check that this is the right file.",
        )
    document = data.removeprefix(_BYTE_ORDER_MARK)
    _check_bytes(document)
    parser = etree.XMLPullParser(
        events=("start", "end", "start-ns"),
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
    limits = _Limits()
    try:
        for start in range(0, len(document), _CHUNK_BYTES):
            parser.feed(document[start : start + _CHUNK_BYTES])
            limits.check(parser)
        root: _Element = parser.close()
        limits.check(parser)
    except etree.XMLSyntaxError as error:
        raise invalid_profile("it is not well-formed XML") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise invalid_profile("it has a document type declaration")
    for element in root.iter():
        _check_element(element)
    return root


def invalid_profile(reason: str) -> ProfileError:
    """Return the error for a server profile that cannot be used."""
    return ProfileError(
        "profile-invalid",
        f"This is not a valid server profile: {reason}.",
        "Make a new profile on the server with `tui-licenses profile`.",
    )


def _check_bytes(document: bytes) -> None:
    if not document.strip():
        raise invalid_profile("it is empty")
    if document.startswith(_BYTE_ORDER_MARK):
        # The parser would take a second one off as silently as this module the first.
        raise invalid_profile("it has two byte order marks")
    try:
        document.decode("utf-8", errors="strict")
    except UnicodeDecodeError as error:
        raise invalid_profile("it is not UTF-8") from error
    declared = _DECLARED_ENCODING.match(document)
    if declared and declared[1].lower() not in _ENCODINGS:
        raise invalid_profile("it declares an encoding other than UTF-8")
    if b"<!DOCTYPE" in document or b"<!ENTITY" in document:
        raise invalid_profile("it has a document type declaration")


def _check_element(element: _Element) -> None:
    if len(element.attrib) > ATTRIBUTES_MAXIMUM:
        raise invalid_profile("an element has too many attributes")
    for text in (element.text, element.tail, *element.attrib.values()):
        if text is not None and len(text.encode("utf-8")) > TEXT_BYTES_MAXIMUM:
            raise invalid_profile("a text is too long")


class _Limits:
    """Counts what the parser meets, so that it can be stopped long before memory is gone."""

    def __init__(self) -> None:
        self._depth = 0
        self._elements = 0
        self._namespaces = 0

    def check(self, parser: XMLPullParser) -> None:
        for event, _ in parser.read_events():
            if event == "start":
                self._depth += 1
                self._elements += 1
            elif event == "end":
                self._depth -= 1
            else:
                self._namespaces += 1
            if self._depth > DEPTH_MAXIMUM:
                raise invalid_profile("it is nested too deeply")
            if self._elements > ELEMENTS_MAXIMUM:
                raise invalid_profile("it has too many elements")
            if self._namespaces > NAMESPACES_MAXIMUM:
                raise invalid_profile("it declares too many namespaces")
