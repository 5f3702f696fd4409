"""A kind of content for tests of the pipeline: every entry is a short text that it fetches from a dictionary."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bundler.errors import ErrorId, SourceError
from bundler.kinds.base import Estimate, Fetch, Sources
from bundler.manifest.fields import Fields
from bundler.manifest.node_text import want_text
from bundler.model.artifact import HeldTo
from bundler.model.bundle_path import BundlePath
from bundler.model.digest import Blob
from bundler.model.placement import Placement
from bundler.model.source_text import Position, Scalar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bundler.model.json_value import Json
    from bundler.model.lock import LockedEntry
    from bundler.model.platform import Platform
    from bundler.model.progress import Task
    from bundler.model.scope import Scope
    from bundler.model.source_text import Node


@dataclass(frozen=True, slots=True)
class NoteEntry:
    """One wanted note; `wish` stands for its settings."""

    id: str
    wish: str = ""
    position: Position = field(default=Position("manifest.yaml", 1, 1))

    @property
    def key(self) -> str:
        """Its id in lower case: however that is written, it is one note."""
        return self.id.lower()

    def meaning(self) -> Json:
        """Return its settings."""
        return [self.key, self.wish]

    def targets(self) -> tuple[BundlePath, ...]:
        """Return where it goes."""
        return (BundlePath(self.id),)


@dataclass(frozen=True, slots=True)
class NoteArtifact:
    """A pinned note."""

    key: str
    blob: Blob
    held_to: HeldTo = field(default=HeldTo("first-use"))
    platforms: tuple[Platform, ...] = ()

    @property
    def version(self) -> str:
        """Its digest."""
        return str(self.blob.digest)

    @property
    def size(self) -> int:
        """Its bytes."""
        return self.blob.size

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """Its one blob."""
        return (self.blob,)

    @property
    def placed(self) -> Mapping[BundlePath, Blob]:
        """Where its key says."""
        return {BundlePath(self.key): self.blob}

    def encode(self) -> Json:
        """Return its JSON."""
        return {"key": self.key, **self.blob.encode(), "held_to": self.held_to.encode()}

    @classmethod
    def decode(cls, value: Any) -> NoteArtifact:
        """Read what `encode` wrote."""
        return cls(value["key"], Blob.decode(value), HeldTo.decode(value["held_to"]))


@dataclass(slots=True)
class NotesKind:
    """`upstream` maps an id to the text that is there now; an absent one fails. `locked`, `fetched`: what was done.

    `kept`: the keys of the earlier pins that `lock` was told, by entry.
    """

    upstream: dict[str, str] = field(default_factory=dict)
    locked: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    kept: dict[str, list[str]] = field(default_factory=dict)
    name: str = "notes"
    schema: Mapping[str, Json] = field(default_factory=dict)

    def read(self, node: Node, scope: Scope) -> NoteEntry | None:
        """Read an id, or a mapping of `id` and `wish`."""
        if isinstance(node, Scalar):
            written = want_text(node, scope, "a note")
            return None if written is None else NoteEntry(written.text, "", node.position)
        fields = Fields(node, scope, known=("id", "wish"), what="a note")
        written, wish = fields.text("id", required=True), fields.text("wish")
        if written is None or not fields.ok:
            return None
        return NoteEntry(written.text, "" if wish is None else wish.text, node.position)

    def check(self, entries: Sequence[NoteEntry], scope: Scope) -> None:
        """Find nothing wrong."""

    def estimate(self, entry: NoteEntry, sources: Sources, task: Task) -> Estimate:  # noqa: ARG002 - the protocol's
        """Tell the size, as an upstream does, without the digest."""
        size = len(self._text(entry.id).encode())
        return Estimate((Fetch(entry.id, (), size, 0, (entry.id,), None),))

    def lock(
        self,
        entry: NoteEntry,
        sources: Sources,  # noqa: ARG002 - same
        task: Task,  # noqa: ARG002 - same
        *,
        kept: Sequence[NoteArtifact] = (),
        moved: Sequence[NoteArtifact] = (),  # noqa: ARG002 - same
    ) -> tuple[NoteArtifact, ...]:
        """Pin what is there now, leaving the store alone; a note is one thing, so no earlier pin is kept."""
        self.locked.append(entry.id)
        self.kept[entry.id] = [artifact.key for artifact in kept]
        return (NoteArtifact(entry.id, Blob.of(self._text(entry.id).encode())),)

    def disagreements(
        self, entry: NoteEntry, pinned: Sequence[NoteArtifact], platforms: Sequence[Platform]
    ) -> list[str]:
        """Want one note, which is called what the entry is called; for any platform."""
        del platforms
        return [] if [note.key for note in pinned] == [entry.id] else [f"pins {[note.key for note in pinned]}"]

    def narrow(self, artifact: NoteArtifact, platforms: Sequence[Platform], sources: Sources) -> NoteArtifact | None:  # noqa: ARG002 - same
        """Keep it: notes are for any platform."""
        return artifact

    def fetches(self, artifacts: Sequence[NoteArtifact]) -> tuple[Fetch, ...]:
        """Return one fetch per note."""
        return tuple(Fetch(note.key, note.blobs, note.size, 0, (note.key,), note) for note in artifacts)

    def fetch(self, fetch: Fetch, sources: Sources, task: Task) -> None:
        """Copy it from upstream to the store."""
        data = self._text(fetch.label).encode()
        self.fetched.append(fetch.label)
        task.advance(len(data))
        sources.store.admit([data], *(blob.digest for blob in fetch.provides))

    def place(self, entries: Sequence[LockedEntry], platforms: Sequence[Platform], sources: Sources) -> list[Placement]:  # noqa: ARG002 - same
        """Put each note where its id says."""
        return [
            Placement(BundlePath(artifact.key), artifact.blobs[0], self.name, mtime=1_700_000_000)
            for entry in entries
            for artifact in entry.artifacts
        ]

    def _text(self, entry_id: str) -> str:
        if entry_id not in self.upstream:
            raise SourceError(ErrorId.SOURCE_NOT_FOUND, "is not there", where=entry_id, remedy="Write it.")
        return self.upstream[entry_id]
