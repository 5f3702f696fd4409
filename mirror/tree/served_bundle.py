"""One unpacked bundle as it is served: its listed files with what was found on disk. A value of `bundle_loading`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bundler.model.bundle import ID_CHARACTERS
from mirror.tree.served import Directory, DirectoryEntry

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from bundler.model.bundle import BundleIndex
    from mirror.tree.identity import Identity
    from mirror.tree.served import File, Resource


FaultWord = Literal["missing", "changed", "unreadable", "mode", "owner"]


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


@dataclass(frozen=True, slots=True)
class ServedBundle:
    """A bundle below the mirror's root.

    Arguments:
        id: in full, 64 hex digits.
        directory: its directory's name below the root, "" when the root itself is the bundle.
        index: what bundle.json says.
        files: every path that is served, bundle.json and SHA256SUMS included.
        children: directory's path -> sorted names in it; "" is the bundle's top.
        modified_s: the newest date of its files, in seconds since the epoch.
        faults: listed files that are absent or not what is listed, sorted.
        verified: whether every digest was compared when it was loaded, and matched; None when nobody asked for it.
    """

    id: str
    directory: str
    index: BundleIndex
    files: MutableMapping[str, File]
    children: Mapping[str, tuple[str, ...]]
    modified_s: int
    faults: tuple[Fault, ...]
    verified: bool | None

    @property
    def short_id(self) -> str:
        """The first 12 digits, by which people call it."""
        return self.id[:ID_CHARACTERS]

    @property
    def title(self) -> str:
        """Name and release."""
        return f"{self.index.name} {self.index.release}".rstrip()

    @property
    def complete(self) -> bool:
        """Whether every listed file was there when it was loaded."""
        return not self.faults

    def replace_file(self, file: File) -> None:
        """Take over a file's new identity; everything else of the bundle stays as it was loaded.

        A file of another directory is left alone, also when that holds the same bundle.
        """
        known = self.files.get(file.path)
        if known is not None and known.place == file.place:
            self.files[file.path] = file

    def lists(self, file: File) -> bool:
        """Tell whether a file is this bundle's, whichever identity it has."""
        known = self.files.get(file.path)
        return known is not None and known.place == file.place and known.digest == file.digest

    def find(self, path: str, url: str) -> Resource | None:
        """Return what lies at a path of the bundle.

        Arguments:
            path: without slashes at its ends, "" for the bundle's top.
            url: the URL's path that a directory is to have, which differs below `@DIR`.
        """
        if (file := self.files.get(path)) is not None:
            return file
        names = self.children.get(path)
        if names is None:
            return None
        below = f"{path}/" if path else ""
        entries = tuple(DirectoryEntry(name, self.files.get(below + name)) for name in names)
        return Directory(url, entries, self.modified_s, self.short_id, path)
