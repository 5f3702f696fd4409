"""Which entry of the manifest an error is about, and where that stands: said in the error itself.

Owns those words, and how the entry of a fetch is found: a lock knows no lines, so the manifest is read once more, and
only when something has failed.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bundler.errors import BundlerError, StorageError
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bundler.model.lock import EntryName, Lock
    from bundler.model.manifest import Manifest
    from bundler.pipeline.discovery import WantedEntry


@dataclass(frozen=True, slots=True)
class EntryPlace:
    """An entry as a message names it.

    Arguments:
        position: FILE:LINE:COLUMN, or "" where the manifest cannot be read any more.
        parent: the entry that yields it, which stands at that position.
    """

    name: EntryName
    position: str
    parent: EntryName | None = None

    @classmethod
    def of(cls, wanted: WantedEntry) -> EntryPlace:
        """Return that of an entry to be locked."""
        return cls(wanted.name, str(wanted.entry.position), wanted.parent)


def placed_error(error: BundlerError, place: EntryPlace) -> BundlerError:
    """Return an error that says which entry it is about; as it is where it does so already, or is about a disk."""
    message = str(error)
    name = "" if str(place.name) in message else tr("for {name}", name=place.name)
    parent = tr("of {parent}", parent=place.parent) if name and place.parent else ""
    position = "" if place.position in message else tr("at {position}", position=place.position)
    text = " ".join(filter(None, (name, parent, position)))
    return error.with_context(text) if text and not isinstance(error, StorageError) else error


@contextmanager
def naming_entry(wanted: WantedEntry) -> Iterator[None]:
    """Let every error of the block say which entry it is about."""
    try:
        yield
    except BundlerError as error:
        raise placed_error(error, EntryPlace.of(wanted)) from error


@dataclass(slots=True)
class EntryFinder:
    """Finds the entries that locked artifacts answer; safe for many threads.

    Arguments:
        lock: has the artifacts.
        read: reads the manifest, for its lines.
    """

    lock: Lock
    read: Callable[[], Manifest]
    _places: dict[tuple[str, str], EntryPlace] | None = None
    _finding: threading.Lock = field(default_factory=threading.Lock)

    def find(self, kind: str, keys: Sequence[str]) -> EntryPlace | None:
        """Return the entry of the first of some artifacts of a kind, or None where none is known."""
        with self._finding:
            if self._places is None:
                self._places = self._found()
        return next((place for key in keys if (place := self._places.get((kind, key)))), None)

    def _found(self) -> dict[tuple[str, str], EntryPlace]:
        positions = self._positions()
        return {
            (entry.kind, artifact.key): EntryPlace(
                entry.name, positions.get(entry.derived_from or entry.name, ""), entry.derived_from
            )
            for entry in self.lock.entries
            for artifact in entry.artifacts
        }

    def _positions(self) -> dict[tuple[str, str], str]:
        try:
            manifest = self.read()
        except BundlerError:
            # it has been changed meanwhile; the failure at hand is the one to tell
            return {}
        return {
            (kind, entry.id): str(entry.position) for kind, entries in manifest.entries.items() for entry in entries
        }
