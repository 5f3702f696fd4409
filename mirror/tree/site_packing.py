"""Write down what a site serves, bundle after bundle, so that every worker maps one and the same file.

Owns what every reader needs: files, directories, faults. What one protocol alone needs (images' names, what a page
searches through) is a `SitePart` of its own, which whoever starts the mirror hands in.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bundler.model.bundle import INDEX_PATH, SUMS_PATH
from bundler.model.image.bundled import bundle_images
from mirror.tree.bundle_rows import BundleRow, FileRow, path_of, row_key, section
from mirror.tree.packed import PackedWriter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bundler.model.image.bundled import BundleImage
    from mirror.tree.bundle_loading import LoadedBundle

SITE = "site"


@dataclass(frozen=True, slots=True)
class NumberedBundle:
    """A bundle on its way into the file.

    Arguments:
        number: the bundle's place among all of them.
        files: the number of every listed file by its path.
        images: its images, as the index tells of them; of a part of a bundle those that are whole.
    """

    bundle: LoadedBundle
    number: int
    files: Mapping[str, int]
    images: tuple[BundleImage, ...]


class SitePart(Protocol):
    """Something that is made of all bundles for one kind of reader; one object for each file."""

    def add(self, numbered: NumberedBundle, writer: PackedWriter) -> None:
        """Take what it needs of a bundle, which is forgotten afterwards."""

    def finish(self, current: int | None, writer: PackedWriter) -> Sequence[str]:
        """Write what is made of all bundles together; return what an operator should know, line by line.

        Arguments:
            current: the number of the bundle that is also served at `/`.
        """


class SitePacking:
    """A file in the making.

    Arguments:
        parts: what else is made of the bundles.
    """

    def __init__(self, parts: Sequence[SitePart] = ()) -> None:
        self._writer = PackedWriter()
        self._parts = parts
        self._directories: list[str] = []

    def add(self, bundle: LoadedBundle) -> None:
        """Add a bundle behind the others."""
        writer, number = self._writer, len(self._directories)
        self._directories.append(bundle.directory)
        keys = sorted(map(row_key, bundle.listed))
        writer.add_rows(section(number, "keys"), keys)
        newest_s = bundle.modified_s
        writer.add_rows(section(number, "files"), (_file_row(bundle, path_of(key), newest_s) for key in keys))
        _add_directories(bundle, number, writer)
        writer.add_value(section(number, "bundle"), tuple(_bundle_row(bundle)))
        faults = [(str(path), word, _sound_identity(bundle, path)) for path, word in sorted(bundle.faults.items())]
        writer.add_value(section(number, "faults"), faults)
        if self._parts:
            files = {path_of(key): place for place, key in enumerate(keys)}
            numbered = NumberedBundle(bundle, number, files, tuple(_whole_images(bundle)))
            for part in self._parts:
                part.add(numbered, writer)

    def has(self, directory: str | None) -> bool:
        """Tell whether the bundle of this directory was added."""
        return directory in self._directories

    def finish(self, current: str | None, problems: Sequence[str]) -> int:
        """Return the descriptor of the finished file; owned by the caller.

        Arguments:
            current: the directory of the bundle that is also served at `/`, None for none.
            problems: one line for each bundle that had to be left out, and why.
        """
        number = self._directories.index(current) if current in self._directories else None
        warnings = [line for part in self._parts for line in part.finish(number, self._writer)]
        self._writer.add_value(SITE, (len(self._directories), number, tuple(problems), tuple(warnings)))
        return self._writer.finish()


def _whole_images(bundle: LoadedBundle) -> Iterator[BundleImage]:
    for image in bundle_images((*bundle.index.files, *bundle.left_out)):
        if not bundle.left_out or all(file.path in bundle.listed for file in image.files):
            yield image


def _bundle_row(bundle: LoadedBundle) -> BundleRow:
    index = bundle.index
    # they are counted among the files, too
    own = (bundle.listed[path].blob.size for path in (INDEX_PATH, SUMS_PATH) if path in bundle.listed)
    return BundleRow(
        id=bundle.id,
        directory=bundle.directory,
        name=index.name,
        release=index.release,
        platforms=tuple(map(str, index.platforms)),
        file_count=index.file_count,
        content_bytes=index.content_bytes + sum(own),
        modified_s=bundle.modified_s,
        verified=bundle.verified,
        left_out=len(bundle.left_out),
    )


def _file_row(bundle: LoadedBundle, path: str, newest_s: int) -> bytes:
    file, found = bundle.listed[path], bundle.found.get(path)
    row = FileRow(
        size=file.blob.size,
        digest=bytes.fromhex(file.blob.digest.hex),
        modified_s=newest_s if found is None else found.modified_s,
        media_type=bundle.served_type(path),
        identity=None if found is None or path in bundle.faults else tuple(found.identity),
    )
    return row.packed()


def _sound_identity(bundle: LoadedBundle, path: str) -> tuple[int, ...] | None:
    return tuple(bundle.found[path].identity) if path in bundle.sound else None


def _add_directories(bundle: LoadedBundle, number: int, writer: PackedWriter) -> None:
    totals: dict[str, list[int]] = {path: [0, 0] for path in ("", *bundle.directories)}
    for file in bundle.index.files:
        total = totals[file.path.rpartition("/")[0]]
        total[0] += 1
        total[1] += file.blob.size
    # the deepest first, so that each is whole when it is added to the one above
    for path in sorted(totals, key=lambda path: -path.count("/")):
        if path:
            above = totals[path.rpartition("/")[0]]
            above[0] += totals[path][0]
            above[1] += totals[path][1]
    keys = sorted((row_key(path), path) for path in totals)
    writer.add_rows(section(number, "directories"), (key for key, _ in keys))
    writer.add_numbers(section(number, "totals"), array("Q", [each for _, path in keys for each in totals[path]]))
