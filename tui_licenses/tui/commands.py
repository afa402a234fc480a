"""Every key of the dashboard as data: the footer, help, palette and docs read this one tuple."""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding, BindingType

from tui_licenses.tui.keys import shown_key
from tui_licenses.tui.refusals import (
    Refusal,
    Situation,
    needs_certificate,
    needs_fingerprint,
    needs_instance,
    needs_license_file,
    needs_operator,
    needs_operator_and_instance,
    needs_profile,
)

__all__ = ["Command", "Situation", "bindings_of", "commands_of", "find_command"]

LICENSES = "licenses"
INSTANCE = "instance"
KEY = "key"
HARDWARE = "hardware"
ACTIVATION = "activation"
SAVED_FILES = "saved-files"
HELP = "help"
PLAN_GATE = "plan-gate"
BULK_DOWNLOAD = "bulk-download"

FOOTER_MAXIMUM = 6


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
        refusal=needs_instance,
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
        "mark-range",
        ("V",),
        "mark range",
        "Mark the rows from the one marked last to this one.",
        "mark_range",
        (LICENSES,),
    ),
    Command(
        "mark-down",
        ("shift+down",),
        "mark down",
        "Mark the row and the one below, and go there.",
        "extend_marks(1)",
        (LICENSES,),
    ),
    Command(
        "mark-up",
        ("shift+up",),
        "mark up",
        "Mark the row and the one above, and go there.",
        "extend_marks(-1)",
        (LICENSES,),
    ),
    Command(
        "mark-all",
        ("asterisk",),
        "mark all",
        "Mark all rows that the filter shows; once more takes their marks away.",
        "mark_all",
        (LICENSES,),
    ),
    Command(
        "sort",
        ("s",),
        "sort",
        "Sort by the next column; after the last one, in the default order.",
        "sort",
        (LICENSES,),
    ),
    Command(
        "reverse",
        ("S",),
        "reverse",
        "Reverse the order of the column that is sorted by.",
        "reverse_sort",
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
        refusal=needs_operator,
    ),
    Command(
        "rename",
        ("e",),
        "rename",
        "Change the name of the instance in place; Enter saves, Esc leaves it.",
        "rename",
        (INSTANCE,),
        footer=3,
        refusal=needs_operator_and_instance,
    ),
    Command(
        "relocate",
        ("l",),
        "location",
        "Change the country and place of the instance in place.",
        "relocate",
        (INSTANCE,),
        refusal=needs_operator_and_instance,
    ),
    Command(
        "hardware",
        ("t",),
        "hardware",
        "Show the server profile of the instance as a table.",
        "open_hardware",
        (INSTANCE,),
        refusal=needs_profile,
    ),
    Command(
        "copy-fingerprint",
        ("f",),
        "copy fingerprint",
        "Copy the whole fingerprint of the instance.",
        "copy_fingerprint",
        (INSTANCE,),
        refusal=needs_fingerprint,
    ),
    Command(
        "export",
        ("x",),
        "save as CSV",
        "Save the rows of the table as a file of comma-separated values.",
        "export",
        (HARDWARE,),
        footer=4,
    ),
    Command(
        "copy-checksum",
        ("h", "Y"),
        "copy checksum",
        "Copy the SHA-256 checksum of the file.",
        "copy_checksum",
        (SAVED_FILES,),
        footer=4,
    ),
    Command(
        "next-step",
        ("f8",),
        "next step",
        "Go on to the next step, as the button below does.",
        "next_step",
        (ACTIVATION,),
        footer=2,
    ),
    Command(
        "step-back",
        ("f7",),
        "step back",
        "Go back a step; nothing that was typed is lost.",
        "step_back",
        (ACTIVATION,),
        footer=3,
    ),
    Command(
        "sign-in",
        ("l",),
        "sign in",
        "Sign in with another account.",
        "sign_in",
        (PLAN_GATE,),
        footer=2,
    ),
    Command(
        "license-file",
        ("d",),
        "license file",
        "Download the license file (.bin): the master key and all add-ons of the instance.",
        "download_license",
        (*_DOWNLOADS, ACTIVATION),
        footer=4,
        refusal=needs_license_file,
    ),
    Command(
        "certificate",
        ("c",),
        "certificate",
        "Download the certificate (.pdf) of the key, proof of purchase.",
        "download_certificate",
        (LICENSES, KEY),
        refusal=needs_certificate,
    ),
    Command(
        "profile",
        ("p",),
        "profile",
        "Download the server profile (.xml) of the instance.",
        "download_profile",
        _DOWNLOADS,
        refusal=needs_profile,
    ),
    Command(
        "copy",
        ("y",),
        "copy",
        "Copy the key or name to the clipboard of the terminal; it is shown as text as well.",
        "copy_row",
        (LICENSES, INSTANCE, KEY, HARDWARE, SAVED_FILES, PLAN_GATE, BULK_DOWNLOAD),
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
        (LICENSES, INSTANCE, KEY, PLAN_GATE),
    ),
    Command(
        "back",
        ("escape",),
        "back",
        "Go back; in the list, clear the filter and then the marks.",
        "back",
        footer=1,
    ),
    Command(
        "repaint",
        ("ctrl+l",),
        "repaint",
        "Paint the whole terminal anew.",
        "app.repaint",
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
