"""What is remembered beside the store of how its blobs are known elsewhere; a small JSON file for each name.

Owns the format (`bundler.note/1`) and that a note is whole or absent; refuses to know what a name or a field means.
A name may hold a secret (the token of a URL), so only its SHA-256 reaches the disk. Losing a note costs time, never
correctness: one that is damaged, or of a later format, is none, and one that cannot be written is left out.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bundler.model.digest import Blob, Digest
from bundler.store.interface import Note

if TYPE_CHECKING:
    from pathlib import Path

NOTE_FORMAT = "bundler.note/1"
# far more than two fields of an HTTP answer and a digest are
MAX_NOTE_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Notes:
    """The notes of one store, below `directory`."""

    directory: Path

    def recall(self, name: str) -> Note | None:
        """Return the note of a name, or None when there is none that can be read."""
        try:
            with self._path(name).open("rb") as file:
                return _decoded(json.loads(file.read(MAX_NOTE_BYTES)))
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def remember(self, name: str, note: Note) -> None:
        """Write the note of a name in one step, over an earlier one."""
        path = self._path(name)
        # threads and processes may write the same one at the same time
        unfinished = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                unfinished.write_text(json.dumps(_encoded(note), sort_keys=True), encoding="ascii")
                unfinished.replace(path)
            except OSError:
                unfinished.unlink(missing_ok=True)

    def forget(self, name: str) -> None:
        """Drop the note of a name."""
        with suppress(OSError):
            self._path(name).unlink()

    def clear(self) -> None:
        """Drop all notes, and what a killed process has left of one; the blobs stay."""
        with suppress(OSError):
            for path in self.directory.glob("??/*"):
                path.unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        key = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()
        return self.directory / key[:2] / key


def _encoded(note: Note) -> dict[str, object]:
    return {
        "format": NOTE_FORMAT,
        "sha256": note.blob.digest.hex,
        "size": note.blob.size,
        "fields": dict(note.fields),
    }


def _decoded(value: Any) -> Note:
    if value["format"] != NOTE_FORMAT:
        raise ValueError("it is a note of another format")
    fields, size = value["fields"], value["size"]
    if type(size) is not int or not isinstance(fields, dict):
        raise TypeError("it is no note")
    if not all(isinstance(text, str) for text in fields.values()):
        raise TypeError("its fields are no text")
    return Note(Blob(Digest("sha256", value["sha256"]), size), fields)
