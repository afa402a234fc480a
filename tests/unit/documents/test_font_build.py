"""The fonts that the build puts into the package."""

from __future__ import annotations

import ast
import hashlib
from pathlib import Path

from tui_licenses.documents.certificate_fonts import FONT_FOLDER

BUILD_SCRIPT = Path(__file__).parents[3] / "hatch_build.py"


def known_digests() -> dict[str, str]:
    """Return the digests of the build script; importing it would need the build's own packages."""
    tree = ast.parse(BUILD_SCRIPT.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "FONT_DIGESTS":
            digests: dict[str, str] = ast.literal_eval(node.value)
            return digests
    raise AssertionError("the build script names no fonts")


def test_the_fonts_in_the_package_are_those_of_the_build_script() -> None:
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in FONT_FOLDER.glob("*.ttf")
    }
    assert found == known_digests()


def test_each_font_has_its_license_beside_it() -> None:
    names = {path.name for path in FONT_FOLDER.iterdir()}
    assert {"FiraGO-OFL-1.1.txt", "DroidSansFallback-Apache-2.0.txt"} <= names
