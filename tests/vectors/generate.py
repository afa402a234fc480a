"""Writes the vectors: `python -m tests.vectors.generate`. The same every time, from fixed seeds."""

from __future__ import annotations

import json
from pathlib import Path

from tests.vectors.invalid import invalid_vectors
from tests.vectors.valid import valid_vectors

FOLDER = Path(__file__).parent


def vector_files() -> dict[str, str]:
    """Return the text of every vector by the path of its file below this folder."""
    files: dict[str, str] = {}
    for group, vectors in (("valid", valid_vectors()), ("invalid", invalid_vectors())):
        for vector in vectors:
            text = json.dumps(vector.as_json(), indent=1, sort_keys=True) + "\n"
            files[f"{group}/{vector.name}.json"] = text
    return files


def write_vectors(folder: Path) -> None:
    """Write all vectors below a folder."""
    for name, text in vector_files().items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_vectors(FOLDER)
