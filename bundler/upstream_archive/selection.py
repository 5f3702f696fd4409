"""What the readers of upstream archives share: what a member is, which are wanted, and which may not be had."""

from __future__ import annotations

import difflib
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, ManifestError
from bundler.translation import tr
from bundler.upstream_archive.stream import MemberLimits, unsafe

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAX_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Member:
    """A regular file of an archive: its name without leading `./`, its size in bytes, its own date, its x bit."""

    name: str
    size: int
    mtime: int | None
    executable: bool


@dataclass(frozen=True, slots=True)
class ListedMember:
    """A file or link of an archive, of whose content nothing is known: its name, its bytes, where a link points."""

    name: str
    size: int
    target: str = ""


def covers(wanted: str, name: str) -> bool:
    """Tell whether this is the wanted member: the same name, or a directory (`dir/`, `./` for all) above it."""
    return wanted == name or wanted == "./" or (wanted.endswith("/") and name.startswith(wanted))


@dataclass(slots=True)
class Selection:
    """What was met so far, and the rules that hold for tar and zip alike."""

    wanted: tuple[str, ...]
    where: str
    limits: MemberLimits
    names: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    unpacked: int = 0
    _files: frozenset[str] = field(init=False)
    _directories: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        # a thousand wanted files of an archive of ten thousand: each member is looked up, not compared with all
        self._files = frozenset(name for name in self.wanted if not name.endswith("/"))
        self._directories = tuple(name for name in self.wanted if name.endswith("/"))

    def wants(self, raw: str, kind: str, size: int, target: str = "") -> str:
        """Return the member's plain name when it is wanted, or ""; raise when it may not be had.

        Arguments:
            kind: `file`, `directory`, `link`, or what else it is.
            target: where a link points.
        """
        name = _plain_name(raw, self.where)
        if kind == "directory" or not name:
            return ""
        self.names.append(name)
        if len(self.names) > self.limits.members:
            raise unsafe(tr("has more than {members:,} members", members=self.limits.members), self.where)
        if name not in self._files and not any(covers(wanted, name) for wanted in self._directories):
            return ""
        if kind == "link":
            raise ManifestError(
                ErrorId.MEMBER_MISSING,
                tr(
                    "the wanted member {name!r} is a link to {target!r}; links are not followed",
                    name=name,
                    target=target,
                )
                if target
                else tr("the wanted member {name!r} is a link; links are not followed", name=name),
                where=self.where,
                remedy=tr("Name the file that the link points to, or the files of the directory one by one."),
            )
        if kind != "file":
            raise unsafe(
                tr("the wanted member {name!r} is {kind}, not a regular file", name=name, kind=kind), self.where
            )
        if name in self.taken:
            raise unsafe(tr("the wanted member {name!r} occurs twice", name=name), self.where)
        if not 0 <= size <= self.limits.member_bytes:
            raise unsafe(tr("the member {name!r} claims {size:,} bytes", name=name, size=size), self.where)
        self.taken.add(name)
        return name

    def require_all(self) -> None:
        """Raise ManifestError for a wanted name that no member has."""
        for wanted in self.wanted:
            if wanted not in self.taken and not any(covers(wanted, name) for name in self.taken):
                raise ManifestError(
                    ErrorId.MEMBER_MISSING,
                    tr(
                        "the archive holds no member {wanted!r}{nearest}",
                        wanted=wanted,
                        nearest=_nearest(wanted, self.names),
                    ),
                    where=self.where,
                    remedy=tr(
                        "Write the member's name as `tar -t` or `unzip -l` prints it; a directory ends with `/`."
                    ),
                    problems=[tr("  it holds {name}", name=name) for name in _shown(wanted, self.names)],
                )


@dataclass(slots=True)
class MemberListing(Selection):
    """A selection of nothing, that keeps what there is; devices and the like are left out."""

    listed: list[ListedMember] = field(default_factory=list)

    def wants(self, raw: str, kind: str, size: int, target: str = "") -> str:
        """Keep the member, and want none of its bytes."""
        count = len(self.names)
        Selection.wants(self, raw, kind, size, target)
        if len(self.names) > count and kind in ("file", "link"):
            self.listed.append(ListedMember(self.names[-1], size, target))
        return ""


def _plain_name(raw: str, where: str) -> str:
    parts = [part for part in raw.split("/") if part not in ("", ".")]
    if raw.startswith("/") or ".." in parts:
        raise unsafe(tr("has a member named {raw!r}, which leaves the archive", raw=raw), where)
    return "/".join(parts)


def _nearest(wanted: str, names: Sequence[str]) -> str:
    plain = wanted.rstrip("/")
    formed = unicodedata.normalize("NFC", plain)
    if other := next((name for name in names if unicodedata.normalize("NFC", name) == formed != name), ""):
        return tr(
            '; it has it in another Unicode normal form: write "{other}" in double quotes', other=ascii(other)[1:-1]
        )
    if not wanted.endswith("/") and any(name.startswith(f"{plain}/") for name in names):
        return tr("; it is a directory: write {plain!r}", plain=plain + "/")
    last = plain.rpartition("/")[2]
    if wanted.endswith("/"):
        padded = [f"/{name}" for name in names]
        same = [name[1 : name.index(f"/{last}/") + len(last) + 2] for name in padded if f"/{last}/" in name]
    else:
        same = [name for name in names if name.rpartition("/")[2] == last]
    near = same or difflib.get_close_matches(plain, names[:2000], n=1)
    return tr("; did you mean {near!r}?", near=near[0]) if near else ""


def _shown(wanted: str, names: Sequence[str]) -> list[str]:
    top = wanted.partition("/")[0]
    ordered = sorted(names, key=lambda name: (name.partition("/")[0] != top, name))
    shown = [ascii(name)[1:-1] for name in ordered[:_MAX_SHOWN]]
    return shown + ([tr("… and {count:,} more", count=len(names) - _MAX_SHOWN)] if len(names) > _MAX_SHOWN else [])
