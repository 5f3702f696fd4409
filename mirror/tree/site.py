"""All that one mirror serves at one moment: bundles, the current one, shared directories. docs/design.md, 8.

A value that a reload replaces as a whole; a transfer that began on an older one keeps its open file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mirror.tree.served import Directory
from mirror.tree.served_bundle import BUNDLE_MARK

if TYPE_CHECKING:
    from mirror.tree.packed import Packed
    from mirror.tree.served import File, Resource
    from mirror.tree.served_bundle import ServedBundle
    from mirror.tree.shares import Share

# top-level names that the mirror answers itself
_OWN_NAMES = ("-", "v2")
# more files than an index that is served can have
_NUMBER_BITS = 32


def is_reserved(top: str) -> bool:
    """Tell whether a top-level name is one that no bundle and no share may have."""
    return top in _OWN_NAMES or top.startswith(BUNDLE_MARK)


@dataclass(frozen=True, slots=True)
class Site:
    """What is served.

    Arguments:
        bundles: all of them, sorted by directory.
        current: the one that is also served at `/`, or None.
        shares: further directories, served as they are; longer paths first.
        problems: one line for each bundle that had to be left out, and why.
        warnings: one line for each other thing that an operator should know.
        packed: the file that the bundles, and what else is made of them, are read from.
    """

    bundles: tuple[ServedBundle, ...]
    current: ServedBundle | None
    shares: tuple[Share, ...] = ()
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    packed: Packed | None = None

    def bundle(self, short_id: str) -> ServedBundle | None:
        """Return the bundle of that short id, the first one when several directories hold it."""
        return next((bundle for bundle in self.bundles if bundle.short_id == short_id), None)

    def at(self, address: str) -> ServedBundle | None:
        """Return the bundle that is served below `@DIR`, or below `@.` for the root's own."""
        return next((bundle for bundle in self.bundles if bundle.address == address), None)

    def lists(self, file: File) -> bool:
        """Tell whether a file is one of a bundle that is served; one of an earlier snapshot may not be."""
        return any(bundle.lists(file) for bundle in self.bundles)

    def number_of(self, file: File) -> int | None:
        """Return a number for a bundle's file that is the same for all that map this site; None for others."""
        for bundle in self.bundles:
            if bundle.lists(file):
                number = bundle.number_of(file.path)
                return None if number is None else bundle.number << _NUMBER_BITS | number
        return None

    def numbered(self, number: int) -> tuple[ServedBundle, File] | None:
        """Return the file of such a number, and its bundle; None when there is none here."""
        bundle, file = number >> _NUMBER_BITS, number & ((1 << _NUMBER_BITS) - 1)
        if bundle >= len(self.bundles) or file >= len(self.bundles[bundle]):
            return None
        return self.bundles[bundle], self.bundles[bundle].file(file)

    def replace_file(self, file: File) -> None:
        """Take over the new identity of a bundle's file."""
        for bundle in self.bundles:
            bundle.replace_file(file)

    def find(self, path: str) -> Resource | None:
        """Return what a URL's path leads to, or None.

        Arguments:
            path: decoded, without slashes at its ends; "" is the top.

        Bundles are answered from memory; a path below a share asks the disk.
        """
        if path.endswith("/"):
            return None
        return self._with_mounts(path, self._unmounted(path))

    def _unmounted(self, path: str) -> Resource | None:
        for share in self.shares:
            below = f"{share.path}/" if share.path else ""
            if path == share.path or path.startswith(below):
                return share.find(path[len(below) :], path)
        if path.startswith(BUNDLE_MARK):
            address, _, inner = path.partition("/")
            addressed = self.at(address)
            return addressed.find(inner, path) if addressed else None
        return self.current.find(path, path) if self.current else None

    def _with_mounts(self, path: str, found: Resource | None) -> Resource | None:
        """Add to a directory what is mounted in it: shares anywhere, bundles at the top."""
        if found is not None and not isinstance(found, Directory):
            return found
        below = f"{path}/" if path else ""
        names = {share.path[len(below) :].partition("/")[0] for share in self.shares if share.path.startswith(below)}
        # the share that is the root itself is mounted in nothing
        names.discard("")
        if not path:
            names |= {bundle.address for bundle in self.bundles if bundle.directory or bundle is not self.current}
        if found is None:
            # the top exists always, and so does what leads to a share
            if path and not names:
                return None
            newest = max((bundle.modified_s for bundle in self.bundles), default=0)
            found = Directory(path, (), (), newest, "", "")
        if not names:
            return found
        files = found.files
        if any(entry.name in names for entry in files):
            files = tuple(entry for entry in files if entry.name not in names)
        directories = sorted(names.union(found.directories))
        return Directory(found.path, directories, files, found.modified_s, found.bundle, found.inner)
