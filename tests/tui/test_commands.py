"""The commands as data: keys, footer, reasons for a refusal."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.support.values import NOW, make_instance, make_key, make_user
from tui_licenses.domain.account import Role
from tui_licenses.domain.inventory import Inventory
from tui_licenses.domain.license_key import KeyState
from tui_licenses.state.app_state import AppState
from tui_licenses.tui.commands import (
    COMMANDS,
    FOOTER_MAXIMUM,
    Situation,
    bindings_of,
    commands_of,
    find_command,
    footer_commands,
    shown_key,
)

SCREENS = sorted({screen for command in COMMANDS for screen in command.screens})


@pytest.mark.parametrize("screen", SCREENS)
def test_the_footer_of_every_screen_fits_eighty_columns(screen: str) -> None:
    shown = footer_commands(screen)
    assert 0 < len(shown) <= FOOTER_MAXIMUM
    line = "  ".join(f"{command.shown_key} {command.title}" for command in shown)
    assert len(line) <= 80
    assert [command.id for command in shown][-2:] == ["help", "quit"]


@pytest.mark.parametrize("screen", SCREENS)
def test_no_key_means_two_things_on_one_screen(screen: str) -> None:
    keys = Counter(key for command in commands_of(screen) for key in command.keys)
    assert [key for key, count in keys.items() if count > 1] == []
    assert len(bindings_of(screen)) == len(commands_of(screen))


def test_no_key_is_one_that_terminals_and_multiplexers_take() -> None:
    taken = {f"ctrl+{letter}" for letter in "abhijmsz"}
    assert all(taken.isdisjoint(command.keys) for command in COMMANDS)


def test_every_command_says_in_a_sentence_what_it_does() -> None:
    assert len({command.id for command in COMMANDS}) == len(COMMANDS)
    for command in COMMANDS:
        assert command.help.endswith(".")
        assert find_command(command.id) is command


def test_keys_are_written_as_people_write_them() -> None:
    assert [shown_key(key) for key in ("slash", "q", "escape")] == ["/", "q", "Esc"]


def _refusal(command_id: str, situation: Situation) -> str | None:
    refuse = find_command(command_id).refusal
    assert refuse is not None
    return refuse(situation)


def test_a_row_without_a_subject_is_told_so() -> None:
    nothing = Situation(AppState())
    for command_id in ("license-file", "certificate", "profile", "open-instance"):
        assert "row" in (_refusal(command_id, nothing) or "")


def test_what_is_possible_is_not_refused() -> None:
    everything = Situation(AppState(), make_instance(), make_key())
    for command in COMMANDS:
        if command.refusal is not None:
            assert command.refusal(everything) is None


def test_a_suspended_master_has_no_license_file() -> None:
    instance = make_instance()
    key = make_key(id=instance.master_key_id, state=KeyState.SUSPENDED)
    inventory = Inventory.of(make_user(), (instance,), (make_key(id="other"), key), NOW, "0")
    situation = Situation(AppState(inventory=inventory), instance, key)
    assert "suspended" in (_refusal("license-file", situation) or "")
    unknown = Situation(AppState(inventory=Inventory.of(make_user(), (), (), NOW, "0")), instance)
    assert _refusal("license-file", unknown) is None


def test_an_instance_without_a_profile_has_none_to_download() -> None:
    situation = Situation(AppState(), make_instance(profile_revision=0))
    assert "no server profile" in (_refusal("profile", situation) or "")


def test_marked_rows_decide_for_themselves() -> None:
    marked = Situation(AppState(marked_ids=frozenset({"x"})))
    for command_id in ("license-file", "certificate", "profile"):
        assert _refusal(command_id, marked) is None


def test_a_reader_cannot_activate() -> None:
    state = AppState(user=make_user(role=Role.READER))
    assert "reader" in (_refusal("activate", Situation(state)) or "")
