"""Small kinds of content for tests of whatever loops over kinds: `boxes` place files, `labels` place nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bundler.model.json_value import Json
    from bundler.model.platform import Platform
    from bundler.model.scope import Scope
    from bundler.model.source_text import Node, Position, Scalar

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
