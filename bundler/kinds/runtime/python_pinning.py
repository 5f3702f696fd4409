"""Pins the Python of a runtime: downloads its archive, holds it to what is promised, keeps what a site needs of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, BinaryIO

from bundler.kinds.downloading import from_first_good_url
from bundler.kinds.promise import promise_of
from bundler.kinds.runtime.elf import MACHINES
from bundler.kinds.runtime.python_archive import INTERPRETER, python_layout, python_version, unfit
from bundler.kinds.runtime.taken_files import Taken, elf_files, take_members
from bundler.model.digest import Blob
from bundler.model.runtime_artifact import PinnedPython, in_order
from bundler.translation import tr
from bundler.upstream_archive.members import list_members, read_members

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bundler.kinds.base import Sources
    from bundler.kinds.runtime.elf import ElfFile
    from bundler.kinds.runtime.entry import WantedRuntime
    from bundler.kinds.runtime.python_archive import PythonLayout
    from bundler.model.progress import Task
    from bundler.net.interface import Received
    from bundler.store.interface import BlobStore, Incoming

# glibc's own, and GCC's, without which glibc ends no thread
_OF_EVERY_HOST = re.compile(r"(?:lib(?:c|m|dl|pthread|rt|util|resolv|gcc_s)|ld-linux[\w-]*)\.so\.\d+")


def pin_python(wanted: WantedRuntime, sources: Sources, task: Task) -> PinnedPython:
    """Download an archive and return what of it a site needs, which is in the store then.

    Raises SourceError, StorageError, IntegrityError (CHECKSUM_MISMATCH), ManifestError (RUNTIME_UNFIT),
    ToolMissingError (an archive compressed with zstd).
    """
    promise = promise_of(wanted.python, sources)

    def use(incoming: Incoming, received: Received, where: str) -> PinnedPython:
        promise.require(incoming, received, where)
        with incoming.open() as file:
            layout = python_layout(list_members(file, where=where), where)
            version = python_version(_read(file, layout.version_header, where), layout, where)
            taken, elves = _take(file, layout, sources.store, where)
        _require_fit(elves, wanted.platform.machine, where)
        pinned = PinnedPython(
            version=version,
            glibc=newest_glibc(elves.values()),
            urls=wanted.python.urls,
            download=Blob(incoming.digest("sha256"), received.size),
            held_to=promise.kept_by(received.via),
            date=taken.date,
            files=taken.files,
        )
        incoming.discard()
        return pinned

    return from_first_good_url(wanted.python.urls, sources, task, use)


def newest_glibc(elves: Iterable[ElfFile]) -> str:
    """Return the newest version of glibc that some files need, `2.17`."""
    return ".".join(map(str, max((elf.glibc for elf in elves), default=())))


def host_libraries(elves: Mapping[str, ElfFile]) -> tuple[str, ...]:
    """Return the libraries that are asked of the host, beside those that every host with glibc has.

    Arguments:
        elves: path below the runtime's directory -> what it asks for; all of them.
    """
    brought = {path.rpartition("/")[2] for path in elves}
    needed = {name for elf in elves.values() for name in elf.needed}
    return tuple(sorted(name for name in needed - brought if not _OF_EVERY_HOST.fullmatch(name)))


def _take(file: BinaryIO, layout: PythonLayout, store: BlobStore, where: str) -> tuple[Taken, Mapping[str, ElfFile]]:
    """Take the program, its modules, and of the archive's shared libraries those that they are linked with."""
    landing = dict(layout.landing)
    taken = Taken((), None)
    elves: dict[str, ElfFile] = {}
    while landing:
        more = take_members(file, landing, store, where)
        dates = [date for date in (taken.date, more.date) if date is not None]
        taken = Taken(in_order((*taken.files, *more.files)), max(dates, default=None))
        elves |= elf_files(more.files, store, where)
        have = {item.path for item in taken.files}
        needed = {name for elf in elves.values() for name in elf.needed if f"lib/{name}" not in have}
        landing = {member: f"lib/{name}" for name in needed if (member := layout.library(name)) is not None}
    return taken, elves


def _require_fit(elves: Mapping[str, ElfFile], machine: str, where: str) -> None:
    """Raise ManifestError (RUNTIME_UNFIT) for a Python of another machine, or one that no wheel fits."""
    program = elves.get(INTERPRETER)
    if program is None or not program.interpreter or not any(elf.glibc for elf in elves.values()):
        raise unfit(tr("is not linked with glibc, as the wheels of its packages are"), where)
    for path, elf in elves.items():
        if elf.machine != MACHINES[machine]:
            raise unfit(tr("is for another machine than {machine}: {path}", machine=machine, path=path), where)


def _read(file: BinaryIO, member: str, where: str) -> bytes:
    file.seek(0)
    [data] = [b"".join(chunks) for _, chunks in read_members(file, [member], where=where)]
    file.seek(0)
    return data
