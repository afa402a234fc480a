"""What the terminal of the benchmarks answers, and what it finds left behind."""

from __future__ import annotations

import pytest

from benchmarks.answers import Answers, Profile

QUESTIONS = b"\x1b[?2026$p\x1b[6n\x1b[c\x1b]11;?\x1b\\"


def test_an_xterm_answers_and_a_mute_terminal_does_not() -> None:
    answers = Answers(Profile.XTERM, 120, 40).read(b"\x1b[7;3H" + QUESTIONS)
    assert answers[:2] == [b"\x1b[?2026;0$y", b"\x1b[7;3R"]
    assert len(answers) == 4
    assert Answers(Profile.MUTE, 120, 40).read(QUESTIONS) == []


def test_a_question_that_is_cut_in_two_is_answered_once() -> None:
    answers = Answers(Profile.XTERM, 120, 40)
    assert answers.read(b"words\x1b[?20") == []
    assert answers.read(b"26$pmore") == [b"\x1b[?2026;0$y"]


@pytest.mark.parametrize(
    ("sets", "undoes", "what"),
    [
        (b"\x1b[?1049h", b"\x1b[?1049l", "alternate screen"),
        (b"\x1b[?25l", b"\x1b[?25h", "hidden cursor"),
        (b"\x1b[?1000;1003h", b"\x1b[?1000;1003l", "mouse"),
        (b"\x1b[?2004h", b"\x1b[?2004l", "bracketed paste"),
        (b"\x1b[>1u", b"\x1b[<u", "kitty keyboard"),
        (b"\x1b[4;30r", b"\x1b[r", "scroll region"),
    ],
)
def test_what_is_not_undone_is_left_behind(sets: bytes, undoes: bytes, what: str) -> None:
    answers = Answers(Profile.XTERM, 120, 40)
    answers.read(sets)
    assert answers.left_behind() == [what]
    answers.read(undoes)
    assert answers.left_behind() == []
