"""Settings and contexts are read strictly, written whole, and chosen in a fixed order."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tui_licenses import paths
from tui_licenses.config import (
    EMBEDDED_CONTEXT,
    Configuration,
    Context,
    Settings,
    check_context_name,
    choose_context,
    load_configuration,
    save_configuration,
)
from tui_licenses.errors import UseError

WORK = Context("work", "https://cloud.example.com")


def write(text: str | bytes) -> Path:
    file = paths.configuration_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def refusal(text: str | bytes) -> str:
    write(text)
    with pytest.raises(UseError) as caught:
        load_configuration()
    assert caught.value.code == "configuration-invalid"
    assert caught.value.next_step
    return caught.value.message


def test_without_a_file_the_defaults_hold() -> None:
    assert load_configuration() == Configuration(Settings(), (), None)


def test_what_was_saved_is_what_is_loaded(tmp_path: Path) -> None:
    configuration = Configuration(
        Settings(
            True,
            7,
            0,
            tmp_path,
            "ansi",
            ascii=True,
            mouse=False,
            local_copy=False,
            screen_diff=False,
        ),
        (
            WORK,
            Context("lab", "http://127.0.0.1:8443", tmp_path / "ca.pem", show_add_ons=True),
            Context("embedded", None, show_add_ons=True),
        ),
        "lab",
    )
    save_configuration(configuration)
    assert load_configuration() == configuration


def test_only_its_owner_can_read_the_file() -> None:
    save_configuration(Configuration())
    assert stat.S_IMODE(paths.configuration_file().stat().st_mode) == 0o600
    assert load_configuration() == Configuration()


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a = [\n", 2, "not TOML"),
        ("x = 1\ny = = 2\n", 2, "not TOML"),
        ("\n\ntypo = 1\n", 3, "“typo” is not a setting"),
        ("[settings]\nmask = true\n", 2, "“mask” in [settings] is not a setting"),
        ("[settings]\nmask_keys = 1\n", 2, "takes true or false"),
        ("[settings]\nscreen_diff = 'no'\n", 2, "takes true or false"),
        ("[settings]\n\nexpiring_days = true\n", 3, "takes a whole number"),
        ("[settings]\nexpiring_days = -1\n", 2, "between 0 and 3650"),
        ('[settings]\ntheme = "pink"\n', 2, "dark, light, ansi"),
        ("[settings]\ntheme = 1\n", 2, "takes text in quotes"),
        ("settings = 1\n", 1, "takes a table"),
        ('current = "gone"\n', 1, "there is no context “gone”"),
        ("[contexts]\nwork = 1\n", 2, "“work” is not a context"),
        ("[contexts.'../x']\nurl = 'https://a'\n", 1, "is not a context"),
        ("[contexts.environment]\nurl = 'https://a'\n", 1, "is not a context"),
        ("[contexts.work]\nca_file = 'x'\n", 1, "has a url"),
        ("[contexts.embedded]\nurl = 'https://a'\n", 1, "has a url"),
        ("[contexts.work]\nurl = 'http://a.example'\n", 2, "unprotected"),
        ("[contexts.work]\nurl = 'https://a'\ncolour = 1\n", 3, "[contexts.work]"),
    ],
)
def test_a_wrong_line_is_named(text: str, line: int, words: str) -> None:
    message = refusal(text)
    assert f"Line {line} of" in message
    assert words in message


def test_an_unknown_name_cannot_reach_the_terminal_as_it_is() -> None:
    message = refusal('"\\u001b[31m" = 1\n')
    assert "\x1b" not in message


def test_a_file_that_is_no_text_is_refused() -> None:
    assert "not UTF-8" in refusal(b"\xff\xfe")


def test_a_folder_in_place_of_the_file_is_refused() -> None:
    paths.configuration_file().mkdir(parents=True)
    with pytest.raises(UseError, match="cannot be read"):
        load_configuration()


def test_a_home_folder_in_the_file_is_expanded() -> None:
    write(
        "[settings]\ndownload_folder = '~/licenses'\n[contexts.a]\nurl='https://a'\nca_file='~/c'\n"
    )
    loaded = load_configuration()
    assert loaded.settings.download_folder == Path.home() / "licenses"
    assert loaded.contexts[0].ca_file == Path.home() / "c"


def test_a_context_is_chosen_by_argument_then_environment_then_current_then_embedded() -> None:
    other = Context("other", "https://other.example.com")
    configuration = Configuration(contexts=(WORK, other), current="other")
    environment = {"TUI_LICENSES_CONTEXT": "work"}
    assert choose_context(configuration, "other", environment) is other
    assert choose_context(configuration, None, environment) is WORK
    assert choose_context(configuration, None, {}) is other
    assert choose_context(Configuration(), None, {}) is EMBEDDED_CONTEXT
    assert choose_context(configuration, "embedded", {}) is EMBEDDED_CONTEXT


def test_an_address_in_the_environment_makes_a_context_of_its_own() -> None:
    configuration = Configuration(contexts=(WORK,), current="work")
    environment = {"TUI_LICENSES_URL": "https://b.example/", "TUI_LICENSES_CONTEXT": "work"}
    assert choose_context(configuration, None, environment) == Context(
        "environment", "https://b.example"
    )
    assert choose_context(configuration, "work", environment) is WORK


def test_a_ca_file_in_the_environment_replaces_the_configured_one() -> None:
    environment = {"TUI_LICENSES_CA_FILE": "/etc/company.pem"}
    chosen = choose_context(Configuration(contexts=(WORK,)), "work", environment)
    assert chosen.ca_file == Path("/etc/company.pem")
    assert choose_context(Configuration(), None, environment) is EMBEDDED_CONTEXT


def test_an_unknown_context_is_refused_by_name() -> None:
    with pytest.raises(UseError, match="no context “nope”") as caught:
        choose_context(Configuration(), "nope", {})
    assert caught.value.code == "context-unknown"


@pytest.mark.parametrize("name", ["", "a/b", "..", "-x", "embedded", "environment", "a" * 65, "ä"])
def test_a_name_that_could_be_a_path_or_is_taken_is_refused(name: str) -> None:
    with pytest.raises(UseError) as caught:
        check_context_name(name)
    assert caught.value.code == "context-name-invalid"


def test_a_plain_name_is_accepted() -> None:
    assert check_context_name("work_2-b") == "work_2-b"


def test_a_removed_context_is_current_no_more() -> None:
    configuration = Configuration(contexts=(WORK,), current="work")
    assert configuration.without_context("work") == Configuration()
    assert configuration.without_context("other") == configuration
    moved = Context("work", "https://new.example")
    assert configuration.with_context(moved).contexts == (moved,)
