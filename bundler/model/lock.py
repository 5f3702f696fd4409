"""The lock, format 1 (docs/design.md, 4): which bytes answer which entry. Owns its JSON form; knows no kind."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any, BinaryIO, NamedTuple

from bundler.errors import ErrorId, ManifestError
from bundler.model.artifact import Artifact, Remarked, table_order
from bundler.model.digest import Blob, Digest
from bundler.model.format_version import require_format
from bundler.model.json_listing import LongMember, listing_pieces, load_listing
from bundler.model.json_value import Json, unreadable_words, want_text
from bundler.model.platform import Platform
from bundler.translation import tr

LOCK_FORMAT = 1
Decoder = Callable[[Any], Artifact]


class EntryName(NamedTuple):
    """What an entry is called in a lock: its kind, and its id within the kind."""

    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


@dataclass(frozen=True, slots=True)
class LockedEntry:
    """What one entry was pinned to.

    Arguments:
        fingerprint: that of the entry's meaning.
        derived_from: the entry that yields it (docs/adr/0015); None for one of the manifest.
    """

    kind: str
    id: str
    fingerprint: Digest
    artifacts: tuple[Artifact, ...]
    derived_from: EntryName | None = None

    @property
    def name(self) -> EntryName:
        """Kind and id."""
        return EntryName(self.kind, self.id)


@dataclass(frozen=True, slots=True)
class Lock:
    """All pins of one manifest. `platforms` are those it covers; `variables` those it was resolved with."""

    manifest: Digest
    platforms: tuple[Platform, ...]
    variables: Mapping[str, str]
    entries: tuple[LockedEntry, ...]

    def entry(self, kind: str, entry_id: str) -> LockedEntry | None:
        """Return the entry's pins, or None when it has none."""
        return next((entry for entry in self.entries if (entry.kind, entry.id) == (kind, entry_id)), None)

    def by_kind(self) -> dict[str, dict[str, LockedEntry]]:
        """Return a table of the entries: kind -> id -> entry."""
        table: dict[str, dict[str, LockedEntry]] = {}
        for entry in self.entries:
            table.setdefault(entry.kind, {})[entry.id] = entry
        return table

    @property
    def artifacts(self) -> list[tuple[LockedEntry, Artifact]]:
        """Every pin with its entry, in the order of tables."""
        pairs = [(entry, artifact) for entry in self.entries for artifact in entry.artifacts]
        return sorted(pairs, key=lambda pair: table_order(pair[0].kind, pair[1].key))

    @property
    def blobs(self) -> frozenset[Blob]:
        """Everything that the store needs for a build from this lock."""
        return frozenset(blob for entry in self.entries for artifact in entry.artifacts for blob in artifact.blobs)


def lock_remarks(lock: Lock) -> tuple[str, ...]:
    """Return, a line each, what has to be known of a lock's artifacts beside their size."""
    return tuple(
        f"{artifact.key}: {remark}"
        for _, artifact in lock.artifacts
        if isinstance(artifact, Remarked)
        for remark in artifact.remarks
    )


def encode_lock(lock: Lock) -> bytes:
    """Return the lock's file content: sorted, free of clocks, hosts and credentials."""
    return b"".join(lock_pieces(lock))


def lock_pieces(lock: Lock) -> Iterator[bytes]:
    """Yield the same in pieces: that of thousands of entries is as large as the lock itself."""
    members: dict[str, Json] = {
        "format": LOCK_FORMAT,
        "manifest": str(lock.manifest),
        "platforms": [str(platform) for platform in lock.platforms],
        "vars": dict(lock.variables),
    }
    return listing_pieces(members, "entries", map(_encode_entry, sorted(lock.entries, key=attrgetter("kind", "id"))))


def _encode_entry(entry: LockedEntry) -> Json:
    return {
        "kind": entry.kind,
        "id": entry.id,
        "entry": str(entry.fingerprint),
        "artifacts": [artifact.encode() for artifact in sorted(entry.artifacts, key=lambda artifact: artifact.key)],
        **({"from": entry.derived_from._asdict()} if entry.derived_from else {}),
    }


def decode_lock(source: bytes | BinaryIO, decoders: Mapping[str, Decoder], *, file: str) -> Lock:
    """Read a lock.

    Arguments:
        source: the file's content, or the file itself.
        decoders: for each kind's name, what reads one of its artifacts.
        file: the lock's name, for messages.

    Raises BundleFormatError for a higher format, ManifestError for anything that is not a lock, and OSError.
    """
    try:
        listing = load_listing(
            source,
            "entries",
            partial(_decode_entry, decoders=decoders),
            long=LongMember("artifacts", _Guess(decoders)),
        )
        value = listing.members
        require_format(value["format"], LOCK_FORMAT, what="a lock", where=file)
        entries = tuple(listing.items)
        _refuse_duplicates(entries)
        _refuse_orphans(entries)
        return Lock(
            manifest=Digest.parse(value["manifest"]),
            platforms=tuple(Platform.parse(text) for text in value["platforms"]),
            variables={str(key): str(text) for key, text in value["vars"].items()},
            entries=entries,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ManifestError(
            ErrorId.LOCK_INVALID,
            tr("is not a readable lock: {reason}", reason=unreadable_words(error)),
            where=file,
            remedy=tr("Restore it from version control, or delete it and run `bundler lock` to pin everything anew."),
        ) from error


def _refuse_duplicates(entries: Sequence[LockedEntry]) -> None:
    """Raise ValueError for what a merge of two locks by hand leaves behind."""
    seen: dict[str, set[str]] = {}
    for entry in entries:
        ids = seen.setdefault(entry.kind, set())
        if entry.id in ids:
            raise ValueError(tr("{name} is in it twice", name=entry.name))
        ids.add(entry.id)


def _refuse_orphans(entries: Sequence[LockedEntry]) -> None:
    """Raise ValueError for an entry that is said to come from one that is not there, or comes from another itself."""
    claimed = {entry.derived_from for entry in entries if entry.derived_from is not None}
    parents = {entry.name for entry in entries if entry.derived_from is None and entry.name in claimed}
    for entry in entries:
        if entry.derived_from is not None and entry.derived_from not in parents:
            raise ValueError(
                tr(
                    "{name} is from {derived_from}, which is no entry of its own in it",
                    name=entry.name,
                    derived_from=entry.derived_from,
                )
            )


def _decode_entry(item: Any, decoders: Mapping[str, Decoder]) -> LockedEntry:
    kind = item["kind"]
    if kind not in decoders:
        raise ValueError(tr("kind {kind!r} is unknown", kind=kind))
    artifacts = tuple(_decode_artifact(artifact, kind, decoders) for artifact in item["artifacts"])
    name = want_text(item["id"])
    return LockedEntry(
        sys.intern(kind),
        # most files are called by their path, which is there already
        next((artifact.key for artifact in artifacts[:1] if artifact.key == name), name),
        Digest.parse(item["entry"]),
        artifacts,
        _decode_parent(item["from"]) if "from" in item else None,
    )


def _decode_artifact(value: Any, kind: str, decoders: Mapping[str, Decoder]) -> Artifact:
    if not isinstance(value, _Guessed):
        return decoders[kind](value)
    if value.kind != kind:
        # the listing is read once more and whole, and nothing has to be guessed
        raise ValueError(tr("an artifact of {found} under {kind}", found=value.kind, kind=kind))
    return value.artifact


class _Guessed(NamedTuple):
    """An artifact that was decoded before the kind of its entry was read."""

    kind: str
    artifact: Artifact


@dataclass(slots=True)
class _Guess:
    """Decodes the artifacts of a long entry, a repository of thousands of packages: the kind stands after them."""

    decoders: Mapping[str, Decoder]
    kind: str = ""

    def __call__(self, value: Any) -> _Guessed:
        for kind in (self.kind, *self.decoders) if self.kind else self.decoders:
            with suppress(ValueError, KeyError, TypeError, AttributeError):
                artifact = self.decoders[kind](value)
                self.kind = kind
                return _Guessed(kind, artifact)
        raise ValueError(tr("it is an artifact of no known kind"))


def _decode_parent(value: Any) -> EntryName:
    return EntryName(want_text(value["kind"]), want_text(value["id"]))
