"""Pins the packages of a runtime, this tool among them: what of each wheel lands where."""

from __future__ import annotations

from hashlib import file_digest
from typing import TYPE_CHECKING, BinaryIO

from bundler.errors import ErrorId, IntegrityError
from bundler.kinds.downloading import from_first_good_url
from bundler.kinds.runtime.taken_files import take_members
from bundler.kinds.runtime.tool_wheel import pack_wheel, wheel_name
from bundler.kinds.runtime.wheels import metadata_member, read_metadata, wheel_landing
from bundler.model.digest import Blob, Digest
from bundler.model.runtime_artifact import PinnedWheel
from bundler.model.source_url import last_segment
from bundler.translation import tr
from bundler.upstream_archive.members import list_members, read_members

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bundler.kinds.base import Sources
    from bundler.kinds.runtime.interface import PackageIndex, Tools
    from bundler.kinds.runtime.package_choice import ChosenPackage
    from bundler.kinds.runtime.requirements import Target
    from bundler.kinds.runtime.wheels import WheelMetadata
    from bundler.model.progress import Task
    from bundler.net.interface import Received
    from bundler.store.interface import BlobStore, Incoming


def tool_wheel(url: str, sources: Sources, tools: Tools, task: Task) -> Blob:
    """Return the wheel of this tool, in the store: the named one, or the running installation packed again.

    Raises SourceError, StorageError, ToolMissingError (this tool is not installed).
    """
    if not url:
        return sources.store.put(pack_wheel(tools.installation.files()))

    def use(incoming: Incoming, received: Received, where: str) -> Blob:
        del received, where
        return incoming.commit()

    return from_first_good_url((url,), sources, task, use)


def wheel_metadata(wheel: Blob, store: BlobStore, where: str) -> WheelMetadata:
    """Return what a wheel of the store says of itself; SourceError (SOURCE_INVALID)."""
    with store.path(wheel).open("rb") as file:
        return _metadata(file, where)


def pin_tool(wheel: Blob, url: str, site_packages: str, store: BlobStore) -> PinnedWheel:
    """Return the tool's files, which are in the store then."""
    where = last_segment(url) if url else tr("the wheel of this tool")
    with store.path(wheel).open("rb") as file:
        names = [item.name for item in list_members(file, where=where)]
        file.seek(0)
        metadata = _metadata(file, where)
        taken = take_members(file, wheel_landing(names, site_packages), store, where)
    name = last_segment(url) if url else wheel_name(metadata.name, metadata.version)
    # a wheel that is packed here has no dates
    date = taken.date if url else None
    return PinnedWheel(metadata.name, metadata.version, name, wheel, taken.files, url, date)


def pin_packages(
    chosen: Sequence[ChosenPackage], target: Target, index: PackageIndex, store: BlobStore, directory: Path
) -> tuple[PinnedWheel, ...]:
    """Return the packages' files, which are in the store then; raises SourceError, IntegrityError, StorageError."""
    fetched = index.fetch([package.found.wheel for package in chosen if package.built is None], target, directory)
    pinned = (_pin_package(package, fetched, target, store) for package in chosen)
    return tuple(sorted(pinned, key=lambda wheel: wheel.name))


def _pin_package(chosen: ChosenPackage, fetched: Mapping[str, Path], target: Target, store: BlobStore) -> PinnedWheel:
    found, built = chosen.found.wheel, chosen.built
    wheel, kept = (built.wheel, built.sources) if built is not None else (fetched[found.file], fetched[found.file])
    with wheel.open("rb") as file:
        names = [item.name for item in list_members(file, where=wheel.name)]
        landing = wheel_landing(names, target.site_packages, built_here=built is not None)
        taken = take_members(file, landing, store, wheel.name)
    download = file_blob(kept)
    if built is None and found.digest is not None and found.digest != download.digest:
        raise IntegrityError(
            ErrorId.CHECKSUM_MISMATCH,
            tr("is not what the index promised"),
            where=wheel.name,
            remedy=tr("Try again; if it stays so, ask whoever runs the index."),
            want=str(found.digest),
            got=str(download.digest),
        )
    date = None if built is not None else taken.date
    return PinnedWheel(found.name, found.version, kept.name, download, taken.files, date=date)


def file_blob(path: Path) -> Blob:
    """Return digest and size of a file."""
    with path.open("rb") as file:
        return Blob(Digest("sha256", file_digest(file, "sha256").hexdigest()), path.stat().st_size)


def _metadata(file: BinaryIO, where: str) -> WheelMetadata:
    member = metadata_member((item.name for item in list_members(file, where=where)), where)
    file.seek(0)
    [data] = [b"".join(chunks) for _, chunks in read_members(file, [member], where=where)]
    file.seek(0)
    return read_metadata(data, where)
