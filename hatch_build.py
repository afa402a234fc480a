"""Puts the fonts of the certificates into the package while it is built.

The fonts come unchanged out of two packages of the build environment (`build-system.requires` in
pyproject.toml): FiraGO from pymupdf-fonts, Droid Sans Fallback from PyMuPDF. Neither package is
needed afterwards. The licenses of the fonts stand beside them.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FONT_FOLDER = Path("tui_licenses") / "documents" / "fonts"
FONT_DIGESTS = {
    "FiraGO-Regular.ttf": "495901c0c608ea265f4c31aa2a4c7a313e5cc2a3dd610da78a447fe8e07454a2",
    "DroidSansFallback.ttf": "ee38813ea00c3e32add4268fff7fff9e39417b4913cb13be2415164a47807cc2",
}


class FontBuildHook(BuildHookInterface[Any]):
    """Writes the fonts before the wheel, or the editable install, is made."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Write what is missing and have it packaged although it is not under version control."""
        write_fonts(Path(self.root) / FONT_FOLDER)
        build_data["artifacts"].append(f"/{FONT_FOLDER.as_posix()}/*.ttf")


def write_fonts(folder: Path) -> None:
    """Write the fonts that are missing or damaged; refuse any but the known ones."""
    for name, digest in FONT_DIGESTS.items():
        path = folder / name
        if path.is_file() and _digest(path.read_bytes()) == digest:
            continue
        font = _font(name)
        if _digest(font) != digest:
            raise RuntimeError(f"{name} is not the font this package was made with.")
        path.write_bytes(font)


def _font(name: str) -> bytes:
    # Only a build that has to write fonts needs these.
    import pymupdf
    import pymupdf_fonts

    fonts: dict[str, bytes] = {
        "FiraGO-Regular.ttf": pymupdf_fonts.myfont("figo"),
        "DroidSansFallback.ttf": pymupdf.Font("cjk").buffer,
    }
    return fonts[name]


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
