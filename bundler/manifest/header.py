"""The part of a manifest before its entries: version, name, release, platforms, variables. docs/design.md, 3."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.manifest.node_text import character_problem, line_problem, node_name, shown
from bundler.model.manifest import MANIFEST_VERSION, NAME_PATTERN, RELEASE_PATTERN
from bundler.model.platform import Platform
from bundler.model.scope import MAX_EXPANDED_CHARACTERS, PLATFORM_VARIABLES, Scope, did_you_mean, uses_platform
from bundler.model.source_text import Pairs, Scalar
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bundler.manifest.fields import Fields
    from bundler.model.source_text import Node, Problems

HEADER_KEYS = ("version", "name", "release", "platforms", "vars")
DEFAULT_PLATFORMS = (Platform("linux", "amd64"),)
MAX_VARIABLES = 200
VARIABLE_PATTERN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Header:
    """The checked header; `scope` is for reading the entries."""

    name: str
    release: str
    scope: Scope


def newer_version(root: Node) -> Scalar | None:
    """Return the version's scalar when the manifest needs a later bundler, else None."""
    for key, value in root.pairs if isinstance(root, Pairs) else ():
        if key.value == "version" and isinstance(value, Scalar):
            number = value.value
            if isinstance(number, int) and not isinstance(number, bool) and number > MANIFEST_VERSION:
                return value
    return None


def read_header(fields: Fields, problems: Problems, variables: dict[str, str], overrides: Mapping[str, str]) -> Header:
    """Read the header's keys, and report their problems.

    Arguments:
        fields: the manifest's top level, made with a scope over `variables`.
        variables: empty; filled here one by one, so that values may use the variables above them.
        overrides: `--set`, not expanded.
    """
    _check_version(fields)
    scope = Scope(variables, (), problems)
    _read_variables(fields, scope, variables, overrides)
    name = _matching(
        fields, scope, "name", NAME_PATTERN, tr("at most 128 letters, digits, . _ -, the first a letter or digit")
    )
    release = _matching(fields, scope, "release", RELEASE_PATTERN, tr("at most 32 letters, digits, . _ -"))
    platforms = fields.platforms("platforms", default=DEFAULT_PLATFORMS)
    return Header(name, release, Scope(variables, platforms or DEFAULT_PLATFORMS, problems))


def _check_version(fields: Fields) -> None:
    node = fields.node("version", required=True)
    if node is None:
        return
    number = node.value if isinstance(node, Scalar) else None
    if isinstance(number, bool) or not isinstance(number, int) or number != MANIFEST_VERSION:
        fields.error(
            "version",
            tr(
                "want the number {manifest_version}, got {node}",
                manifest_version=MANIFEST_VERSION,
                node=node_name(node),
            ),
        )


def _matching(fields: Fields, scope: Scope, key: str, pattern: re.Pattern[str], wanted: str) -> str:
    scalar = fields.text(key, required=key == "name")
    if scalar is None:
        return ""
    errors_before = len(scope.problems.errors)
    text = scope.expand(scalar)
    if len(scope.problems.errors) == errors_before and not pattern.fullmatch(text):
        fields.error(key, tr("{text} cannot be a {key}: want {wanted}", text=shown(text), key=key, wanted=wanted))
    return text


def _read_variables(fields: Fields, scope: Scope, variables: dict[str, str], overrides: Mapping[str, str]) -> None:
    declared = fields.pairs("vars", empty_values=True)
    node = fields.node("vars")
    # variables with a faulty value too, so that their uses are not reported as well
    names = [name.text for name, _ in node.pairs] if isinstance(node, Pairs) else []
    if len(names) > MAX_VARIABLES:
        fields.error("vars", tr("declares more than {max_variables} variables", max_variables=MAX_VARIABLES))
    for name, value in declared[:MAX_VARIABLES]:
        if name.text in PLATFORM_VARIABLES:
            scope.problems.error(
                name.position, tr("'vars': {text!r} is reserved; it comes from the platform", text=name.text)
            )
        elif not VARIABLE_PATTERN.fullmatch(name.text):
            wanted = tr("at most 64 letters, digits, _ -, the first a letter or _")
            scope.problems.error(
                name.position,
                tr("'vars': {text} cannot be a variable: want {wanted}", text=shown(name.text), wanted=wanted),
            )
        elif name.text in overrides:
            variables[name.text] = overrides[name.text]
        elif uses_platform(value.text, variables):
            wrong = tr(
                "a variable has one value for all platforms; use ${os}, ${arch}, ${variant}, ${machine} in the entries"
            )
            scope.problems.error(value.position, f"'vars', {name.text!r}: {wrong}")
            variables[name.text] = ""
        else:
            # a value may use the variables above it: the scope has only those so far
            variables[name.text] = scope.expand(value)
    for name_text in names:
        variables.setdefault(name_text, "")
    _check_overrides(fields, names, overrides)


def _check_overrides(fields: Fields, names: list[str], overrides: Mapping[str, str]) -> None:
    for name, text in sorted(overrides.items()):
        if name not in names:
            known = tr("; it declares {names}", names=", ".join(names)) if names else tr("; it declares none")
            hint = did_you_mean(name, names) or known
            fields.error("vars", tr("--set {name}: the manifest declares no such variable{hint}", name=name, hint=hint))
        elif problem := character_problem(text) or line_problem(text) or _length_problem(text):
            fields.error("vars", f"--set {name}: {shown(text)} {problem}")


def _length_problem(text: str) -> str:
    return (
        tr("is longer than {max_expanded_characters} characters", max_expanded_characters=MAX_EXPANDED_CHARACTERS)
        if len(text) > MAX_EXPANDED_CHARACTERS
        else ""
    )


def version_problem(version: Scalar) -> str:
    """Return the problem of a manifest for which `newer_version` found this version."""
    return tr(
        "the manifest is of version {text}; this version of bundler reads version {manifest_version}",
        text=version.text,
        manifest_version=MANIFEST_VERSION,
    )
