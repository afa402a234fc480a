"""The screen of the benchmarks: what pyte lacks."""

from __future__ import annotations

from benchmarks.screen import Screen


def _text(*outputs: bytes) -> list[str]:
    screen = Screen(10, 4)
    for output in outputs:
        screen.feed(output)
    return screen.text().split("\n")


def test_the_alternate_screen_gives_the_first_one_back() -> None:
    assert _text(b"shell", b"\x1b[?1049h\x1b[Hprogram") == ["program", "", "", ""]
    assert _text(b"shell", b"\x1b[?1049h\x1b[Hprogram", b"\x1b[?1049l")[0] == "shell"


def test_a_character_is_repeated() -> None:
    assert _text(b"x\x1b[4b")[0] == "xxxxx"


def test_a_region_scrolls_both_ways() -> None:
    lines = b"a\r\nb\r\nc\r\nd"
    assert _text(lines, b"\x1b[2;3r\x1b[S\x1b[r") == ["a", "c", "", "d"]
    assert _text(lines, b"\x1b[2;3r\x1b[T\x1b[r") == ["a", "", "b", "d"]


def test_sequences_that_draw_nothing_leave_no_text_even_when_cut() -> None:
    silent = b"\x1b[>1u\x1b[?2026$p\x1b]0;title\x07\x1bP+q544e\x1b\\\x1b[<u\x1b[1 q"
    for cut in range(len(silent)):
        assert _text(silent[:cut], silent[cut:] + b"ok")[0] == "ok"
