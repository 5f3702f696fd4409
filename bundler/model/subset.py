"""subset.json: which part of a bundle lies in a tree, so that what was left out is not taken for lost.

Owns the choice among a bundle's files, and the record of it: what was chosen, not what was left out, so that it says
the same whoever wrote it. docs/design.md, 7. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from bundler.model.bundle import INDEX_PATH, LOCK_PATH, MANIFEST_PATH, SUMS_PATH
from bundler.model.bundle_path import BundlePath
from bundler.model.format_version import require_format
from bundler.model.json_value import Json, dump_pretty, load_strict, want_text
from bundler.model.platform import Platform
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bundler.model.bundle import IndexedFile

SUBSET_PATH = BundlePath("subset.json")
SUBSET_FORMAT = 1
MAX_SUBSET_BYTES = 1024 * 1024
# without these a tree is no bundle, or cannot say what it is
ALWAYS_WANTED = frozenset({INDEX_PATH, SUMS_PATH, MANIFEST_PATH, LOCK_PATH})


@dataclass(frozen=True, slots=True, order=True)
class Choice:
    """What somebody wanted of a bundle; an empty tuple leaves nothing out.

    Arguments:
        roles: files for one of these roles, and files without any.
        platforms: files for one of these platforms, and files for any.
        only: patterns of paths, as a shell has them; `*` stands for slashes too.
    """

    roles: tuple[str, ...] = ()
    platforms: tuple[Platform, ...] = ()
    only: tuple[str, ...] = ()

    @property
    def is_all(self) -> bool:
        """Whether nothing is left out."""
        return not (self.roles or self.platforms or self.only)

    def wants(self, file: IndexedFile) -> bool:
        """Tell whether a listed file is wanted; bundle.json, SHA256SUMS, manifest.yaml and lock.json always are."""
        if file.path in ALWAYS_WANTED:
            return True
        of_role = not self.roles or not file.roles or any(role in file.roles for role in self.roles)
        of_platform = not self.platforms or not file.platforms or self._fits(file.platforms)
        return of_role and of_platform and (not self.only or any(fnmatchcase(file.path, glob) for glob in self.only))

    def _fits(self, offered: Iterable[Platform]) -> bool:
        return any(one.matches(wanted) for one in offered for wanted in self.platforms)


ALL = Choice()


@dataclass(frozen=True, slots=True)
class Subset:
    """What has been chosen of a bundle so far, one choice after the other.

    Arguments:
        bundle: the bundle's id in full.
        choices: in order, each once; never one that leaves nothing out.
    """

    bundle: str
    choices: tuple[Choice, ...]

    def wants(self, file: IndexedFile) -> bool:
        """Tell whether a listed file should be in the tree."""
        return any(choice.wants(file) for choice in self.choices)

    def with_choice(self, choice: Choice) -> Subset:
        """Return the subset that has this choice as well."""
        return Subset(self.bundle, tuple(sorted({*self.choices, choice})))


def is_all_wanted(subset: Subset | None) -> Callable[[Iterable[IndexedFile]], bool]:
    """Return what tells whether all of some files should be in a tree, which holds a subset, or everything (None)."""

    def all_wanted(files: Iterable[IndexedFile]) -> bool:
        return subset is None or all(map(subset.wants, files))

    return all_wanted


def encode_subset(subset: Subset) -> bytes:
    """Return the content of subset.json."""
    choices: list[Json] = [
        {"roles": list(choice.roles), "platforms": [*map(str, choice.platforms)], "only": list(choice.only)}
        for choice in subset.choices
    ]
    return dump_pretty({"format": SUBSET_FORMAT, "bundle": subset.bundle, "choices": choices})


def decode_subset(data: bytes, *, where: str) -> Subset:
    """Read subset.json; ValueError, KeyError or TypeError for anything else, BundleFormatError for a higher format."""
    value = load_strict(data)
    require_format(value["format"], SUBSET_FORMAT, what="a subset", where=where)
    choices = tuple(_choice(item) for item in value["choices"])
    if not choices or any(choice.is_all for choice in choices):
        raise ValueError(tr("it leaves nothing out"))
    return Subset(want_text(value["bundle"]), choices)


def _choice(value: Any) -> Choice:
    return Choice(
        tuple(map(want_text, value["roles"])),
        tuple(Platform.parse(want_text(text)) for text in value["platforms"]),
        tuple(map(want_text, value["only"])),
    )
