"""One unpacked bundle as it is served: its listed files with what was found on disk, out of the packed site."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

from bundler.archive.bundle_root import ITSELF
from bundler.model.digest import ID_CHARACTERS, Digest
from mirror.tree.bundle_rows import KEY_SEPARATOR, BundleRow, FileRow, keys_in, name_of, path_of, row_key, section
from mirror.tree.identity import Identity
from mirror.tree.lazy import Lazy
from mirror.tree.served import Directory, DirectoryEntry, File, FilePlace

if TYPE_CHECKING:
    from mirror.tree.packed import Packed
    from mirror.tree.served import Resource

FaultWord = Literal["missing", "changed", "unreadable", "mode", "owner"]
BUNDLE_MARK = "@"
# of files that were asked for lately; what small files cost beside their bytes is mostly finding them
_MAX_KNOWN = 2048


@dataclass(frozen=True, slots=True)
class Fault:
    """A listed file that cannot be served.

    Arguments:
        what: `unreadable`: the mirror's user may not read it; `mode`, `owner`: others may change it, or its directory.
        identity: of a file whose content is not in doubt; the same file is not looked at again.
    """

    path: str
    what: FaultWord
    identity: Identity | None = None


class Total(NamedTuple):
    """What lies below a directory, at any depth."""

    files: int
    size: int


class ServedBundle:
    """A bundle below the mirror's root.

    Arguments:
        packed: the site that it is a part of.
        number: its place among the site's bundles.
        root: descriptor of the mirror's root.
    """

    def __init__(self, packed: Packed, number: int, root: int) -> None:
        self.packed = packed
        self.number = number
        self._root = root
        self._row = BundleRow(*packed.value(section(number, "bundle")))
        self._keys = packed.rows(section(number, "keys"))
        self._files = packed.rows(section(number, "files"))
        self._directory_keys = packed.rows(section(number, "directories"))
        self._totals = packed.numbers(section(number, "totals"))
        self._below = f"{self._row.directory}/" if self._row.directory else ""
        # by number; those of replaced files are this process's own knowledge
        self._identities: dict[int, Identity | None] = {}
        self._known: dict[str, File] = {}

    @property
    def id(self) -> str:
        """Its id in full, 64 hex digits."""
        return self._row.id

    @property
    def short_id(self) -> str:
        """The first 12 digits, by which people call it."""
        return self._row.id[:ID_CHARACTERS]

    @property
    def directory(self) -> str:
        """Its directory's name below the root, "" when the root itself is the bundle."""
        return self._row.directory

    @property
    def address(self) -> str:
        """The path that it keeps whichever bundle is current: `@DIR`, or `@.` for the root's own."""
        return f"{BUNDLE_MARK}{self._row.directory or ITSELF}"

    @property
    def name(self) -> str:
        """What bundle.json calls it."""
        return self._row.name

    @property
    def release(self) -> str:
        """Its release, "" for none."""
        return self._row.release

    @property
    def title(self) -> str:
        """Name and release."""
        return f"{self._row.name} {self._row.release}".rstrip()

    @property
    def platforms(self) -> tuple[str, ...]:
        """Whom it was built for, the primary one first."""
        return self._row.platforms

    @property
    def file_count(self) -> int:
        """Files of the bundle that belong here: the listed ones, bundle.json and SHA256SUMS."""
        return self._row.file_count

    @property
    def content_bytes(self) -> int:
        """Bytes of all listed files together."""
        return self._row.content_bytes

    @property
    def modified_s(self) -> int:
        """The newest date of its files, in seconds since the epoch."""
        return self._row.modified_s

    @property
    def verified(self) -> bool | None:
        """Whether every digest was compared when it was loaded, and matched; None when nobody asked for it."""
        return self._row.verified

    @property
    def left_out(self) -> int:
        """How many of its files subset.json leaves out; 0 where the whole bundle is here."""
        return self._row.left_out

    @cached_property
    def faults(self) -> tuple[Fault, ...]:
        """Listed files that were absent or not what is listed when it was loaded, sorted."""
        rows = self.packed.value(section(self.number, "faults"))
        return tuple(Fault(path, word, identity and Identity(*identity)) for path, word, identity in rows)

    @property
    def complete(self) -> bool:
        """Whether every listed file was there when it was loaded."""
        return not self.faults

    @cached_property
    def fingerprint(self) -> bytes:
        """SHA-256 of what was found when it was loaded: another one as soon as the bundle, or a file of it, is."""
        digest = hashlib.sha256(self._row.id.encode())
        for row in self._files:
            digest.update(row)
        return digest.digest()

    def replace_file(self, file: File) -> None:
        """Take over a file's new identity; everything else of the bundle stays as it was loaded.

        A file of another directory is left alone, also when that holds the same bundle.
        """
        number = self.number_of(file.path)
        if number is not None and file.identity is not None and self.lists(file):
            self._identities[number] = file.identity
            self._known[file.path] = file

    def withdraw(self, number: int) -> File:
        """Serve a file no more until `replace_file` brings a new identity; return it."""
        self._identities[number] = None
        file = self.file(number)
        self._known.pop(file.path, None)
        return file

    def lists(self, file: File) -> bool:
        """Tell whether a file is this bundle's, whichever identity it has."""
        known = self.file_at(file.path)
        return known is not None and known.place == file.place and known.digest == file.digest

    def __len__(self) -> int:
        """Return how many files it serves."""
        return len(self._keys)

    def __bool__(self) -> bool:
        """Return True: a bundle without files is one."""
        return True

    def number_of(self, path: str) -> int | None:
        """Return the number of a file that is served, None for another path."""
        return self._keys.find(row_key(path))

    def file_at(self, path: str) -> File | None:
        """Return the file at a path, None where there is none."""
        if (known := self._known.get(path)) is not None:
            return known
        if (number := self.number_of(path)) is None:
            return None
        if len(self._known) >= _MAX_KNOWN:
            self._known.clear()
        file = self._known[path] = self.file(number)
        return file

    def file(self, number: int) -> File:
        """Return a file by its number."""
        path = path_of(self._keys[number])
        row = FileRow.unpacked(self._files[number])
        checked = None if row.identity is None else Identity(*row.identity)
        hexadecimal = row.digest.hex()
        return File(
            FilePlace(self._root, self._below + path),
            row.size,
            f'"{hexadecimal}"',
            row.modified_s,
            row.media_type,
            self._identities.get(number, checked),
            self._row.id[:ID_CHARACTERS],
            path,
            Digest("sha256", hexadecimal),
        )

    def names_from(self, beginning: str) -> list[str]:
        """Return the names of files at the bundle's top that begin like this, sorted."""
        first = f"{KEY_SEPARATOR}{beginning}".encode()
        return [name_of(self._keys[place]) for place in self._keys.beginning_with(first, first + b"\xff")]

    def total(self, path: str) -> Total | None:
        """Return what lies below a directory, None where there is no such directory."""
        place = self._place(path)
        return None if place is None else Total(self._totals[2 * place], self._totals[2 * place + 1])

    def find(self, path: str, url: str) -> Resource | None:
        """Return what lies at a path of the bundle.

        Arguments:
            path: without slashes at its ends, "" for the bundle's top.
            url: the URL's path that a directory is to have, which differs below `@DIR`.
        """
        if (file := self.file_at(path)) is not None:
            return file
        if self._place(path) is None:
            return None
        below = self._directory_keys.beginning_with(*keys_in(path))
        # the top is in itself: its row has the empty name
        directories = Lazy(below if path else below[1:], lambda place: name_of(self._directory_keys[place]))
        files = Lazy(self._keys.beginning_with(*keys_in(path)), self._entry)
        return Directory(url, directories, files, self.modified_s, self.short_id, path)

    def _place(self, path: str) -> int | None:
        return self._directory_keys.find(row_key(path))

    def _entry(self, number: int) -> DirectoryEntry:
        return DirectoryEntry(name_of(self._keys[number]), self.file(number))
