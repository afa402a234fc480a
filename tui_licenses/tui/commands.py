"""Every key of the dashboard as data: the footer, help, palette and docs read this one tuple."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textual.binding import Binding, BindingType

from tui_licenses.domain.account import Role
from tui_licenses.domain.instance import Instance
from tui_licenses.domain.license_key import LicenseKey
from tui_licenses.domain.status import license_file_refusal
from tui_licenses.state.app_state import AppState

LICENSES = "licenses"
INSTANCE = "instance"
KEY = "key"
HARDWARE = "hardware"
ACTIVATION = "activation"
SAVED_FILES = "saved-files"
HELP = "help"

FOOTER_MAXIMUM = 6

_SHOWN_KEYS = {
    "question_mark": "?",
    "slash": "/",
    "plus": "+",
    "colon": ":",
    "space": "space",
    "enter": "Enter",
    "escape": "Esc",
    "ctrl+c": "Ctrl-C",
    "ctrl+p": "Ctrl-P",
}


@dataclass(frozen=True, slots=True)
class Situation:
    """What a command would act on: the state, and the instance and key the screen shows."""

    state: AppState
    instance: Instance | None = None
    key: LicenseKey | None = None


Refusal = Callable[[Situation], str | None]


@dataclass(frozen=True, slots=True)
class Command:
    """One thing a key does.

    `keys` are Textual's names; `screens` are the screens that know it, none meaning all;
    `action` is a Textual action of the screen, or of the app with `app.` before it; `refusal`
    says why it cannot be done now, None meaning that it can; `footer` is the place in the
    footer, 0 meaning none.
    """

    id: str
    keys: tuple[str, ...]
    title: str
    help: str
    action: str
    screens: tuple[str, ...] = ()
    footer: int = 0
    refusal: Refusal | None = None

    @property
    def shown_key(self) -> str:
        """Return the first key as people write it."""
        return shown_key(self.keys[0])


def shown_key(key: str) -> str:
    """Return a key as people write it."""
    return _SHOWN_KEYS.get(key, key)


def _needs_instance(situation: Situation) -> str | None:
    if situation.instance is None:
        return "There is no instance on this row."
    return None


def _needs_key(situation: Situation) -> str | None:
    if situation.key is None:
        return "There is no key on this row; move to a key."
    return None


def _needs_license_file(situation: Situation) -> str | None:
    if situation.state.marked_ids:
        return None
    if situation.instance is None and situation.key is None:
        return "There is neither an instance nor a key on this row."
    return license_file_refusal(situation.instance, _master_state(situation))


def _needs_certificate(situation: Situation) -> str | None:
    return None if situation.state.marked_ids else _needs_key(situation)


def _needs_profile(situation: Situation) -> str | None:
    if situation.state.marked_ids:
        return None
    if situation.instance is None:
        return "There is no instance on this row."
    if not situation.instance.has_profile:
        return "This instance has no server profile; none was uploaded yet."
    return None


def _needs_operator(situation: Situation) -> str | None:
    user = situation.state.user
    if user is not None and user.role is Role.READER:
        return "Your role is reader; this needs an operator or an administrator."
    return None


def _needs_operator_and_instance(situation: Situation) -> str | None:
    return _needs_operator(situation) or _needs_instance(situation)


def _needs_administrator(situation: Situation) -> str | None:
    user = situation.state.user
    if user is not None and user.role is not Role.ADMINISTRATOR:
        return f"Your role is {user.role}; this needs an administrator."
    return None


def _master_state(situation: Situation):  # type: ignore[no-untyped-def]
    inventory, instance = situation.state.inventory, situation.instance
    if inventory is None or instance is None:
        return None
    for key in inventory.keys:
        if key.id == instance.master_key_id:
            return key.state
    return None


_DETAILS = (INSTANCE, KEY)
_DOWNLOADS = (LICENSES, INSTANCE, KEY)

COMMANDS: tuple[Command, ...] = (
    Command(
        "open",
        ("enter",),
        "open",
        "Open the key under the cursor; on an instance row, the instance.",
        "open_row",
        (LICENSES,),
        footer=1,
    ),
    Command(
        "open-instance",
        ("i",),
        "instance",
        "Open the instance of the row or key.",
        "open_instance",
        (LICENSES, KEY),
        refusal=_needs_instance,
    ),
    Command(
        "filter",
        ("slash",),
        "filter",
        "Filter the rows by what is typed from then on; Esc leaves.",
        "filter",
        (LICENSES, HARDWARE),
        footer=3,
    ),
    Command(
        "add-ons",
        ("plus",),
        "add-ons",
        "Show or hide the add-on keys.",
        "toggle_add_ons",
        (LICENSES,),
    ),
    Command("mark", ("space",), "mark", "Mark the row for a download.", "mark", (LICENSES,)),
    Command(
        "sort",
        ("s",),
        "sort",
        "Sort by the next column; the same column again reverses.",
        "sort",
        (LICENSES,),
    ),
    Command(
        "activate",
        ("a",),
        "activate",
        "Activate license keys on an instance.",
        "activate",
        (LICENSES, INSTANCE),
        footer=2,
        refusal=_needs_operator,
    ),
    Command(
        "license-file",
        ("d",),
        "license file",
        "Download the license file (.bin): the master key and all add-ons of the instance.",
        "download_license",
        _DOWNLOADS,
        footer=4,
        refusal=_needs_license_file,
    ),
    Command(
        "certificate",
        ("c",),
        "certificate",
        "Download the certificate (.pdf) of the key, proof of purchase.",
        "download_certificate",
        (LICENSES, KEY),
        refusal=_needs_certificate,
    ),
    Command(
        "profile",
        ("p",),
        "profile",
        "Download the server profile (.xml) of the instance.",
        "download_profile",
        _DOWNLOADS,
        refusal=_needs_profile,
    ),
    Command(
        "copy",
        ("y",),
        "copy",
        "Copy the key or name to the clipboard of the terminal; it is shown as text as well.",
        "copy_row",
        (LICENSES, INSTANCE, KEY, HARDWARE, SAVED_FILES),
    ),
    Command(
        "refresh",
        ("r",),
        "refresh",
        "Ask the cloud for what has changed.",
        "app.refresh",
        (LICENSES, INSTANCE, KEY),
    ),
    Command("mask", ("m",), "mask keys", "Show or hide all but the last four.", "app.mask"),
    Command("utc", ("u",), "UTC", "Show times in UTC or in local time.", "app.utc"),
    Command(
        "saved-files",
        ("v",),
        "saved files",
        "Show the files saved since the start.",
        "app.saved_files",
        (LICENSES, INSTANCE, KEY),
    ),
    Command(
        "back",
        ("escape",),
        "back",
        "Go back; in the list, clear the filter and then the marks.",
        "back",
        footer=1,
    ),
    Command("palette", ("colon", "ctrl+p"), "palette", "Find a command by name.", "app.palette"),
    Command(
        "help",
        ("question_mark", "f1"),
        "help",
        "Show the guide and all keys.",
        "app.help",
        footer=8,
    ),
    Command("quit", ("q",), "quit", "Leave the dashboard.", "app.leave", footer=9),
)

_BY_ID = {command.id: command for command in COMMANDS}


def find_command(command_id: str) -> Command:
    """Return the command with an id."""
    return _BY_ID[command_id]


def commands_of(screen: str) -> tuple[Command, ...]:
    """Return the commands a screen knows, in the order of the tuple."""
    return tuple(
        command for command in COMMANDS if not command.screens or screen in command.screens
    )


def footer_commands(screen: str) -> tuple[Command, ...]:
    """Return the commands in the footer of a screen: few enough for 80 columns."""
    shown = [command for command in commands_of(screen) if command.footer]
    if screen == LICENSES:
        shown = [command for command in shown if command.id != "back"]
    return tuple(sorted(shown, key=lambda command: command.footer))[:FOOTER_MAXIMUM]


def bindings_of(screen: str) -> list[BindingType]:
    """Return the bindings of a screen: each runs its command through the screen's one door."""
    return [
        Binding(
            ",".join(command.keys),
            f"command('{command.id}')",
            command.title,
            show=False,
            id=command.id,
            tooltip=command.help,
        )
        for command in commands_of(screen)
    ]
