"""A small key-value index beside the store: the other names (URLs, digests) of its blobs, one JSON file for each.

Owns the format (`bundler.note/1`) and that a record is whole or absent; refuses to know what a name or a field means.
A name may hold a secret (the token of a URL), so only its SHA-256 reaches the disk. Losing a record costs time, never
correctness: a damaged one, or one of a later format, counts as absent, and one that cannot be written is left out.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bundler.directory_walk import unlink_at
from bundler.model.digest import Blob, Digest
from bundler.model.json_value import load_strict
from bundler.store.interface import IndexRecord
from bundler.store.record_file import record_path, remove_record, write_record
from bundler.translation import tr

if TYPE_CHECKING:
    from pathlib import Path

RECORD_FORMAT = "bundler.note/1"
# far more than two fields of an HTTP response and a digest take
MAX_RECORD_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class BlobIndex:
    """The index of one store, below `directory`. Implements `interface.Index`."""

    directory: Path

    def get(self, name: str) -> IndexRecord | None:
        """Return the record of a name, or None when there is none that can be read."""
        try:
            with record_path(self.directory, _key(name)).open("rb") as file:
                return _decoded(load_strict(file.read(MAX_RECORD_BYTES)))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, name: str, record: IndexRecord) -> None:
        """Write the record of a name in one step, replacing an earlier one."""
        write_record(self.directory, _key(name), json.dumps(_encoded(record), sort_keys=True))

    def remove(self, name: str) -> None:
        """Drop the record of a name."""
        remove_record(self.directory, _key(name))

    def clear(self) -> None:
        """Drop all records, and what a killed process left of one; the blobs stay."""
        with suppress(OSError):
            for path in self.directory.glob("??/*"):
                unlink_at(path)


def _key(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()


def _encoded(record: IndexRecord) -> dict[str, object]:
    return {
        "format": RECORD_FORMAT,
        "sha256": record.blob.digest.hex,
        "size": record.blob.size,
        "fields": dict(record.fields),
    }


def _decoded(value: Any) -> IndexRecord:
    if value["format"] != RECORD_FORMAT:
        raise ValueError(tr("it is a record of another format"))
    fields, size = value["fields"], value["size"]
    if type(size) is not int or not isinstance(fields, dict):
        raise TypeError(tr("it is not a record"))
    if not all(isinstance(text, str) for text in fields.values()):
        raise TypeError(tr("its fields are not text"))
    return IndexRecord(Blob(Digest("sha256", value["sha256"]), size), fields)
