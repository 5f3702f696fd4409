"""Write down what the page shows and searches of a bundle: each thing with its words, sorted as people read it."""

from __future__ import annotations

import marshal
from array import array
from functools import lru_cache
from typing import TYPE_CHECKING, assert_never

from bundler.model.about import FileAbout, ImageAbout, PackageAbout
from mirror.page.catalog import GROUPS, Item
from mirror.page.escaping import escape_unprintable, shown
from mirror.tree.bundle_rows import section

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bundler.model.about import About
    from bundler.model.artifact import HeldTo
    from bundler.model.bundle import IndexedFile
    from bundler.model.image.bundled import BundleImage
    from bundler.model.platform import Platform
    from bundler.model.reference import Reference
    from mirror.page.catalog import ContentGroup
    from mirror.tree.packed import PackedWriter
    from mirror.tree.site_packing import NumberedBundle

MAX_NAMES = 20
_REPOSITORY_MARK = "/repodata/repomd.xml"
_LAYOUT_MARK = "/oci-layout"
# group, title, row, haystack; what is sorted by stands first
_Packed = tuple[int, str, bytes, bytes]


class CatalogPart:
    """The part of a packed site that a `Catalog` reads."""

    def add(self, numbered: NumberedBundle, writer: PackedWriter) -> None:
        """Write what a bundle's catalog says (`SitePart`)."""
        files = numbered.bundle.index.files
        images = {image.top.path: image for image in numbered.images}

        def named(name: str) -> str:
            return section(numbered.number, f"catalog {name}")

        def packed(file: IndexedFile) -> _Packed:
            image = images.get(file.path)
            item, haystack = _other(file) if image is None else _image(image)
            # nothing that a search looks for has a line's end in it
            text = haystack.casefold().encode("utf-8", "replace") + b"\n"
            return GROUPS.index(item.group), item.title, marshal.dumps(tuple(item)), text

        made = [packed(file) for file in files]
        order = sorted(range(len(files)), key=made.__getitem__)
        writer.add_rows(named("items"), (made[place][2] for place in order))
        writer.add_rows(named("haystacks"), (made[place][3] for place in order))
        groups = [made[place][0] for place in order]
        del made
        _add_index(named("paths"), named("by path"), [files[place].path.encode() for place in order], writer)
        digests = [files[place].blob.digest.hex.encode() for place in order]
        _add_index(named("digests"), named("by digest"), digests, writer)
        marks = (_marked(files, _REPOSITORY_MARK), _marked(files, _LAYOUT_MARK))
        writer.add_value(named("marks"), (_ranges(groups), *marks))

    def finish(self, _current: int | None, _writer: PackedWriter) -> Sequence[str]:
        """Write nothing more (`SitePart`)."""
        return ()


def _add_index(keys: str, places: str, wanted: Sequence[bytes], writer: PackedWriter) -> None:
    """Write keys, sorted, and beside them which item each leads to."""
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    writer.add_rows(keys, (wanted[place] for place in order))
    writer.add_numbers(places, array("I", order))


def _ranges(groups: Sequence[int]) -> list[tuple[int, int]]:
    """Return where each group begins and ends, in the order of GROUPS."""
    counts = [groups.count(group) for group in range(len(GROUPS))]
    return [(sum(counts[:group]), sum(counts[: group + 1])) for group in range(len(GROUPS))]


def _marked(files: Iterable[IndexedFile], mark: str) -> list[str]:
    paths = (f"/{file.path}" for file in files if file.path.endswith(mark.lstrip("/")))
    return sorted({path.removesuffix(mark).strip("/") for path in paths if path.endswith(mark)})


def _image(image: BundleImage) -> tuple[Item, str]:
    file, path = image.top, escape_unprintable(str(image.top.path))
    names = _shown_names(image.names)
    platforms = _platform_words(image.about.platforms or file.platforms)
    item = Item(
        group="image",
        path=str(file.path),
        title=names[0],
        note="",
        size=image.size,
        digest=file.blob.digest.hex,
        names=names,
        platforms=platforms,
        vouched=_vouched(image.about.held_to),
    )
    return item, " ".join((path, *names, *platforms))


def _other(file: IndexedFile) -> tuple[Item, str]:
    about, path = file.about, escape_unprintable(str(file.path))
    images = _shown_names(about.images) if isinstance(about, ImageAbout) else ()
    platforms = _platform_words(file.platforms)
    group, title, note, held_to = _what_it_is(about, path)
    item = Item(
        group=group,
        path=str(file.path),
        title=title,
        note=note,
        size=file.blob.size,
        digest=file.blob.digest.hex,
        names=images,
        platforms=platforms,
        vouched=_vouched(held_to),
    )
    # a layer is found by its digest alone: a hundred of them under each image's name help nobody
    return item, "" if images else " ".join((title, note, path, *platforms))


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


# thousands of files share a few of these
@lru_cache(maxsize=64)
def _platform_words(platforms: tuple[Platform, ...]) -> tuple[str, ...]:
    return tuple(map(str, platforms))


def _shown_names(names: Sequence[Reference]) -> tuple[str, ...]:
    return tuple(shown(str(name)) for name in names[:MAX_NAMES])


def _vouched(held_to: HeldTo | None) -> tuple[str, str]:
    return ("", "") if held_to is None else (held_to.by, shown(held_to.detail))
