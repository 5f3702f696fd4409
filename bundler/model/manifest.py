"""The manifest as a value, and what its reader asks of a kind of content. docs/design.md, 3."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Protocol, TypeVar

from bundler.model.digest import Digest
from bundler.model.json_value import Json, dump_canonical

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bundler.model.bundle_path import BundlePath
    from bundler.model.platform import Platform
    from bundler.model.scope import Scope
    from bundler.model.source_text import Node, Position, Problem

MANIFEST_VERSION = 1
ROLES = ("cloud", "edge")
NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
RELEASE_PATTERN = re.compile(r"[A-Za-z0-9._-]{1,32}")


class Entry(Protocol):
    """One wanted piece of content: a list item of the manifest, as its kind reads it."""

    @property
    def id(self) -> str:
        """Its path, or the reference, as written (variables unexpanded); unique within the kind."""

    @property
    def key(self) -> str:
        """What it asks for, variables expanded and in full: two entries of a kind with one key are one thing."""

    @property
    def position(self) -> Position:
        """Where it stands, for messages."""

    def meaning(self) -> Json:
        """Return what it asks for, variables expanded: equal meanings are locked alike."""

    def targets(self) -> tuple[BundlePath, ...]:
        """Return the files of the bundle that it is known to place before it is locked, once per platform.

        The reader refuses a manifest in which two of them collide. Files whose names only locking tells (a subtree of
        an archive) are left out; a kind that lays out its own directory returns nothing.
        """


E = TypeVar("E", bound=Entry)


class EntryReader(Protocol[E]):
    """What the manifest reader asks of a kind."""

    @property
    def name(self) -> str:
        """The top-level key of the manifest, for example `files`."""

    @property
    def schema(self) -> Mapping[str, Json]:
        """The JSON schema (draft 2020-12) of one list item."""

    def read(self, node: Node, scope: Scope) -> E | None:
        """Read one list item; report every problem to the scope, return None when there is any error."""

    def check(self, entries: Sequence[E], scope: Scope) -> None:
        """Report what is wrong between entries of this kind (two images on one site name).

        Called once with all entries that could be read, in the order of the file, their ids unique; not called when
        there are none. What is wrong with one entry alone belongs to `read`.
        """


@dataclass(frozen=True, slots=True)
class Manifest:
    """A whole manifest, checked.

    `entries` holds, for each kind's name, its entries in the order of the file; `variables` are in effect (`--set`
    included).
    """

    name: str
    release: str
    platforms: tuple[Platform, ...]
    variables: Mapping[str, str]
    entries: Mapping[str, Sequence[Entry]]
    warnings: tuple[Problem, ...] = ()
    # at most one, of which nobody else knows
    _digests: list[Digest] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def digest(self) -> Digest:
        """SHA-256 of the manifest's meaning: comments, `x-` keys and the order of keys and entries do not count.

        Nor do kinds that it lists nothing of: a lock stays good when a later version of the tool knows another kind.
        Found out once: the sorted texts of all entries are a good part of what a large manifest takes.
        """
        if not self._digests:
            self._digests.append(self._meaning_digest())
        return self._digests[0]

    def _meaning_digest(self) -> Digest:
        rest: Json = {
            "version": MANIFEST_VERSION,
            "name": self.name,
            "release": self.release,
            "platforms": [str(platform) for platform in self.platforms],
        }
        # the canonical form of the whole, of which only the sorted texts of one kind are there at any moment
        digest = hashlib.sha256(b'{"entries":{')
        for number, kind in enumerate(sorted(kind for kind in self.entries if self.entries[kind])):
            digest.update(b"," * bool(number) + dump_canonical(kind) + b":[")
            texts = sorted(dump_canonical(entry.meaning()) for entry in self.entries[kind])
            digest.update(texts[0])
            for text in islice(texts, 1, None):
                digest.update(b"," + text)
            digest.update(b"]")
        digest.update(b"}," + dump_canonical(rest).removeprefix(b"{"))
        return Digest("sha256", digest.hexdigest())

    @property
    def archive_name(self) -> str:
        """The file name of the archive: NAME.tar.gz or NAME-RELEASE.tar.gz."""
        return archive_name(self.name, self.release)


def archive_name(name: str, release: str) -> str:
    """Return the file name of a bundle's archive."""
    return f"{name}-{release}.tar.gz" if release else f"{name}.tar.gz"


def entry_fingerprint(entry: Entry) -> Digest:
    """Return the SHA-256 of an entry's meaning, by which a lock knows that it still answers the same entry."""
    return Digest.sha256(dump_canonical(entry.meaning()))
