"""The fonts of the certificates, reduced to the characters that one certificate needs.

Reading a whole font of 34,000 glyphs takes longer than drawing the page. HarfBuzz cuts it down
in a millisecond; the parsed fonts are kept from one certificate to the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tui_licenses.errors import FileError
from tui_licenses.text import is_hidden

FONT_FOLDER = Path(__file__).parent / "fonts"


@dataclass(frozen=True, slots=True)
class Font:
    """A parsed font: the name it has in a document, its HarfBuzz face, its characters."""

    family: str
    face: Any
    characters: frozenset[int]


@cache
def fonts() -> tuple[Font, ...]:
    """Return the fonts, the preferred one first.

    FiraGO: Latin, Greek, Cyrillic, Arabic, Hebrew, Devanagari, Thai, Georgian. Droid Sans
    Fallback: Han, Kana, Hangul. Raises `FileError` (`file-not-found`).
    """
    return (
        _load("firago", FONT_FOLDER / "FiraGO-Regular.ttf"),
        _load("droid", FONT_FOLDER / "DroidSansFallback.ttf"),
    )


def _load(family: str, path: Path) -> Font:
    import uharfbuzz

    if not path.is_file():
        raise FileError(
            "file-not-found",
            f"The font {path.name} of the certificates is missing.",
            "Install tui-licenses again with pip, which builds its fonts.",
        )
    face = uharfbuzz.Face(uharfbuzz.Blob(path.read_bytes()))
    return Font(family, uharfbuzz.subset_preprocess(face), frozenset(face.unicodes))


def drawable(text: str) -> str:
    """Return a text in which every character that no font has stands as its code point."""
    return "".join(
        character if _is_drawable(character) else f"‹U+{ord(character):04X}›" for character in text
    )


def _is_drawable(character: str) -> bool:
    return not is_hidden(character) and any(ord(character) in font.characters for font in fonts())


def write_reduced_fonts(text: str, folder: Path) -> list[tuple[str, Path]]:
    """Write the fonts a text needs into a folder; return family and file of each.

    The first font is always among them.
    """
    import uharfbuzz

    missing = {ord(character) for character in text}
    written: list[tuple[str, Path]] = []
    for font in fonts():
        wanted = missing & font.characters
        missing -= wanted
        if written and not wanted:
            continue
        choice = uharfbuzz.SubsetInput()
        choice.unicode_set.update(wanted)
        # Names and the outline of the missing glyph: fpdf2 reads both.
        choice.sets(uharfbuzz.SubsetInputSets.NAME_ID).update({1, 2, 4, 6})
        choice.flags = uharfbuzz.SubsetFlags.NOTDEF_OUTLINE
        reduced = uharfbuzz.subset(font.face, choice)
        path = folder / f"{font.family}.ttf"
        path.write_bytes(reduced.blob.data)
        written.append((font.family, path))
    return written
