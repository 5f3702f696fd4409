"""Gets packages from their urls into the store, held to the checksum they are known by."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, IntegrityError, SourceError
from bundler.kinds.base import Fetch
from bundler.kinds.downloading import Pin, admit_exactly, from_first_good_url, known_blob, pinned_blob
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.kinds.base import Sources
    from bundler.model.digest import Blob, Digest
    from bundler.model.progress import Task
    from bundler.model.rpm.artifact import RpmArtifact
    from bundler.net.interface import Received
    from bundler.store.interface import Incoming


# nobody wrote this name into a manifest
STALE = tr(
    "The repository lists the file and does not have it: its metadata are older or newer than its files. Try again "
    "later, name another mirror of it, or tell its operator."
)


@dataclass(frozen=True, slots=True)
class RpmFetch:
    """One pinned package: what to call it, where it comes from, and the names `--update` would take."""

    label: str
    key: str
    urls: tuple[str, ...]
    content: Blob


def bring_package(
    urls: Sequence[str], checksum: Digest, size: int | None, sources: Sources, task: Task, *, where: str
) -> tuple[Blob, str]:
    """Bring a package into the store and return it with the prefix of the upstream mirror it came through.

    What the store has already is not fetched again.

    Arguments:
        checksum, size: what the metadata promise, and bytes, None where they say nothing of them.
        where: manifest line, repository and package, for messages.

    Raises SourceError, StorageError, IntegrityError (CHECKSUM_MISMATCH).
    """
    pinned = pinned_blob(checksum, size)

    def arrived() -> tuple[Blob, str] | None:
        known = known_blob(checksum, size, sources.store)
        return (known, "") if known is not None else None

    def use(incoming: Incoming, received: Received, url: str) -> tuple[Blob, str]:
        return admit_exactly(incoming, checksum, size, url, sources.store), received.via

    if (found := arrived()) is not None:
        return found
    try:
        return from_first_good_url(urls, sources, task, use, pin=Pin(pinned) if pinned else None, arrived=arrived)
    except IntegrityError as error:
        raise IntegrityError(
            ErrorId.CHECKSUM_MISMATCH,
            tr("the download from {where} is not what the repository's metadata promise", where=error.where or urls[0]),
            where=where,
            remedy=tr(
                "Try again later or from another mirror; if it stays so, the package was damaged or tampered with."
            ),
            want=error.want,
            got=error.got,
        ) from error
    except SourceError as error:
        if error.id == ErrorId.SOURCE_NOT_FOUND:
            error = replace(error, remedy=STALE)
        raise error.with_context(where=where) from error


def rpm_fetches(artifacts: Sequence[RpmArtifact]) -> tuple[Fetch, ...]:
    """Return one fetch per package, in the order of the artifacts; one that several repositories hold is one fetch."""
    groups: dict[Blob, list[RpmArtifact]] = {}
    for artifact in artifacts:
        groups.setdefault(artifact.content, []).append(artifact)
    return tuple(
        Fetch(
            label=group[0].file_name,
            provides=(content,),
            transfer_bytes=content.size,
            scratch_bytes=0,
            artifacts=tuple(artifact.key for artifact in group),
            title=group[0].title,
            detail=RpmFetch(
                label=group[0].file_name,
                key=group[0].key,
                urls=tuple(dict.fromkeys(url for artifact in group for url in artifact.urls)),
                content=content,
            ),
            # repodata are made from the packages' own headers
            to_place=True,
        )
        for content, group in groups.items()
    )


def fetch_rpm(work: RpmFetch, sources: Sources, task: Task) -> None:
    """Bring a pinned package into the store. Its digest says all: it was authenticated when it was locked.

    Raises SourceError, StorageError, IntegrityError (UPSTREAM_CHANGED: no url has the pinned bytes any more).
    """
    try:
        bring_package(work.urls, work.content.digest, work.content.size, sources, task, where=work.label)
    except IntegrityError as error:
        raise IntegrityError(
            ErrorId.UPSTREAM_CHANGED,
            tr("is no longer what was locked"),
            where=work.label,
            remedy=tr(
                "Find out why; if the new bytes are right, pin them: `bundler lock --update '{key}'`.", key=work.key
            ),
            want=error.want,
            got=error.got,
        ) from error
