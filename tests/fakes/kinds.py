"""Small kinds of content for tests of whatever loops over kinds.

`boxes` place files, `labels` place nothing, `crates` yield `notes`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bundler.kinds.base import DerivedItem
from bundler.manifest.fields import Fields
from bundler.manifest.node_text import want_text
from bundler.manifest.schema import (
    FLAG,
    MODE,
    PLATFORM_LIST,
    ROLE_LIST,
    TEXT,
    TEXT_PAIRS,
    TEXTS,
    mapping_of,
    one_of_keys,
)
from bundler.model.bundle_path import BundlePath, reserved_problem
from bundler.model.scope import uses_platform
from tests.fakes.notes import NotesKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bundler.kinds.base import Sources
    from bundler.model.json_value import Json
    from bundler.model.platform import Platform
    from bundler.model.progress import Task
    from bundler.model.scope import Scope
    from bundler.model.source_text import Node, Position, Scalar
    from tests.fakes.notes import NoteArtifact, NoteEntry

BOX_KEYS = ("path", "url", "urls", "members", "mode", "sealed", "size", "roles", "platforms")


@dataclass(frozen=True, slots=True)
class Box:
    """An entry of `boxes`; `urls` expanded for the first platform."""

    id: str
    position: Position
    paths: tuple[BundlePath, ...]
    urls: tuple[str, ...]
    mode: int
    sealed: bool
    size: str
    roles: tuple[str, ...]
    platforms: tuple[Platform, ...]
    members: tuple[tuple[str, str], ...]

    @property
    def key(self) -> str:
        return str(self.paths[0])

    def meaning(self) -> Json:
        return {"paths": list(self.paths), "urls": list(self.urls), "mode": self.mode, "roles": list(self.roles)}

    def targets(self) -> tuple[BundlePath, ...]:
        return self.paths


class Boxes:
    """An EntryReader that uses every method of `Fields`."""

    name = "boxes"
    schema: Mapping[str, Json] = {
        **mapping_of(
            {
                "path": TEXT,
                "url": TEXT,
                "urls": TEXTS,
                "members": TEXT_PAIRS,
                "mode": MODE,
                "sealed": FLAG,
                "size": {"enum": ["small", "large"]},
                "roles": ROLE_LIST,
                "platforms": PLATFORM_LIST,
            },
            required=("path",),
        ),
        "allOf": one_of_keys("url", "urls", required=True),
    }

    def read(self, node: Node, scope: Scope) -> Box | None:
        fields = Fields(node, scope, known=BOX_KEYS, what="a box")
        path = fields.text("path", required=True)
        platforms = fields.platforms("platforms")
        given = fields.exclusive("url", "urls", required=True)
        url = fields.text("url")
        urls = (url,) if given == "url" and url is not None else fields.texts("urls")
        box_mode, sealed = fields.mode("mode", default=0o644), fields.flag("sealed", default=False)
        size = fields.choice("size", ("small", "large"), default="small")
        roles, members = fields.roles("roles"), fields.pairs("members")
        if path is None:
            return None
        paths = self._paths(path, platforms, scope)
        expanded = tuple(scope.expand(url, platforms[0]) for url in urls) if platforms else ()
        if not fields.ok:
            return None
        pairs = tuple((key.text, scope.expand(value)) for key, value in members)
        return Box(path.text, node.position, paths, expanded, box_mode, sealed, size, roles, platforms, pairs)

    def _paths(self, path: Scalar, platforms: tuple[Platform, ...], scope: Scope) -> tuple[BundlePath, ...]:
        paths = []
        for platform in platforms if uses_platform(path.text) else platforms[:1]:
            try:
                expanded = BundlePath(scope.expand(path, platform))
            except ValueError as error:
                scope.problems.error(path.position, f"'path': {error}")
                continue
            if problem := reserved_problem(expanded):
                scope.problems.error(path.position, f"'path': {problem}")
            paths.append(expanded)
        return tuple(paths)

    def check(self, entries: Sequence[Box], scope: Scope) -> None:
        """Refuse a second sealed box, and warn of the first."""
        sealed = [box for box in entries if box.sealed]
        for box in sealed[:1]:
            scope.problems.warn(box.position, f"{box.id} is sealed")
        for box in sealed[1:]:
            scope.problems.error(box.position, "only one box may be sealed")


@dataclass(frozen=True, slots=True)
class Label:
    """An entry of `labels`."""

    id: str
    position: Position
    text: str

    @property
    def key(self) -> str:
        return self.text

    def meaning(self) -> Json:
        return self.text

    def targets(self) -> tuple[BundlePath, ...]:
        return ()


class Labels:
    """An EntryReader whose items are strings."""

    name = "labels"
    schema: Mapping[str, Json] = TEXT

    def read(self, node: Node, scope: Scope) -> Label | None:
        scalar = want_text(node, scope, "a label")
        return None if scalar is None else Label(scalar.text, scalar.position, scope.expand(scalar))

    def check(self, entries: Sequence[Label], scope: Scope) -> None:
        """Hold nothing against them."""


FAKE_KINDS = (Boxes(), Labels())


@dataclass(slots=True)
class CratesKind(NotesKind):
    """Notes whose text is a JSON list of what each yields: items of `notes`, or `{"crates": ID}` for another crate.

    `asked`: the ids of those that were asked, in that order.
    """

    asked: list[str] = field(default_factory=list)
    name: str = "crates"

    def lock(
        self,
        entry: NoteEntry,
        sources: Sources,
        task: Task,
        *,
        kept: Sequence[NoteArtifact] = (),
        moved: Sequence[NoteArtifact] = (),
    ) -> tuple[NoteArtifact, ...]:
        """Pin what is there now, and keep it to be read."""
        pinned = NotesKind.lock(self, entry, sources, task, kept=kept, moved=moved)
        sources.store.put(self.upstream[entry.id].encode())
        return pinned

    def discover(
        self, entry: NoteEntry, pinned: Sequence[NoteArtifact], sources: Sources, task: Task
    ) -> list[DerivedItem]:
        """Return what the pinned text says; what is there now where nothing is pinned."""
        self.asked.append(entry.id)
        text = sources.store.read(pinned[0].blob).decode() if pinned else self.upstream[entry.id]
        task.advance(len(text))
        return [_derived(item) for item in json.loads(text)]


def _derived(item: Json) -> DerivedItem:
    if isinstance(item, dict) and "crates" in item:
        return DerivedItem("crates", item["crates"])
    return DerivedItem("notes", item)
