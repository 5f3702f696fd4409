"""A bundle's own index, decoded and checked, whether the bundle is an archive, a tree, or behind a URL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.archive.bundle_files import OWN_KIND, path_problems
from bundler.archive.delta_marks import recipe_of
from bundler.archive.faults import damaged, invalid
from bundler.errors import ErrorId
from bundler.model.bundle import (
    INDEX_PATH,
    SUMS_PATH,
    BundleIndex,
    IndexedFile,
    decode_index,
    sums_text,
)
from bundler.model.bundle_path import BundlePath
from bundler.model.delta_mark import PATCH_DIRECTORY, patch_path
from bundler.model.digest import Blob, Digest
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bundler.errors import BundleFormatError, BundlerError

OWN_MODE = 0o644
# characters in the names of all parent directories, counted for each file: a short index could demand gigabytes of them
MAX_PARENTS_CHARACTERS = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class CheckedIndex:
    """A bundle's index and what follows from it.

    `digest` is that of bundle.json. `listed` has every path that must exist, bundle.json and SHA256SUMS included;
    `directories` all of their parents. `carried` has the files of its archive: fewer in a delta, which leaves paths to
    its bases; `patched` the paths that each patch among them leads to, by its own path.
    """

    where: str
    index: BundleIndex
    digest: Digest
    listed: Mapping[str, IndexedFile]
    directories: frozenset[str]
    carried: Mapping[str, IndexedFile]
    patched: Mapping[str, Sequence[IndexedFile]]

    @property
    def id(self) -> str:
        """The bundle's id in full."""
        return self.digest.hex

    @property
    def total_bytes(self) -> int:
        """Bytes of all listed files together, bundle.json and SHA256SUMS included."""
        return sum(file.blob.size for file in self.listed.values())

    @property
    def carried_directories(self) -> frozenset[str]:
        """The directories of its archive."""
        return self.directories | {PATCH_DIRECTORY} if self.patched else self.directories

    @property
    def carried_bytes(self) -> int:
        """Bytes of the files of its archive together."""
        return sum(file.blob.size for file in self.carried.values())


def check_index(index_bytes: bytes, where: str) -> CheckedIndex:
    """Decode bundle.json and derive what must exist. Raises BundleFormatError."""
    index = decode_index(index_bytes, where=where)
    own = ((INDEX_PATH, index_bytes), (SUMS_PATH, sums_text(index.files, index_bytes)))
    listed: dict[str, IndexedFile] = {path: IndexedFile(path, Blob.of(data), OWN_MODE, OWN_KIND) for path, data in own}
    digest = listed[INDEX_PATH].blob.digest
    listed |= {file.path: file for file in index.files}
    directories = _directories(index, where)
    if problems := path_problems(file.path for file in listed.values()):
        raise invalid(
            where,
            tr("its bundle.json lists paths that get in each other's way: {problems}", problems="; ".join(problems)),
        )
    patched = _patched(index, where)
    carried = listed
    if index.bases:
        carried = {path: file for path, file in listed.items() if file.mark is None}
        carried |= {path: _patch(path, files[0]) for path, files in patched.items()}
    return CheckedIndex(where, index, digest, listed, directories, carried, patched)


def _patched(index: BundleIndex, where: str) -> dict[str, list[IndexedFile]]:
    patched: dict[str, list[IndexedFile]] = {}
    for file in index.files:
        if file.mark is not None and file.mark.recipe is not None:
            same = patched.setdefault(patch_path(file.blob.digest), [])
            same.append(file)
            if recipe_of(same[0]) != file.mark.recipe:
                raise invalid(where, tr("its bundle.json has two recipes for the content of {path}", path=file.path))
    return patched


def _patch(path: str, file: IndexedFile) -> IndexedFile:
    return IndexedFile(BundlePath(path), recipe_of(file).patch, OWN_MODE, OWN_KIND)


def refusal(error: BundleFormatError, index_bytes: bytes, sums: bytes | None) -> BundlerError:
    """Return the error for a bundle.json that `check_index` refuses.

    Where SHA256SUMS says that it should be another one, that is an IntegrityError: it was damaged on its way.

    Arguments:
        error: what `check_index` raised.
        sums: the SHA256SUMS that lies beside it, None where there is none.
    """
    found = Digest.sha256(index_bytes).hex.encode()
    for line in (sums or b"").splitlines():
        want, _, path = line.partition(b"  ")
        if path == INDEX_PATH.encode() and want != found and error.id is ErrorId.BUNDLE_INVALID:
            what = tr("bundle.json is not the one that SHA256SUMS names: {what}", what=error.what)
            return damaged(error.where, what, want=want.decode(errors="replace"), got=found.decode())
    return error


def _directories(index: BundleIndex, where: str) -> frozenset[str]:
    directories: set[str] = set()
    room = MAX_PARENTS_CHARACTERS
    above, characters = "", 0
    for file in index.files:
        if (parent := file.path.rpartition("/")[0]) != above:
            parents = file.path.parents
            above, characters = parent, sum(map(len, parents))
            directories.update(parents)
        room -= characters
        if room < 0:
            raise invalid(where, tr("its bundle.json nests directories deeper than any honest one"))
    return frozenset(directories)
