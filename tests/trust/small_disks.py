"""File systems of a forked child's own: mounted where nobody else sees them, gone with it."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

_CLONE_NEWNS, _CLONE_NEWUSER = 0x00020000, 0x10000000


def mount(folder: Path, *options: str) -> None:
    """Mount an empty file system in memory; `options` as `size=64k`."""
    command = ["mount", "-t", "tmpfs", "-o", ",".join((*options, "mode=0700")), "tmpfs"]
    subprocess.run([*command, str(folder)], check=True, capture_output=True)


def make_read_only(folder: Path) -> None:
    """Let a mounted file system only be read from now on."""
    command = ["mount", "-o", "remount,ro", str(folder)]
    subprocess.run(command, check=True, capture_output=True)


class CrashedError(Exception):
    """What was done in a child ended by an exception that was nobody's answer."""


def in_own_mounts(home: Path, work: Callable[[], list[str]], *options: str) -> list[str] | None:
    """Return what `work` says in a child that has a file system of its own on `home`.

    None where nobody may mount here. Raises `CrashedError`.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        said: object = None
        try:
            os.close(reading)
            if _may_mount(home, options):
                said = work()
        except BaseException as error:  # noqa: BLE001 - what a class is there to find
            said = repr(error)
        finally:
            with os.fdopen(writing, "wb") as stream:
                stream.write(json.dumps(said).encode())
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        told = stream.read()
    _, status = os.waitpid(child, 0)
    found: list[str] | str | None = json.loads(told or b'"ended"')
    if isinstance(found, str):
        raise CrashedError(f"{found}, status {status}")
    return found


def _may_mount(home: Path, options: tuple[str, ...]) -> bool:
    try:
        _separate()
        mount(home, *options)
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def _separate() -> None:
    user, group = os.geteuid(), os.getegid()
    flags = _CLONE_NEWNS if user == 0 else _CLONE_NEWNS | _CLONE_NEWUSER
    if ctypes.CDLL(None, use_errno=True).unshare(flags) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    if user != 0:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    command = ["mount", "--make-rprivate", "/"]
    subprocess.run(command, check=True, capture_output=True)
