"""Which file of a base a new one is patched against: the version of it that was there before. Pure.

A file at the same path is it. Where names hold versions, or digests as in image layouts, the locks tell: artifacts of
one name, and their parts by place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.model.artifact import Composed, Versioned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bundler.model.artifact import Artifact
    from bundler.model.digest import Blob
    from bundler.model.lock import Lock
    from bundler.model.placement import Placement

# what a thing is called in all of its versions: its kind and name, then the part
_PartName = tuple[str, str, str]


def patch_pairs(
    wanted: Iterable[Placement], new: Lock, base: Mapping[str, Blob], old: Lock | None
) -> Mapping[Blob, Blob]:
    """Return, for new content, the content of a base that it takes the place of; nothing for what has none.

    Arguments:
        wanted: files of the new bundle that the base does not have.
        base: its content by paths.
        old: the base's lock, where that is known.
    """
    held = set(base.values())
    before: dict[Blob, Blob] = {}
    if old is not None:
        # a key that both have says more than a name that several artifacts may share
        for name_of in (_series, _key):
            earlier, parts = _by_name(old, name_of), _by_name(new, name_of)
            before |= {blob: earlier[name] for name, blob in parts.items() if earlier.get(name) in held}
    pairs: dict[Blob, Blob] = {}
    for file in wanted:
        known = base.get(file.path) or before.get(file.blob)
        if known is not None and known != file.blob:
            pairs.setdefault(file.blob, known)
    return pairs


def _series(artifact: Artifact) -> str:
    return artifact.series if isinstance(artifact, Versioned) else ""


def _key(artifact: Artifact) -> str:
    return artifact.key


def _by_name(lock: Lock, name_of: Callable[[Artifact], str]) -> dict[_PartName, Blob]:
    """Return the parts of a lock's artifacts by names that outlast a version; the last one of a name counts."""
    return {
        (entry.kind, name, part): blob
        for entry, artifact in lock.artifacts
        if (name := name_of(artifact))
        for part, blob in _parts(artifact)
    }


def _parts(artifact: Artifact) -> Iterable[tuple[str, Blob]]:
    if isinstance(artifact, Composed):
        return artifact.parts.items()
    # of several files without lasting names nobody knows which is which
    return [("", blob) for blob in artifact.placed.values()] if len(artifact.placed) == 1 else []
