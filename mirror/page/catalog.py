"""What a bundle holds, as a person looks for it: packages, images, files; read and searched in the packed site.

Everything is from the index; its text is shown escaped and of bounded length.
"""

from __future__ import annotations

import marshal
import re
from bisect import bisect_left
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from bundler.model.image.blob_paths import IMAGE_DIRECTORY
from mirror.page.escaping import escape_unprintable
from mirror.tree.bundle_rows import section
from mirror.tree.lazy import Lazy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mirror.tree.packed import Packed

ContentGroup = Literal["rpm", "image", "file", "other"]
GROUPS: tuple[ContentGroup, ...] = get_args(ContentGroup)
MAX_TERMS = 8
# shorter pieces of a digest stand in too many of them
_DIGEST_PIECE = re.compile(r"(?:sha256:)?([0-9a-f]{8,64})")


class Item(NamedTuple):
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


class Found(NamedTuple):
    """What a search has found: `items` of the wanted group, `counts` of all groups."""

    items: Sequence[Item]
    counts: Mapping[ContentGroup, int]


class Catalog:
    """The content of one bundle.

    Arguments:
        packed: a site that `CatalogPart` was a part of.
        bundle: the bundle's number in it.
    """

    def __init__(self, packed: Packed, bundle: int) -> None:
        def named(name: str) -> str:
            return section(bundle, f"catalog {name}")

        self._rows = packed.rows(named("items"))
        self._haystacks = packed.rows(named("haystacks"))
        self._paths, self._by_path = packed.rows(named("paths")), packed.numbers(named("by path"))
        self._digests, self._by_digest = packed.rows(named("digests")), packed.numbers(named("by digest"))
        ends, repositories, layouts = packed.value(named("marks"))
        self._groups = {group: range(*between) for group, between in zip(GROUPS, ends, strict=True)}
        self.repositories: frozenset[str] = frozenset(repositories)
        """Directories that are yum repositories."""
        self.layouts: frozenset[str] = frozenset(layouts)
        """Directories that are OCI image layouts."""

    @property
    def items(self) -> Sequence[Item]:
        """Everything, by group, then by title."""
        return Lazy(range(len(self._rows)), self._item)

    @property
    def counts(self) -> Mapping[ContentGroup, int]:
        """How many of each group there are."""
        return {group: len(numbers) for group, numbers in self._groups.items() if numbers}

    def at(self, path: str) -> Item | None:
        """Return the item at a path, or None."""
        place = self._paths.find(path.encode("utf-8", "surrogatepass"))
        return None if place is None else self._item(self._by_path[place])

    def find(self, search: str, group: ContentGroup | None) -> Found:
        """Return the items that hold every word of the search, those that begin with the first one before the others.

        A word of at least eight hex digits also finds the file whose digest begins with it.
        """
        terms = [_folded(term) for term in escape_unprintable(search).split()[:MAX_TERMS]]
        if not terms:
            return Found(Lazy(self._groups[group], self._item) if group else self.items, self.counts)
        numbers = sorted(set.intersection(*map(self._holding, terms)))
        counts, chosen = {}, numbers
        for each, between in self._groups.items():
            part = numbers[bisect_left(numbers, between.start) : bisect_left(numbers, between.stop)]
            if part:
                counts[each] = len(part)
            if each == group:
                chosen = part
        chosen = sorted(chosen, key=lambda number: not self._haystacks[number].startswith(terms[0]))
        return Found(Lazy(chosen, self._item), counts)

    def images_in(self, layout: str) -> Sequence[Item]:
        """Return the images of one OCI image layout: a bundle has no others than those of its own."""
        return Lazy(self._groups["image"], self._item) if layout == IMAGE_DIRECTORY else ()

    def _item(self, number: int) -> Item:
        return Item(*marshal.loads(self._rows[number]))  # noqa: S302 - written by this program, see `CatalogPart`

    def _holding(self, term: bytes) -> set[int]:
        found = set(self._haystacks.holding(term))
        if piece := _DIGEST_PIECE.fullmatch(term.decode()):
            begin = piece[1].encode()
            # a letter behind the last digit
            found |= {self._by_digest[place] for place in self._digests.beginning_with(begin, begin + b"g")}
        return found


def _folded(term: str) -> bytes:
    return term.casefold().encode("utf-8", "replace")
