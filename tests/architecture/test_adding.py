"""The recipes of docs/adding.md, followed to the letter on a copy of the project.

Each recipe is a section (`## …`). Its fenced blocks are preceded by a comment that says what to
do with them: `<!-- new file: PATH -->`, `<!-- in PATH, after: LINE -->`,
`<!-- in PATH, before: LINE -->` or `<!-- check -->` (a Python program that proves the result).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "adding.md"
BLOCK = re.compile(r"^ *<!-- (?P<order>.+?) -->\n *```\w*\n(?P<text>.*?)^ *```$", re.M | re.S)


def _recipes() -> dict[str, str]:
    sections = re.split(r"^## ", DOCUMENT.read_text(encoding="utf-8"), flags=re.M)[1:]
    return {section.split("\n", 1)[0]: section.split("\n", 1)[1] for section in sections}


def _dedent(block: str) -> str:
    lines = block.splitlines()
    margin = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
    return "\n".join(line[margin:] for line in lines) + "\n"


def _insert(path: Path, where: str, anchor: str, text: str) -> None:
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    matches = [number for number, line in enumerate(lines) if line.strip() == anchor.strip()]
    assert len(matches) == 1, f"{anchor!r} stands {len(matches)} times in {path.name}"
    number = matches[0]
    anchor_margin = lines[number][: len(lines[number]) - len(lines[number].lstrip())]
    opens = where == "after" and anchor.rstrip().endswith(("(", "[", "{", ":"))
    margin = anchor_margin + ("    " if opens else "")
    block = "".join(
        margin + line if line.strip() else line for line in text.splitlines(keepends=True)
    )
    lines.insert(number + (where == "after"), block)
    path.write_text("".join(lines), encoding="utf-8")


def _follow(order: str, text: str, root: Path, environment: dict[str, str]) -> None:
    if order == "check":
        done = subprocess.run(
            [sys.executable, "-c", text],
            cwd=root,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    elif match := re.fullmatch(r"new file: (\S+)", order):
        path = root / match[1]
        assert not path.exists(), f"{match[1]} exists already"
        path.write_text(text, encoding="utf-8")
    elif match := re.fullmatch(r"in (\S+), (after|before): (.+)", order):
        _insert(root / match[1], match[2], match[3], text)
    else:
        raise AssertionError(f"no such order: {order}")


@pytest.mark.parametrize("title", _recipes())
def test_a_recipe_works_when_followed_to_the_letter(title: str, tmp_path: Path) -> None:
    blocks = list(BLOCK.finditer(_recipes()[title]))
    assert sum(block["order"] == "check" for block in blocks) >= 1, "a recipe without a check"
    root = tmp_path / "checkout"
    skip = shutil.ignore_patterns("__pycache__")
    for name in ("tui_licenses", "styles", "docs"):
        shutil.copytree(ROOT / name, root / name, ignore=skip)
    home = tmp_path / "home"
    home.mkdir()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("XDG_")},
        "PYTHONPATH": str(root),
        "HOME": str(home),
    }
    for block in blocks:
        _follow(block["order"], _dedent(block["text"]), root, environment)
