"""comps.xml: the groups of packages of a repository. Pure. The format is libcomps' (and yum's before it).

Owns what `@group` means: its mandatory and default packages, and the conditional ones under their condition, as in
dnf's `group_package_types`. Optional packages are left out, also those of an environment's optional groups.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, BinaryIO
from xml.parsers import expat

from bundler.rpm.metadata.xml_document import check_depth, invalid_metadata, refuse_entity
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Fedora's, with all its translations, has 3 MiB; as elements, the worst documents take thirty times their length
MAX_COMPS_BYTES = 16 * 1024 * 1024
_TAKEN = ("", "mandatory", "default", "conditional")


@dataclass(frozen=True, slots=True, order=True)
class GroupPackage:
    """A package of a group.

    Arguments:
        condition: the package whose installation includes it; "" for always.
        basearch_only: whether it is taken for the target's own architecture only.
    """

    name: str
    condition: str = ""
    basearch_only: bool = False


@dataclass(slots=True)
class PackageGroup:
    """A group, or with `groups` an environment, whose `packages` are then those of its mandatory groups."""

    id: str = ""
    name: str = ""
    packages: list[GroupPackage] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)

    def is_meant_by(self, pattern: str) -> bool:
        """Tell whether a pattern matches it: its id, or its name in any case; both may be globs."""
        return fnmatchcase(self.id, pattern) or fnmatchcase(self.name.lower(), pattern.lower())


@dataclass(frozen=True, slots=True)
class Comps:
    """The groups and environments of all repositories, by id."""

    groups: Mapping[str, PackageGroup]
    environments: Mapping[str, PackageGroup]

    def names(self) -> tuple[str, ...]:
        """Return all ids, for suggestions."""
        return tuple(sorted({*self.groups, *self.environments}))

    def packages(self, spec: str) -> tuple[GroupPackage, ...] | None:
        """Return the packages of `@name` (or `@^name`: environments only), or None when no group matches."""
        pattern = spec.lstrip("@").removeprefix("^")
        meant = [group for group in self.environments.values() if group.is_meant_by(pattern)]
        members = {member for environment in meant for member in environment.groups}
        if not spec.startswith("@^"):
            meant += [group for group in self.groups.values() if group.is_meant_by(pattern)]
        if not meant:
            return None
        of_environments = [self.groups[member] for member in sorted(members) if member in self.groups]
        return tuple(sorted({package for group in (*meant, *of_environments) for package in group.packages}))


def merge_comps(parts: Iterable[Comps]) -> Comps:
    """Return the groups of several repositories as one; groups of one id are one group."""
    groups: dict[str, PackageGroup] = {}
    environments: dict[str, PackageGroup] = {}
    for part in parts:
        for merged, found in ((groups, part.groups), (environments, part.environments)):
            for key, group in found.items():
                one = merged.setdefault(key, PackageGroup(key, group.name))
                one.packages += group.packages
                one.groups += group.groups
    return Comps(groups, environments)


def read_comps(stream: BinaryIO, where: str) -> Comps:
    """Read comps.xml; SourceError (REPO_METADATA_INVALID) when it is not that, or declares entities."""
    data = stream.read(MAX_COMPS_BYTES + 1)
    if len(data) > MAX_COMPS_BYTES:
        raise invalid_metadata(tr("is longer than {max_comps_bytes} bytes", max_comps_bytes=MAX_COMPS_BYTES), where)
    reader = _Reader()
    try:
        reader.parse(data)
    except (expat.ExpatError, ValueError) as error:
        raise invalid_metadata(tr("is not a readable XML document: {error}", error=error), where) from error
    return Comps(reader.groups, reader.environments)


class _Reader:
    """expat's handlers. A document type is usual in these files and cannot be refused; entities are refused."""

    def __init__(self) -> None:
        self.groups: dict[str, PackageGroup] = {}
        self.environments: dict[str, PackageGroup] = {}
        self._path: list[str] = []
        self._group = PackageGroup()
        self._attributes: Mapping[str, str] = {}
        # the pieces of the current text
        self._text: list[str] = []

    def parse(self, data: bytes) -> None:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.EntityDeclHandler = refuse_entity
        parser.Parse(data, True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        check_depth(len(self._path))
        if not self._path[:-1] and name != "comps":
            raise ValueError(tr("it is a document of the type {name!r}, not 'comps'", name=name))
        if self._path[1:] in (["group"], ["environment"]):
            self._group = PackageGroup()
        self._attributes = attributes
        self._text.clear()

    def _characters(self, text: str) -> None:
        self._text.append(text)

    def _end(self, name: str) -> None:
        inside = self._path[1:]
        self._path.pop()
        text = "".join(self._text).strip()
        self._text.clear()
        match inside:
            case ["group" | "environment"]:
                found = self.groups if name == "group" else self.environments
                found[self._group.id] = self._group
            case ["group" | "environment", "id"]:
                self._group.id = text
            case ["group" | "environment", "name"] if "xml:lang" not in self._attributes:
                self._group.name = text
            case ["group", "packagelist", "packagereq"] if text and self._attributes.get("type", "") in _TAKEN:
                self._group.packages.append(self._package(text))
            case ["environment", "grouplist", "groupid"] if text:
                self._group.groups.append(text)

    def _package(self, name: str) -> GroupPackage:
        condition = self._attributes.get("requires", "") if self._attributes.get("type") == "conditional" else ""
        return GroupPackage(name, condition, self._attributes.get("basearchonly") in ("true", "yes", "1"))
