"""How a kind reads the keys of one mapping of the manifest: typed, and every problem reported instead of raised.

A kind makes one `Fields` per list item, asks for its keys, and gives up at the end when `ok` is false:

    fields = Fields(node, scope, known=("path", "url", "roles"), what="a files entry")
    path = fields.text("path", required=True)
    roles = fields.roles("roles")
    if path is None or not fields.ok:
        return None

Strings come back as positioned scalars, unexpanded: the kind calls `scope.expand(scalar, platform)`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.manifest.node_text import MAX_SHOWN_CHARACTERS, node_name, shown, want_text
from bundler.manifest.platform_names import MAX_PLATFORMS, read_platform
from bundler.model.manifest import ROLES
from bundler.model.placement import MODES
from bundler.model.source_text import Items, Pairs, Scalar
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.model.platform import Platform
    from bundler.model.scope import Scope
    from bundler.model.source_text import Node, Position

IGNORED_PREFIX = "x-"


class Fields:
    """The keys of one mapping.

    Arguments:
        node: the mapping in the manifest; anything else is reported.
        scope: collects problems, and has the platforms for an absent `platforms`.
        known: the keys that may occur; others are reported with the nearest known one, `x-…` is ignored.
        what: the mapping's name in messages, with its article: `a files entry`.
    """

    __slots__ = ("_errors_before", "_is_mapping", "_keys", "_nodes", "_scope", "position", "what")

    def __init__(self, node: Node, scope: Scope, *, known: tuple[str, ...], what: str) -> None:
        self.position = node.position
        self.what = what
        self._scope = scope
        self._errors_before = len(scope.problems.errors)
        self._nodes: dict[str, Node] = {}
        self._keys: dict[str, Position] = {}
        self._is_mapping = isinstance(node, Pairs)
        if not isinstance(node, Pairs):
            scope.problems.error(
                node.position, tr("want {what} as a mapping, got {node}", what=what, node=node_name(node))
            )
            return
        for key, value in node.pairs:
            name = str(key.value)
            if name in known:
                self._nodes[name] = value
                self._keys[name] = key.position
            elif not name.startswith(IGNORED_PREFIX):
                hint = scope.hint(name, known) or tr("; known are {known}", known=", ".join(known))
                scope.problems.error(
                    key.position, tr("unknown key {name} in {what}{hint}", name=shown(name), what=what, hint=hint)
                )

    @property
    def ok(self) -> bool:
        """Whether nothing was reported to the scope since this mapping was begun (`scope.expand` included)."""
        return len(self._scope.problems.errors) == self._errors_before

    def has(self, key: str) -> bool:
        """Tell whether the key is given, with whatever value."""
        return key in self._nodes

    def node(self, key: str, *, required: bool = False) -> Node | None:
        """Return the key's value unread, or None."""
        node = self._nodes.get(key)
        if node is None and required and self._is_mapping:
            self._scope.problems.error(self.position, tr("{what} lacks the key {key!r}", what=self.what, key=key))
        return node

    def forget(self, key: str) -> None:
        """Let a key's value go, which counts as absent from now on."""
        self._nodes.pop(key, None)

    def position_of(self, key: str) -> Position:
        """Return the position of the key's value, or of the mapping when it is absent."""
        node = self._nodes.get(key)
        return self.position if node is None else node.position

    def key_position(self, key: str) -> Position:
        """Return the position of the key itself, or of the mapping when it is absent."""
        return self._keys.get(key, self.position)

    def error(self, key: str, text: str) -> None:
        """Report what is wrong with the value of a key, at its position."""
        self._scope.problems.error(self.position_of(key), f"{key!r}: {text}")

    def text(self, key: str, *, default: Scalar | None = None, required: bool = False) -> Scalar | None:
        """Return a non-empty string of one line; `default` when it is absent, None when it was reported."""
        node = self.node(key, required=required)
        return default if node is None else want_text(node, self._scope, repr(key))

    def texts(self, key: str, *, required: bool = False) -> tuple[Scalar, ...]:
        """Return a list of different strings, without items of other types, which are reported; () when absent."""
        scalars: dict[str, Scalar] = {}
        for item in self.items(key, required=required):
            scalar = want_text(item, self._scope, tr("an item of {key!r}", key=key))
            if scalar is None:
                continue
            if scalar.text in scalars:
                self._scope.problems.error(
                    scalar.position, tr("{key!r}: {text} is listed twice", key=key, text=shown(scalar.text))
                )
            scalars.setdefault(scalar.text, scalar)
        return tuple(scalars.values())

    def items(self, key: str, *, required: bool = False) -> Sequence[Node]:
        """Return the items of a list unread; () when it is absent. An empty list is reported."""
        node = self.node(key, required=required)
        if node is None:
            return ()
        if not isinstance(node, Items):
            self.error(key, tr("want a list, got {node}{as_list}", node=node_name(node), as_list=_as_list(node)))
            return ()
        if not node.items:
            self.error(
                key,
                tr("is an empty list; {value}", value=tr("name at least one") if required else tr("leave the key out")),
            )
        return node.items

    def pairs(
        self, key: str, *, required: bool = False, empty_values: bool = False
    ) -> tuple[tuple[Scalar, Scalar], ...]:
        """Return a mapping from strings to strings in the order of the file; () when it is absent.

        Pairs whose key or value is not a string of one line are reported and left out. An empty mapping is reported.
        """
        node = self.node(key, required=required)
        if node is None:
            return ()
        if not isinstance(node, Pairs):
            self.error(key, tr("want a mapping, got {node}", node=node_name(node)))
            return ()
        if not node.pairs:
            self.error(key, tr("is an empty mapping; leave the key out"))
        found: list[tuple[Scalar, Scalar]] = []
        for name, value in node.pairs:
            what = f"{key!r}, {shown(name.text)}"
            scalar = want_text(value, self._scope, what, may_be_empty=empty_values)
            if want_text(name, self._scope, tr("a key of {key!r}", key=key)) is not None and scalar is not None:
                found.append((name, scalar))
        return tuple(found)

    def exclusive(self, *keys: str, required: bool = False) -> str | None:
        """Return the one of these keys that is given, or None; more than one, or none if required, is reported."""
        given = [key for key in keys if key in self._nodes]
        if len(given) > 1:
            wrong = tr(
                "{second!r} cannot stand beside {first!r}; keep one of {keys}",
                second=given[1],
                first=given[0],
                keys=", ".join(keys),
            )
            self._scope.problems.error(self.key_position(given[1]), wrong)
        if not given and required and self._is_mapping:
            self._scope.problems.error(
                self.position, tr("{what} lacks one of the keys {keys}", what=self.what, keys=", ".join(keys))
            )
        return given[0] if given else None

    def choice(self, key: str, options: tuple[str, ...], *, default: str) -> str:
        """Return one of the named words."""
        scalar = self.text(key)
        if scalar is None:
            return default
        word = self._scope.expand(scalar)
        if word not in options:
            hint = self._scope.hint(word, options) or tr("; known are {options}", options=", ".join(options))
            self.error(key, tr("unknown value {word}{hint}", word=shown(word), hint=hint))
            return default
        return word

    def flag(self, key: str, *, default: bool) -> bool:
        """Return a truth value."""
        node = self.node(key)
        if node is None:
            return default
        if not isinstance(node, Scalar) or not isinstance(node.value, bool):
            self.error(key, tr("want true or false, without quotes; got {node}", node=node_name(node)))
            return default
        return node.value

    def number(self, key: str, *, default: int | None, at_least: int, at_most: int) -> int | None:
        """Return a whole number within bounds, both included."""
        node = self.node(key)
        if node is None:
            return default
        number = node.value if isinstance(node, Scalar) else None
        if isinstance(number, bool) or not isinstance(number, int):
            self.error(key, tr("want a number, without quotes; got {node}", node=node_name(node)))
            return default
        if not at_least <= number <= at_most:
            self.error(
                key,
                tr(
                    "want a number from {at_least} to {at_most}, got {number}",
                    at_least=at_least,
                    at_most=at_most,
                    number=number,
                ),
            )
            return default
        return number

    def inner(self, key: str, *, known: tuple[str, ...], what: str) -> Fields | None:
        """Return a key's value as a mapping of its own, to be read like this one; None when it is absent."""
        node = self.node(key)
        return None if node is None else Fields(node, self._scope, known=known, what=what)

    def mode(self, key: str, *, default: int) -> int:
        """Return file permissions as a number: 0o644 or 0o755."""
        scalar = self.text(key)
        if scalar is None:
            return default
        word = self._scope.expand(scalar)
        for mode in MODES:
            if word in (f"{mode:04o}", f"{mode:o}"):
                return mode
        self.error(key, tr('want "0644" or "0755", got {word}', word=shown(word)))
        return default

    def roles(self, key: str) -> tuple[str, ...]:
        """Return who needs the content, in the order of `ROLES`; all of them when the key is absent."""
        if not self.has(key):
            return ROLES
        words = set()
        for scalar in self.texts(key):
            word = self._scope.expand(scalar)
            if word not in ROLES:
                hint = self._scope.hint(word, ROLES) or tr("; known are {roles}", roles=", ".join(ROLES))
                self._scope.problems.error(
                    scalar.position, tr("{key!r}: unknown role {word}{hint}", key=key, word=shown(word), hint=hint)
                )
            words.add(word)
        return tuple(role for role in ROLES if role in words)

    def platforms(self, key: str, *, default: tuple[Platform, ...] | None = None) -> tuple[Platform, ...]:
        """Return a list of different platforms, in the order of the file.

        When the key is absent: `default`, or the manifest's platforms.
        """
        if not self.has(key):
            return self._scope.platforms if default is None else default
        platforms: list[Platform] = []
        for scalar in self.texts(key):
            platform = read_platform(scalar, self._scope, repr(key))
            if platform is None:
                continue
            if any(platform.matches(other) for other in platforms):
                self._scope.problems.error(
                    scalar.position, tr("{key!r}: {platform} is listed twice", key=key, platform=platform)
                )
                continue
            platforms.append(platform)
        if len(platforms) > MAX_PLATFORMS:
            self.error(key, tr("lists more than {max_platforms} platforms", max_platforms=MAX_PLATFORMS))
        return tuple(platforms[:MAX_PLATFORMS])


def _as_list(node: Node) -> str:
    if isinstance(node, Scalar) and 0 < len(node.text) <= MAX_SHOWN_CHARACTERS:
        return tr("; write [{text}]", text=node.text)
    return ""
