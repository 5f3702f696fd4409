"""Bytes of a manifest -> `Manifest`, or one ManifestError that holds all its problems. docs/design.md, 3.

The values of `vars` may use the variables above them; `--set` is not expanded. A manifest without `platforms` is for
linux/amd64.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from bundler.errors import ErrorId, ManifestError
from bundler.large_memory import expect_text
from bundler.manifest.decoding import MAX_FILE_BYTES
from bundler.manifest.entries import MAX_PROBLEMS, check_targets, read_entries
from bundler.manifest.fields import Fields
from bundler.manifest.header import HEADER_KEYS, newer_version, read_header, version_problem
from bundler.manifest.yaml_tree import read_tree
from bundler.model.manifest import Manifest
from bundler.model.scope import Scope
from bundler.model.source_text import Pairs, Problem, Problems, Scalar
from bundler.translation import tr, tr_plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from bundler.model.manifest import EntryReader
    from bundler.model.source_text import Node

# kinds of content that the format has a name for already (docs/design.md, 3)
RESERVED_KEYS = {
    "charts": tr("reserved for a later version"),
    "debs": tr("reserved for a later version"),
}
NO_OVERRIDES: Mapping[str, str] = {}


def load_manifest(
    path: Path, kinds: Sequence[EntryReader[Any]], overrides: Mapping[str, str] = NO_OVERRIDES
) -> Manifest:
    """Read the manifest in a file; raises as `read_text` and `read_manifest` do."""
    return read_manifest(read_text(path), file=str(path), kinds=kinds, overrides=overrides)


def read_text(path: Path) -> bytes:
    """Return a manifest's bytes (at most one more than is allowed); ManifestError (MANIFEST_UNREADABLE)."""
    try:
        with path.open("rb") as stream:
            expect_text(os.fstat(stream.fileno()).st_size)
            return stream.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ManifestError(
            ErrorId.MANIFEST_UNREADABLE,
            tr("cannot be read: {reason}", reason=reason),
            where=str(path),
            remedy=tr("Name a manifest that exists and that you may read."),
        ) from error


def read_manifest(
    text: bytes,
    *,
    file: str,
    kinds: Sequence[EntryReader[Any]],
    overrides: Mapping[str, str] = NO_OVERRIDES,
) -> Manifest:
    """Read a manifest.

    Arguments:
        text: the file's content, at most `MAX_FILE_BYTES`.
        file: its name in positions.
        kinds: the kinds of content that it may list, each under its name.
        overrides: `--set`: values of variables that the manifest declares.

    Raises ManifestError (MANIFEST_INVALID) whose `problems` are all problems in the order of their positions.
    """
    problems = Problems()
    root = read_tree(text, file=file, problems=problems)
    if root is None:
        raise _invalid(file, problems.errors)
    if (version := newer_version(root)) is not None:
        newer = Problem(version.position, version_problem(version))
        raise _invalid(file, [newer], remedy=tr("Use a newer version of bundler."))
    if isinstance(root, Scalar) and not root.text:
        raise _invalid(
            file, [*problems.errors, Problem(root.position, tr("the manifest is empty; begin with version: 1"))]
        )
    variables: dict[str, str] = {}
    fields = _top_level(root, kinds, Scope(variables, (), problems))
    # the tree is larger than the entries made of it: what was read is let go
    del root
    manifest = _read(fields, kinds, problems, variables, overrides)
    if problems.errors:
        raise _invalid(file, problems.errors)
    return manifest


def _top_level(root: Node, kinds: Sequence[EntryReader[Any]], scope: Scope) -> Fields:
    names = tuple(kind.name for kind in kinds)
    reserved = tuple(key for key in RESERVED_KEYS if key not in names)
    fields = Fields(root, scope, known=(*HEADER_KEYS, *names, *reserved), what=tr("the manifest"))
    for key in reserved:
        if fields.has(key):
            scope.problems.error(
                fields.key_position(key),
                tr("{key!r} is {reserved_keys}; remove it", key=key, reserved_keys=RESERVED_KEYS[key]),
            )
    if isinstance(root, Pairs) and not any(fields.has(key) for key in (*names, *reserved)):
        scope.problems.error(
            root.position, tr("the manifest lists nothing to bundle; add {names}", names=tr(" or ").join(names))
        )
    return fields


def _read(
    fields: Fields,
    kinds: Sequence[EntryReader[Any]],
    problems: Problems,
    variables: dict[str, str],
    overrides: Mapping[str, str],
) -> Manifest:
    header = read_header(fields, problems, variables, overrides)
    entries = {kind.name: read_entries(fields, kind, header.scope) for kind in kinds}
    check_targets((entry for listed in entries.values() for entry in listed), problems)
    return Manifest(
        name=header.name,
        release=header.release,
        platforms=header.scope.platforms,
        variables=variables,
        entries=entries,
        warnings=_in_order(problems.warnings),
    )


def _in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    # a problem is reported again at each use of an alias, and for each platform for which an entry is expanded
    return tuple(sorted(set(problems)))


def _invalid(
    file: str,
    errors: Iterable[Problem],
    *,
    remedy: str = tr("Mend what is listed above, then try again with `bundler check`."),
) -> ManifestError:
    found = _in_order(errors)
    lines = [str(problem) for problem in found[:MAX_PROBLEMS]]
    if len(found) > MAX_PROBLEMS:
        lines.append(tr("{file}: … and {count} more", file=file, count=len(found) - MAX_PROBLEMS))
    return ManifestError(
        ErrorId.MANIFEST_INVALID,
        tr_plural("has {count} problem", "has {count} problems", len(found)),
        where=file,
        remedy=remedy,
        problems=lines,
    )
