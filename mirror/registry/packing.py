"""Write down the names of all images of a site: which image each tag is, and which blobs belong to a repository.

Owns what a name means when several images claim it.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from bundler.model.digest import ID_CHARACTERS
from bundler.model.image.site_name import site_repository
from bundler.translation import tr
from mirror.registry.image_rows import CONTENTS, NO_NUMBER, TABLES
from mirror.registry.repositories import tag_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bundler.model.image.bundled import BundleImage
    from bundler.model.reference import Reference
    from mirror.tree.packed import PackedWriter
    from mirror.tree.site_packing import NumberedBundle


class _Image(NamedTuple):
    """What stays of an image: `top` and `primary` are numbers of files, `blobs` alternates digests and numbers."""

    bundle: int
    names: tuple[Reference, ...]
    digest: str
    top: int
    primary: int
    blobs: tuple[tuple[bytes, int], ...]


class RegistryPart:
    """The part of a packed site that `repository_index` reads."""

    def __init__(self) -> None:
        self._images: list[_Image] = []
        self._short_ids: list[str] = []

    def add(self, numbered: NumberedBundle, _writer: PackedWriter) -> None:
        """Take the images of a bundle (`SitePart`)."""
        numbers = numbered.files
        self._short_ids.append(numbered.bundle.id[:ID_CHARACTERS])
        for image in numbered.images:
            primary = image.manifest_for(numbered.bundle.index.platforms)
            self._images.append(
                _Image(
                    bundle=numbered.number,
                    names=image.names,
                    digest=image.digest.hex,
                    top=numbers[image.top.path],
                    primary=NO_NUMBER if primary is None else numbers[primary.path],
                    blobs=_blobs(image, numbers),
                )
            )

    def finish(self, current: int | None, writer: PackedWriter) -> Sequence[str]:
        """Write the tables; return a line for every name that means several images (`SitePart`)."""
        # of several bundles the current one goes first; the order of each bundle's images stays
        self._images.sort(key=lambda image: (image.bundle != current, image.bundle))
        numbers = array("I")
        for image in self._images:
            numbers.extend((image.bundle, image.top, image.primary))
        writer.add_numbers("registry/images", numbers)
        warnings: list[str] = []
        contents: dict[bytes, int] = {}
        for table, name_of in zip(TABLES, (site_repository, _original, _last_segment), strict=True):
            names = _NameTable(name_of, self._short_ids, warnings if table == TABLES[0] else None)
            names.add_all(self._images)
            names.write(table, contents, writer)
        self._write_contents(contents, writer)
        return warnings

    def _write_contents(self, contents: Mapping[bytes, int], writer: PackedWriter) -> None:
        places = array("I")

        def keys() -> Iterator[bytes]:
            for packed, number in contents.items():
                merged: dict[bytes, tuple[int, int]] = {}
                for image in (self._images[each] for each in array("I", packed)):
                    for digest, file in image.blobs:
                        merged.setdefault(digest, (image.bundle, file))
                prefix = number.to_bytes(4, "big")
                for digest in sorted(merged):
                    places.extend(merged[digest])
                    yield prefix + digest

        writer.add_rows(CONTENTS, keys())
        writer.add_numbers("registry/places", places)


def _original(name: Reference) -> str:
    return name.name


def _last_segment(name: Reference) -> str:
    return name.path.rpartition("/")[2]


def _blobs(image: BundleImage, numbers: Mapping[str, int]) -> tuple[tuple[bytes, int], ...]:
    return tuple((bytes.fromhex(file.blob.digest.hex), numbers[file.path]) for file in image.files)


@dataclass(slots=True)
class _Draft:
    """A repository in the making; a tag with None means several images of one bundle, and so none."""

    tags: dict[str, int | None] = field(default_factory=dict)
    # in order, each once
    images: array[int] = field(default_factory=lambda: array("I"))


class _NameTable:
    """Repositories under one kind of name."""

    def __init__(
        self, name_of: Callable[[Reference], str], short_ids: Sequence[str], warnings: list[str] | None
    ) -> None:
        self._name_of = name_of
        self._short_ids = short_ids
        self._warnings = warnings
        self._drafts: dict[str, _Draft] = {}
        self._images: Sequence[_Image] = ()

    def add_all(self, images: Sequence[_Image]) -> None:
        """Add images, those of one bundle one behind the other."""
        self._images = images
        begin = 0
        for end in range(1, len(images) + 1):
            if end == len(images) or images[end].bundle != images[begin].bundle:
                self._add(range(begin, end))
                begin = end

    def _add(self, numbers: range) -> None:
        """Add the images of one bundle behind those that are there."""
        claims: dict[tuple[str, str], list[int]] = {}
        for number in numbers:
            for name in self._images[number].names:
                repository = self._name_of(name)
                draft = self._drafts.setdefault(repository, _Draft())
                if not draft.images or draft.images[-1] != number:
                    draft.images.append(number)
                if name.tag:
                    claims.setdefault((repository, name.tag), []).append(number)
        for (repository, tag), claimed in claims.items():
            by_digest = {self._images[number].digest: number for number in claimed}
            self._settle(f"{repository}:{tag}", self._drafts[repository].tags, tag, list(by_digest.values()))

    def _settle(self, name: str, tags: dict[str, int | None], tag: str, claimed: list[int]) -> None:
        bundle = self._short_ids[self._images[claimed[0]].bundle]
        if tag not in tags:
            tags[tag] = claimed[0] if len(claimed) == 1 else None
            if len(claimed) > 1:
                self._warn(
                    tr(
                        "{name} would be {count} images of bundle {bundle}: none of them is given",
                        name=name,
                        count=len(claimed),
                        bundle=bundle,
                    )
                )
            return
        first = tags[tag]
        if first is None:
            return
        image = self._images[first]
        if any(self._images[number].digest != image.digest for number in claimed):
            before = self._short_ids[image.bundle]
            self._warn(
                tr(
                    "{name} is one image in bundle {before} and another in {bundle}: {before} has its way",
                    name=name,
                    before=before,
                    bundle=bundle,
                )
            )

    def _warn(self, line: str) -> None:
        if self._warnings is not None:
            self._warnings.append(line)

    def write(self, table: str, contents: dict[bytes, int], writer: PackedWriter) -> None:
        """Write the repositories, sorted; those of the same images share what they hold through `contents`."""
        names = sorted(self._drafts)
        writer.add_rows(f"registry/{table}", (name.encode() for name in names))
        repositories, tagged = array("I"), array("I")

        def tags() -> Iterator[bytes]:
            for draft in (self._drafts[name] for name in names):
                begin = len(tagged)
                # most have one, of which there is no order to find
                ordered = draft.tags if len(draft.tags) == 1 else sorted(draft.tags, key=tag_order)
                for tag in ordered:
                    image = draft.tags[tag]
                    if image is not None:
                        tagged.append(image)
                        yield tag.encode()
                held = contents.setdefault(draft.images.tobytes(), len(contents))
                repositories.extend((held, begin, len(tagged)))

        writer.add_rows(f"registry/{table} tags", tags())
        writer.add_numbers(f"registry/{table} repositories", repositories)
        writer.add_numbers(f"registry/{table} tagged", tagged)
