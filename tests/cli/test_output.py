"""What is written to standard output and standard error, character by character."""

from __future__ import annotations

import csv
import io
import json
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_licenses.cli.output import Format, Output
from tui_licenses.errors import Detail, UseError

HOSTILE = "a\x1b[31m\x00\x7f\x9b\u202e\ud800\n\t名e\u0301"
COLUMNS = (("NAME", lambda record: record["name"]),)
# Two halves of a pair that are not one character: no JSON can hold them, and none brings them.
TORN_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
ANY_TEXT = (
    st.text(st.characters()) | st.text("\x00\x1b\x7f\x9b\u2028\u202e\ud800\udcff\n\"\\'=")
).filter(lambda text: not TORN_PAIR.search(text))


def _written(format_: Format, *names: str) -> str:
    stream, before = io.StringIO(), sys.stdout
    sys.stdout = stream
    try:
        Output(format_).items([{"name": name} for name in names], COLUMNS)
    finally:
        sys.stdout = before
    return stream.getvalue()


@given(st.lists(ANY_TEXT, max_size=3))
def test_json_is_printable_ascii_and_gives_every_value_back(names: list[str]) -> None:
    written = _written(Format.JSON, *names)
    assert all(line.isascii() and line.isprintable() for line in written.split("\n"))
    assert [item["name"] for item in json.loads(written)["data"]["items"]] == names
    lines = _written(Format.JSONL, *names).splitlines()
    assert all(line.isascii() and line.isprintable() for line in lines)
    assert [json.loads(line)["name"] for line in lines] == names


@pytest.mark.parametrize("format_", [Format.TABLE, Format.CSV])
def test_tables_and_csv_hold_one_printable_line_for_each_record(format_: Format) -> None:
    written = _written(format_, HOSTILE, "next")
    heading, first, second, rest = written.replace("\r\n", "\n").split("\n")
    assert heading.strip() in {"NAME", "name"}
    assert first.strip() == ("a‹U+001B›[31m‹U+0000›‹U+007F›‹U+009B›‹U+202E›‹U+D800›  名e\u0301")
    assert (second.strip(), rest) == ("next", "")


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+49 30", "'+49 30"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "' =1"),
        ("＝1", "'＝1"),
        ("Berlin = 1", "Berlin = 1"),
        ("'quoted", "'quoted"),
    ],
)
def test_a_cell_of_csv_is_never_a_formula(name: str, cell: str) -> None:
    _, row = csv.reader(io.StringIO(_written(Format.CSV, name)))
    assert row == [cell]
    assert _written(Format.TABLE, name).split("\n")[1] == name.replace("\t", " ")


def test_errors_and_notes_are_one_clean_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    detail = Detail("/keys/\x1b[0m", "why", "bad\nError: faked")
    Output().failure(UseError("no", f"No {HOSTILE}.", "Try\rthis.", details=(detail,)))
    Output().warn("hm\x07")
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "Error: No a‹U+001B›[31m‹U+0000›‹U+007F›‹U+009B›‹U+202E›‹U+D800›  名e\u0301.",
        "  /keys/‹U+001B›[0m: bad Error: faked",
        "Try this.",
        "Warning: hm‹U+0007›",
    ]


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("format_", [None, Format.TABLE])
def test_a_document_that_is_shown_on_a_terminal_is_made_safe(
    format_: Format | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    Output(format_).document(b"<a>\xc2\x9b6n\xff\x1b[31m</a>\n<b/>")
    assert terminal.getvalue() == "<a>‹U+009B›6n\ufffd‹U+001B›[31m</a>\n<b/>\n"
