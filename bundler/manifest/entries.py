"""The lists of entries: each kind reads its own items; rules between entries are checked here."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from bundler.manifest.node_text import shown
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bundler.manifest.fields import Fields
    from bundler.model.bundle_path import BundlePath
    from bundler.model.manifest import Entry, EntryReader
    from bundler.model.scope import Scope
    from bundler.model.source_text import Problems

MAX_ENTRIES = 100_000
# reading stops after this many: so many problems have a common cause
MAX_PROBLEMS = 1000


def read_entries(fields: Fields, kind: EntryReader[Any], scope: Scope) -> tuple[Entry, ...]:
    """Return the entries of one kind in the order of the file; problems go to the scope."""
    nodes = fields.items(kind.name)
    if len(nodes) > MAX_ENTRIES:
        fields.error(kind.name, tr("lists more than {max_entries} entries", max_entries=MAX_ENTRIES))
    fields.forget(kind.name)
    entries: dict[str, Entry] = {}
    for node in islice(nodes, MAX_ENTRIES):
        if len(scope.problems.errors) >= MAX_PROBLEMS:
            break
        entry: Entry | None = kind.read(node, scope)
        if entry is None:
            continue
        if (first := entries.get(entry.id)) is not None:
            wrong = tr(
                "duplicate entry {id} in {name!r}, first on line {line}",
                id=shown(entry.id),
                name=kind.name,
                line=first.position.line,
            )
            scope.problems.error(entry.position, wrong)
            continue
        entries[entry.id] = entry
    if entries:
        kind.check(tuple(entries.values()), scope)
    return tuple(entries.values())


def check_targets(entries: Iterable[Entry], problems: Problems) -> None:
    """Report files of the bundle that could not lie beside each other on every file system.

    Two files may not share a path, nor differ only by case or Unicode form; a file's path may not be a directory of
    another's. The later entry is the one at fault.
    """
    files: dict[str, tuple[BundlePath, Entry]] = {}
    directories: dict[str, tuple[BundlePath, Entry]] = {}
    for entry in entries:
        for path in _unique_targets(entry, problems):
            wrong = _collision(path, entry, files, directories)
            if wrong:
                problems.error(entry.position, wrong)
                continue
            files[path.collision_key] = (path, entry)
            for parent in _parent_keys(path):
                directories.setdefault(parent, (path, entry))


def _unique_targets(entry: Entry, problems: Problems) -> Sequence[BundlePath]:
    targets = entry.targets()
    unique = tuple(dict.fromkeys(targets))
    for path in unique if len(unique) < len(targets) else ():
        if targets.count(path) > 1:
            wrong = tr(
                "would place {path} once per platform; put ${{arch}} (and ${{os}}, ${{variant}}) into the path",
                path=shown(path),
            )
            problems.error(entry.position, wrong)
    return unique


def _collision(
    path: BundlePath,
    entry: Entry,
    files: dict[str, tuple[BundlePath, Entry]],
    directories: dict[str, tuple[BundlePath, Entry]],
) -> str:
    if (found := files.get(path.collision_key)) is not None:
        if found[0] == path:
            return tr("{path} is already placed by {whom}", path=shown(path), whom=_whom(found[1], entry))
        return tr("{path} differs only by case or Unicode form from {file}", path=shown(path), file=_file(found, entry))
    if (found := directories.get(path.collision_key)) is not None:
        return tr("{path} is a directory of {file}", path=shown(path), file=_file(found, entry))
    for parent in _parent_keys(path):
        if (found := files.get(parent)) is not None:
            return tr("{path} lies below the file {file}", path=shown(path), file=_file(found, entry))
    return ""


def _file(found: tuple[BundlePath, Entry], entry: Entry) -> str:
    return tr("{found}, placed by {whom}", found=shown(found[0]), whom=_whom(found[1], entry))


def _whom(other: Entry, entry: Entry) -> str:
    return tr("this entry") if other is entry else tr("the entry on line {line}", line=other.position.line)


def _parent_keys(path: BundlePath) -> tuple[str, ...]:
    # not BundlePath.parents: a folded path may not be in normal form C
    parts = path.collision_key.split("/")
    return tuple("/".join(parts[:depth]) for depth in range(1, len(parts)))
