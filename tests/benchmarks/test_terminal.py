"""Slow lines and far networks: they must cost what they say."""

from __future__ import annotations

import os
import time

from benchmarks.terminal import Chunk, Line, Terminal

BYTES = 1_152
TEXT = "x" * BYTES


def _first_chunk(terminal: Terminal) -> Chunk:
    assert terminal.has_news.wait(10)
    return terminal.chunks[0]


def _output(line: Line) -> Terminal:
    """Run a program that writes a text, until all of it is there."""
    terminal = Terminal(["printf", TEXT], os.environ, line=line)
    deadline = time.monotonic() + 10
    while terminal.byte_count < BYTES:
        assert time.monotonic() < deadline
        terminal.has_news.wait(0.01)
        terminal.has_news.clear()
    return terminal


def test_a_serial_line_takes_ten_bits_for_each_byte() -> None:
    terminal = _output(Line(baud=115_200))
    try:
        assert b"".join(chunk.data for chunk in terminal.chunks).decode() == TEXT
        first = terminal.chunks[0]
        seconds = (BYTES - len(first.data)) * 10 / 115_200
        assert terminal.last_at - first.at >= 0.99 * seconds
    finally:
        terminal.close()


def test_a_key_takes_a_whole_round_trip_to_be_seen() -> None:
    # The terminal line echoes what is typed.
    terminal = Terminal(["cat"], os.environ, line=Line(round_trip_seconds=0.1))
    try:
        typed_at = time.perf_counter()
        terminal.write(b"x")
        assert _first_chunk(terminal).at - typed_at >= 0.1
    finally:
        terminal.close()


def test_what_a_program_changes_of_the_line_is_seen() -> None:
    terminal = Terminal(["stty", "raw"], os.environ)
    try:
        assert terminal.process.wait(timeout=10) == 0
        assert not terminal.is_as_it_was
    finally:
        terminal.close()
