"""Files whose identity changed are hashed again before they are served: a new link, owner or label changes no byte.

Unpacking the next bundle links its equal files to the ones being served, and `restorecon` relabels them; neither may
stop the mirror. Owns which files cannot be served at the moment.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections import Counter
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from bundler.archive.open_beneath import open_file
from mirror.tree.identity import identity_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from io import FileIO

    from mirror.tree.identity import Identity
    from mirror.tree.served import File
    from mirror.tree.served_bundle import ServedBundle
    from mirror.tree.site import Site

READ_BYTES = 1024 * 1024
# while a bundle that shares the file is unpacked or removed it gets, or loses, names
_ATTEMPTS = 3
# time.h; Python has no name for it
_CLOCK_REALTIME_COARSE = 5
_TICK_S, _MAX_TICKS = 0.002, 20


def _unwatched(_size: int) -> None:
    """Do nothing with a count of bytes."""


def hash_again(file: File, read: Callable[[int], None] = _unwatched) -> tuple[File | None, Identity | None]:
    """Hash what lies at a listed file's place now; may take as long as the disk does, so call it from a thread.

    Arguments:
        read: told how many bytes were read, piece by piece.

    Returns the file with its new identity, or None when it is not the listed one; and the identity of what was hashed,
    None when there is no such file.
    """
    if file.digest is None:
        return None, None
    try:
        descriptor = open_file(file.place.directory, file.place.path)
    except OSError:
        return None, None
    if descriptor is None:
        return None, None
    with os.fdopen(descriptor, "rb", buffering=0) as stream:
        for _ in range(_ATTEMPTS):
            _wait_for_the_next_tick(os.fstat(descriptor))
            identity = identity_of(os.fstat(descriptor))
            if not _is_listed(stream, identity, file, read):
                return None, identity
            if identity_of(os.fstat(descriptor)) == identity:
                return replace(file, identity=identity), identity
    return None, identity


def _is_listed(stream: FileIO, identity: Identity, file: File, read: Callable[[int], None]) -> bool:
    """Tell whether an opened file of this identity has the listed bytes."""
    if identity.size != file.size:
        return False
    digest = hashlib.sha256()
    try:
        stream.seek(0)
        # no more than was there at first: a file that somebody appends to has no end
        left = file.size
        while left and (chunk := stream.read(min(READ_BYTES, left))):
            digest.update(chunk)
            left -= len(chunk)
            read(len(chunk))
    except OSError:
        return False
    return file.digest is not None and digest.hexdigest() == file.digest.hex


def _wait_for_the_next_tick(status: os.stat_result) -> None:
    """Wait until a change of the file would change its time: the kernel's clock for that stands still between ticks."""
    for _ in range(_MAX_TICKS):
        if time.clock_gettime_ns(_CLOCK_REALTIME_COARSE) != status.st_ctime_ns:
            break
        time.sleep(_TICK_S)


class _QuarantinedFile(NamedTuple):
    """A file that is not served: as people call it, and the identity that was found wrong, None for none yet."""

    name: str
    wrong: Identity | None
    file: File


class Quarantine:
    """The listed files that this worker cannot serve at the moment, and what is known of them. For one thread.

    Kept by where a file lies: two directories may hold the same bundle, and only one of them be damaged.
    """

    def __init__(self, bundles: Iterable[ServedBundle]) -> None:
        self._refused: dict[str, _QuarantinedFile] = {
            file.place.path: _QuarantinedFile(f"{bundle.short_id}/{fault.path}", fault.identity, file)
            for bundle in bundles
            for fault in bundle.faults
            if (file := bundle.file_at(fault.path)) is not None
        }

        self._by_bundle = Counter(refused.name.partition("/")[0] for refused in self._refused.values())

    @property
    def count(self) -> int:
        """How many files are refused now."""
        return len(self._refused)

    def paths(self) -> list[str]:
        """Return the refused paths, sorted, each as `bundle/path`."""
        return sorted(refused.name for refused in self._refused.values())

    def bundles(self) -> Collection[str]:
        """Return the short ids of the bundles that have such files."""
        return self._by_bundle.keys()

    def first_files(self, count: int) -> list[File]:
        """Return some of the refused files."""
        return [refused.file for refused in islice(self._refused.values(), count)]

    def next_files(self, count: int) -> list[File]:
        """Return some of the refused files, others with each call until all had their turn."""
        places = list(self._refused)[:count]
        for place in places:
            # to the end of the order
            self._refused[place] = self._refused.pop(place)
        return [self._refused[place].file for place in places]

    def is_known(self, file: File) -> bool:
        """Tell whether this file is refused already, so that it is reported once."""
        return file.digest is not None and file.place.path in self._refused

    def may_have_changed(self, file: File) -> bool:
        """Tell whether hashing could change anything: something of the right size that was not found wrong before."""
        if file.digest is None:
            return False
        try:
            status = os.stat(file.place.path, dir_fd=file.place.directory, follow_symlinks=False)
        except OSError:
            return False
        if not stat.S_ISREG(status.st_mode) or status.st_size != file.size:
            return False
        refused = self._refused.get(file.place.path)
        return refused is None or refused.wrong != identity_of(status)

    def refuse(self, file: File, wrong: Identity | None) -> None:
        """Remember that a file is not the listed one, and which identity was found wrong."""
        if file.digest is not None:
            if file.place.path not in self._refused:
                self._by_bundle[file.bundle] += 1
            self._refused[file.place.path] = _QuarantinedFile(f"{file.bundle}/{file.path}", wrong, file)

    def readmit(self, site: Site, file: File) -> None:
        """Serve a file again, under its new identity."""
        if file.digest is not None:
            if self._refused.pop(file.place.path, None) is not None:
                self._by_bundle[file.bundle] -= 1
                self._by_bundle += Counter()
            site.replace_file(file)
