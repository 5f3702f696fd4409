"""Modes and owners of a bundle's files and directories: what the index says of them, against what is there.

Owns which differences matter. Somebody else's file, one that others may write to, and one that lends its owner's rights
are not what was built: whoever unpacked the bundle as root would run them. Bits that are missing are a note: an umask
takes them. Refuses to know content; `tree` and `archive_reader` do.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bundler.archive.open_beneath import open_directory
from bundler.archive.tar_header import encode_header, same_mode, same_owner
from bundler.model.bundle import INDEX_PATH

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bundler.archive.checked_index import CheckedIndex
    from bundler.archive.tar_reader import TarMember

DIRECTORY_MODE = 0o755
_LENDS_RIGHTS = stat.S_ISUID | stat.S_ISGID
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_ROOT = 0
# `header`: something of a member's header that is neither
OwnershipFault = Literal["mode", "owner", "header"]


@dataclass(frozen=True, slots=True)
class Ownership:
    """What differs, as sorted paths; a directory as `path/`.

    Arguments:
        mode, owner, header: what makes this another bundle than the one that was built.
        other_modes: modes that differ and do no harm.
    """

    mode: tuple[str, ...] = ()
    owner: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    other_modes: tuple[str, ...] = ()

    @property
    def intact(self) -> bool:
        """Whether nothing that matters differs."""
        return not (self.mode or self.owner or self.header)

    @property
    def found(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """What matters, with its word."""
        return (("mode", self.mode), ("owner", self.owner), ("header", self.header))


NO_DIFFERENCE = Ownership()


def header_fault(member: TarMember, mode: int) -> OwnershipFault | None:
    """Compare a member's header with the one that bundler writes; return what differs first, None for nothing."""
    path = member.path.encode()
    wanted = encode_header(path, size=member.size, mode=mode, mtime=member.mtime, directory=member.directory)
    if member.header == wanted:
        return None
    if not same_mode(member.header, wanted):
        return "mode"
    return "header" if same_owner(member.header, wanted) else "owner"


def archive_ownership(faults: Iterable[tuple[str, OwnershipFault]]) -> Ownership:
    """Sort what `header_fault` returned for the paths of an archive."""
    known = sorted(faults)

    def paths(wanted: OwnershipFault) -> tuple[str, ...]:
        return tuple(path for path, fault in known if fault == wanted)

    return Ownership(mode=paths("mode"), owner=paths("owner"), header=paths("header"))


def tree_ownership(root: int, checked: CheckedIndex) -> Ownership:
    """Compare every listed file and directory that there is. Raises OSError.

    Arguments:
        root: descriptor of the bundle's root.
    """
    owners = _owners(root)
    mode, owner, other_modes = [], [], []
    for path, wanted, status in listed_statuses(root, checked):
        found = stat.S_IMODE(status.st_mode)
        if found & ~wanted & (_LENDS_RIGHTS | _OTHERS_WRITE):
            mode.append(path)
        elif found != wanted:
            other_modes.append(path)
        if status.st_uid not in owners:
            owner.append(path)
    return Ownership(mode=tuple(sorted(mode)), owner=tuple(sorted(owner)), other_modes=tuple(sorted(other_modes)))


def _owners(root: int) -> set[int]:
    """Return who may own the files of a tree: root, and who unpacked it, or is about to."""
    try:
        return {_ROOT, os.stat(INDEX_PATH, dir_fd=root, follow_symlinks=False).st_uid}
    except FileNotFoundError:
        return {_ROOT, os.geteuid()}


def listed_statuses(root: int, checked: CheckedIndex) -> Iterator[tuple[str, int, os.stat_result]]:
    """Yield path, wanted mode and status of what is there and is of the right type; each directory is opened once."""
    for directory, names in sorted(_by_directory(checked).items()):
        try:
            descriptor = open_directory(root, directory)
        except OSError:
            # absent, or no directory: its files are missing, or changed
            continue
        try:
            if directory:
                yield f"{directory}/", DIRECTORY_MODE, os.fstat(descriptor)
            for name, path, mode in names:
                try:
                    status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if stat.S_ISREG(status.st_mode):
                    yield path, mode, status
        finally:
            os.close(descriptor)


def _by_directory(checked: CheckedIndex) -> dict[str, list[tuple[str, str, int]]]:
    found: dict[str, list[tuple[str, str, int]]] = {directory: [] for directory in checked.directories}
    for path, file in checked.listed.items():
        directory, _, name = path.rpartition("/")
        found.setdefault(directory, []).append((name, str(path), file.mode))
    return found
