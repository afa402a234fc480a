"""The data of the benchmarks: seeded clouds and the same rows as files, kept in a cache folder."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.errors import BenchmarkError
from benchmarks.homes import Home, our_command

# As wide as the column of our list.
_FEATURES_CELLS = 34
# Another number where what is kept in the cache folder changes.
_FORM = 2
_COLUMNS = ("Instance", "Key", "Features", "Product", "Order", "Status", "Expires", "Last update")


def default_folder() -> Path:
    """Return the cache folder of the benchmarks."""
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(caches) / "tui-licenses-benchmarks"


@dataclass(frozen=True, slots=True)
class Estate:
    """A seeded license cloud in a home of its own; nothing may write into it."""

    folder: Path
    instance_count: int
    key_count: int

    @property
    def home(self) -> Home:
        """Return the home whose embedded cloud holds the estate."""
        return Home(self.folder / "home")

    @property
    def csv_file(self) -> Path:
        """Return the keys as a CSV file, one row for each."""
        return self.folder / "keys.csv"

    @property
    def mailbox(self) -> Path:
        """Return the keys as a mailbox, one message for each."""
        return self.folder / "keys.mbox"

    def copy_into(self, folder: Path) -> Home:
        """Return a home of its own with a copy of the cloud, to be changed at will."""
        home = Home(folder)
        shutil.copytree(self.home.cloud_folder, home.cloud_folder)
        return home


def ensure_estate(
    data: Path, instance_count: int, key_count: int, *, has_files: bool = False
) -> Estate:
    """Return an estate of this size, made where it is not there yet."""
    estate = Estate(data / f"estate-{instance_count}-{key_count}", instance_count, key_count)
    marker = estate.folder / "complete.json"
    wanted = {"form": _FORM, "files": has_files}
    if marker.exists() and json.loads(marker.read_text(encoding="utf-8")) == wanted:
        _run_ours(estate.home, "cloud", "init")
        return estate
    shutil.rmtree(estate.folder, ignore_errors=True)
    estate.home.folder.mkdir(parents=True)
    counts = ("--instances", str(instance_count), "--keys", str(key_count))
    _run_ours(estate.home, "cloud", "seed", *counts)
    if has_files:
        _write_files(estate)
    marker.write_text(json.dumps(wanted), encoding="utf-8")
    return estate


def _run_ours(home: Home, *arguments: str) -> str:
    done = subprocess.run(
        our_command(*arguments),
        env=home.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchmarkError(f"`{' '.join(arguments)}` failed: {done.stderr.strip()}")
    return done.stdout


def _write_files(estate: Estate) -> None:
    listed = _run_ours(estate.home, "keys", "list", "--addons", "--format", "csv")
    rows = list(_rows(listed))
    with estate.csv_file.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        writer.writerows(rows)
    with estate.mailbox.open("w", encoding="utf-8") as file:
        for number, row in enumerate(rows):
            file.write(_message(number, row))


def _rows(listed: str) -> Iterator[tuple[str, ...]]:
    for record in csv.DictReader(listed.splitlines()):
        key = record["key"]
        features = ", ".join(feature["code"] for feature in json.loads(record["features"]))
        yield (
            record["instanceName"] or "Not assigned",
            "-".join(key[start : start + 4] for start in range(0, 16, 4)),
            features[:_FEATURES_CELLS],
            record["productName"],
            record["orderReference"],
            record["status"],
            record["expiresAt"][:10],
            record["updatedAt"][:16].replace("T", " "),
        )


def _message(number: int, row: tuple[str, ...]) -> str:
    time_of_day = f"{number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}"
    instance, key, features, product, order, status, expires, updated = row
    return (
        f"From cloud@example.com Mon Jan  1 {time_of_day} 2024\n"
        f"From: {product} <key-{number}@example.com>\n"
        f"Subject: {key} {status} {instance}\n"
        f"Date: Mon, 1 Jan 2024 {time_of_day} +0000\n"
        f"Message-ID: <{number}@example.com>\nStatus: RO\n\n"
        f"{features} {order} {expires} {updated}\n\n"
    )
