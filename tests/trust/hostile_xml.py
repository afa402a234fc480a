"""XML made to be expensive, to read what is not its business, or to look like a profile."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

_MEBIBYTE = 1024 * 1024
_IDENTITY = '<configuration><setting id="machine-id" value="%s"/></configuration>' % ("1f" * 16)
NODE = f'<node id="server" class="system">{_IDENTITY}</node>'


@dataclass(frozen=True)
class HostileXml:
    """One document; `is_profile` says that it is to be accepted in spite of its looks."""

    name: str
    data: bytes
    is_profile: bool = False


def _entity(declarations: str, text: str = "&x;") -> bytes:
    return f"<!DOCTYPE node [{declarations}]>{NODE.replace('server', text)}".encode()


def _laughs(levels: int, each: int) -> bytes:
    names = ["x", *(f"x{level}" for level in range(1, levels))]
    declarations = [f'<!ENTITY {names[-1]} "lol">']
    declarations += [f'<!ENTITY {name} "{f"&{inner};" * each}">' for name, inner in pairwise(names)]
    return _entity("".join(declarations))


def _with(text: str) -> bytes:
    """Return a profile with more inside its node."""
    return NODE.replace("</node>", f"{text}</node>").encode()


def _many(attribute: str, count: int) -> str:
    return f"<a {' '.join(attribute.format(number) for number in range(count))}/>"


def hostile_documents(canary: Path) -> list[HostileXml]:
    """Return every document; some try to read the file `canary`."""
    return [*_entities(canary), *_large(), *_encodings(), *_malformed(), *_strangers(canary)]


def _entities(canary: Path) -> list[HostileXml]:
    url = canary.as_uri()
    documents = {
        "a file": _entity(f'<!ENTITY x SYSTEM "{url}">'),
        "a file by a public name": _entity(f'<!ENTITY x PUBLIC "-//x" "{url}">'),
        "a file as a parameter": _entity(f'<!ENTITY % x SYSTEM "{url}"> %x;', "a"),
        "a file with attributes": _entity(f'<!ENTITY x SYSTEM "{url}">', "a") + b"&x;",
        "a network address": _entity('<!ENTITY x SYSTEM "http://127.0.0.1:9/">'),
        "a document type elsewhere": f'<!DOCTYPE node SYSTEM "{url}">{NODE}'.encode(),
        "a document type alone": f"<!DOCTYPE node>{NODE}".encode(),
        "an inner entity": _entity('<!ENTITY x "a">'),
        "an unused entity": _entity('<!ENTITY x "a">', "a"),
        "default attributes": _entity('<!ATTLIST node class CDATA "system">', "a"),
        "a notation": _entity('<!NOTATION gif SYSTEM "viewer">', "a"),
        "ten laughs": _laughs(2, 10),
        "a thousand million laughs": _laughs(10, 10),
        "a small bomb": _laughs(4, 5),
        "a quadratic bomb": _entity(f'<!ENTITY x "{"a" * 50_000}">', "&x;" * 1000),
        "a loop of entities": _entity('<!ENTITY x "&y;"><!ENTITY y "&x;">'),
        "an undefined entity": _with("&unknown;"),
        "a late document type": NODE.encode() + b"<!DOCTYPE node>",
    }
    return [HostileXml(name, data) for name, data in documents.items()]


def _large() -> list[HostileXml]:
    documents = {
        "a long text": _with("a" * 65_537),
        "eleven MB of text": _with("a" * 11 * _MEBIBYTE),
        "eleven MB of an attribute": NODE.replace("server", "a" * 11 * _MEBIBYTE).encode(),
        "eleven MB of a comment": _with(f"<!--{'a' * 11 * _MEBIBYTE}-->"),
        "eleven MB of character data": _with(f"<![CDATA[{'a' * 11 * _MEBIBYTE}]]>"),
        "33 levels": b"<node>" * 33 + b"</node>" * 33,
        "255 levels": b"<node>" * 255 + b"</node>" * 255,
        "100,000 levels": b"<a>" * 100_000 + b"</a>" * 100_000,
        "100,000 levels never closed": b"<a>" * 100_000,
        "20,001 elements": _with("<a/>" * 20_001),
        "a million elements": _with("<a/>" * 1_000_000),
        "65 attributes": _with(_many('a{}=""', 65)),
        "60,000 attributes": _with(_many('a{}=""', 60_000)),
        "17 namespaces": _with(_many('xmlns:n{}="u"', 17)),
        "30,000 namespaces": _with(_many('xmlns:n{}="u"', 30_000)),
        "a long name": _with(f"<{'a' * 200_000}/>"),
        "nothing but spaces": b" " * _MEBIBYTE,
    }
    return [HostileXml(name, data) for name, data in documents.items()]


def _encodings() -> list[HostileXml]:
    declared = '<?xml version="1.0" encoding="%s"?>'
    documents = {
        "UTF-16": NODE.encode("utf-16"),
        "UTF-16 without a mark": NODE.encode("utf-16-le"),
        "UTF-32": NODE.encode("utf-32"),
        "Latin-1": (declared % "iso-8859-1" + NODE.replace("server", "é")).encode("latin-1"),
        "an old code page": (declared % "cp037" + NODE).encode("cp037"),
        "a false declaration": (declared % "utf-16" + NODE).encode(),
        "UTF-7": (declared % "utf-7" + NODE).encode(),
        "bad UTF-8": _with("x").replace(b">x<", b">\xff\xfe<"),
        "overlong UTF-8": _with("x").replace(b">x<", b">\xc0\xbc<"),
        "a surrogate in UTF-8": _with("x").replace(b">x<", b">\xed\xa0\x80<"),
    }
    return [HostileXml(name, data) for name, data in documents.items()]


def _malformed() -> list[HostileXml]:
    documents = {
        "nothing": b"",
        "two marks of byte order": b"\xef\xbb\xbf" * 2 + NODE.encode(),
        "a NUL": _with("\0"),
        "an escape character": _with("\x1b[31m"),
        "an escape character by number": _with("&#27;"),
        "an escape character of XML 1.1": b'<?xml version="1.1"?>' + _with("&#27;"),
        "an attribute twice": _with('<a a="1" a="2"/>'),
        "cut": NODE.encode()[:-3],
        "two roots": NODE.encode() * 2,
        "text behind": NODE.encode() + b"x",
        "a number too large": _with("&#x110000;"),
        "an undeclared prefix": _with("<x:a/>"),
    }
    return [HostileXml(name, data) for name, data in documents.items()]


def _strangers(canary: Path) -> list[HostileXml]:
    include = f'<xi:include href="{canary.as_uri()}" parse="text"'
    namespaced = NODE.replace("<node", '<node xmlns="urn:other"', 1)
    style = '<?xml-stylesheet href="http://127.0.0.1:9/x.xsl" type="text/xsl"?>'
    return [
        HostileXml("a page that asks to sign in", b"<html><body>Sign in</body></html>"),
        HostileXml("an inclusion as root", f'{include} xmlns:xi="urn:x"/>'.encode()),
        HostileXml("another namespace", namespaced.encode()),
        HostileXml("a list without servers", b"<list><a/></list>"),
        HostileXml(
            "an inclusion inside",
            _with(f'{include} xmlns:xi="http://www.w3.org/2001/XInclude"/>'),
            is_profile=True,
        ),
        HostileXml("a style sheet", style.encode() + NODE.encode(), is_profile=True),
        HostileXml("C1 controls", _with("\x9b31m and &#x9b;"), is_profile=True),
        HostileXml("text from right to left", _with("\u202eabc"), is_profile=True),
    ]
