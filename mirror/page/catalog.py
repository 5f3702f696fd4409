"""What a bundle holds, as a person looks for it: packages, images, files; built once for a bundle, searched in memory.

Pure. Everything is read from the index; its text is shown escaped and of bounded length.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, assert_never, get_args

from bundler.model.about import FileAbout, ImageAbout, PackageAbout
from bundler.model.image.bundled import bundle_images
from mirror.page.escaping import escape_unprintable, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bundler.model.about import About
    from bundler.model.artifact import HeldTo
    from bundler.model.bundle import IndexedFile
    from bundler.model.image.bundled import BundleImage
    from bundler.model.reference import Reference

ContentGroup = Literal["rpm", "image", "file", "other"]
GROUPS: tuple[ContentGroup, ...] = get_args(ContentGroup)
MAX_NAMES = 20
MAX_TERMS = 8
_REPOSITORY_MARK = "/repodata/repomd.xml"
_LAYOUT_MARK = "/oci-layout"
# shorter pieces of a digest stand in too many of them
_DIGEST_PIECE = re.compile(r"(?:sha256:)?([0-9a-f]{8,64})")


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a person may look for.

    Arguments:
        group: `rpm` a package, `image` an image (its top document), `file` what the manifest lists as a file, `other`
            everything else: metadata, layers, the bundle's own files.
        path: in the bundle.
        title: NEVRA, the image's first name, or the path; escaped.
        note: the package's summary, or where the file came from; escaped.
        size: bytes, of an image with all that belongs to it.
        digest: SHA-256 in hex.
        names: of an image, and of a layer the images that it belongs to.
        platforms: whom it is for; empty for any.
        vouched: what it was held to (`signature`, …) and the detail; "" for what nobody says anything about.
        haystack: what a search looks through, folded.
    """

    group: ContentGroup
    path: str
    title: str
    note: str
    size: int
    digest: str
    names: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    vouched: tuple[str, str] = ("", "")
    haystack: str = ""


@dataclass(slots=True)
class Total:
    """What lies below a directory, at any depth."""

    files: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True)
class Catalog:
    """The content of one bundle.

    Arguments:
        items: by group, then by title.
        by_path: the same by their paths.
        counts: how many of each group.
        totals: by directory's path, "" being the top.
        repositories: directories that are yum repositories.
        layouts: directories that are OCI image layouts.
    """

    items: tuple[Item, ...]
    by_path: Mapping[str, Item]
    counts: Mapping[ContentGroup, int]
    totals: Mapping[str, Total]
    repositories: frozenset[str] = field(default=frozenset())
    layouts: frozenset[str] = field(default=frozenset())

    def find(self, search: str, group: ContentGroup | None) -> Sequence[Item]:
        """Return the items that hold every word of the search, those that begin with the first one before the others.

        A word of at least eight hex digits also finds the file whose digest begins with it.
        """
        terms = escape_unprintable(search).casefold().split()[:MAX_TERMS]
        chosen = self.items if group is None else [item for item in self.items if item.group == group]
        if not terms:
            return chosen
        found = [item for item in chosen if all(_matches(item, term) for term in terms)]
        return sorted(found, key=lambda item: not item.haystack.startswith(terms[0]))

    def images_in(self, layout: str) -> Sequence[Item]:
        """Return the images of one OCI image layout."""
        return [item for item in self.items if item.group == "image" and item.path.startswith(f"{layout}/blobs/")]


def _matches(item: Item, term: str) -> bool:
    if term in item.haystack:
        return True
    piece = _DIGEST_PIECE.fullmatch(term)
    return piece is not None and item.digest.startswith(piece[1])


def make_catalog(files: Iterable[IndexedFile]) -> Catalog:
    """Return the catalog of an index's files."""
    listed = tuple(files)
    images = {image.top.path: image for image in bundle_images(listed)}
    found = (_image(images[file.path]) if file.path in images else _other(file) for file in listed)
    items = sorted(found, key=lambda item: (GROUPS.index(item.group), item.title))
    totals: dict[str, Total] = {"": Total()}
    for file in listed:
        for parent in ("", *file.path.parents):
            total = totals.setdefault(parent, Total())
            total.files += 1
            total.size += file.blob.size
    marked = [f"/{file.path}" for file in listed]
    return Catalog(
        items=tuple(items),
        by_path={item.path: item for item in items},
        counts=Counter(item.group for item in items),
        totals=totals,
        repositories=_marked_directories(marked, _REPOSITORY_MARK),
        layouts=_marked_directories(marked, _LAYOUT_MARK),
    )


def _marked_directories(paths: Iterable[str], mark: str) -> frozenset[str]:
    return frozenset(path.removesuffix(mark).strip("/") for path in paths if path.endswith(mark))


def _image(image: BundleImage) -> Item:
    file, path = image.top, escape_unprintable(image.top.path)
    names = _shown_names(image.names)
    platforms = tuple(map(str, image.about.platforms or file.platforms))
    return Item(
        group="image",
        path=file.path,
        title=names[0],
        note="",
        size=image.size,
        digest=file.blob.digest.hex,
        names=names,
        platforms=platforms,
        vouched=_vouched(image.about.held_to),
        haystack=" ".join((path, *names, *platforms)).casefold(),
    )


def _other(file: IndexedFile) -> Item:
    about, path = file.about, escape_unprintable(file.path)
    images = _shown_names(about.images) if isinstance(about, ImageAbout) else ()
    platforms = tuple(map(str, file.platforms))
    group, title, note, held_to = _what_it_is(about, path)
    # a layer is found by its digest alone: a hundred of them under each image's name help nobody
    text = "" if images else " ".join((title, note, path, *platforms))
    return Item(
        group=group,
        path=file.path,
        title=title,
        note=note,
        size=file.blob.size,
        digest=file.blob.digest.hex,
        names=images,
        platforms=platforms,
        vouched=_vouched(held_to),
        haystack=text.casefold(),
    )


def _what_it_is(about: About | None, path: str) -> tuple[ContentGroup, str, str, HeldTo | None]:
    """Return group, title, note and what vouched for it, of what is no image."""
    match about:
        case PackageAbout():
            return "rpm", shown(about.nevra), shown(about.summary), about.held_to
        case FileAbout():
            return "file" if about.url else "other", path, shown(about.url), about.held_to
        case ImageAbout():
            return "other", path, shown(about.media_type), about.top.held_to if about.top else None
        case None:
            return "other", path, "", None
        case _:
            assert_never(about)


def _shown_names(names: Sequence[Reference]) -> tuple[str, ...]:
    return tuple(shown(str(name)) for name in names[:MAX_NAMES])


def _vouched(held_to: HeldTo | None) -> tuple[str, str]:
    return ("", "") if held_to is None else (held_to.by, shown(held_to.detail))
