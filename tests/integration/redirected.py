"""Plays the other user who owns a directory that root works in: redirected.py WORK STRIDE DIRECTORY.

For every STRIDE-th operation on files that the work (a name in `WORKS`) does, the other user puts links to a directory
of root, or to files in it, in place of his own just before that operation; what then changed in root's directory is
printed, and at last `done` with the number of operations. An audit hook of this interpreter tells when an operation
begins. A process of its own, because such a hook stays for ever; runs as root.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.archive.bundle_removal import remove_bundle
from bundler.archive.bundle_root import opened_root
from bundler.archive.unpack_beside import unpack_beside
from bundler.errors import BundlerError
from bundler.host.local_host import LocalHost
from bundler.model.digest import Blob
from bundler.model.progress import Unwatched
from bundler.model.subset import ALL, Choice
from bundler.partial_file import write_durably
from bundler.source.open_source import open_source
from bundler.store.blobs import Store
from mirror.supervisor.access_file import open_access_log
from tests.sources import unpack

if TYPE_CHECKING:
    from collections.abc import Callable

OTHER_USER = 54_321
ARCHIVE = "demo.tar.gz"
OPERATIONS = (
    "open",
    "os.mkdir",
    "os.rename",
    "os.remove",
    "os.rmdir",
    "os.chmod",
    "os.chown",
    "os.truncate",
    "os.utime",
)


def _unpack(theirs: Path) -> None:
    unpack(theirs.parent / ARCHIVE, theirs / "a/b", Unwatched())


def _beside(theirs: Path) -> None:
    for choice, activate in ((Choice(only=("kubeedge/*",)), True), (ALL, False)):
        with open_source(str(theirs.parent / ARCHIVE)) as reader:
            name = unpack_beside(reader, theirs, Unwatched(), activate=activate, choice=choice).directory.name
    with opened_root(theirs) as root:
        root.activate(name)
        remove_bundle(root, name, deactivate=True)


def _write(theirs: Path) -> None:
    host = LocalHost()
    host.write(str(theirs / "a/b/unit"), b"[Unit]")
    host.write(str(theirs / "a/b/unit"), b"[Unit]\n")
    host.remove(str(theirs / "a/b/unit"))


def _replace(theirs: Path) -> None:
    (theirs / "a").mkdir(exist_ok=True)
    write_durably(theirs / "a/lock.json", b"{}", mode=0o600)
    write_durably(theirs / "a/lock.json", b"{}\n")


def _store(theirs: Path) -> None:
    store = Store(theirs / "a")
    with store.in_use():
        with store.incoming("name") as incoming:
            incoming.restart('"1"')
            incoming.write(b"content")
            incoming.commit()
        store.put(b"made here")
        store.drop(Blob.of(b"made here"))


def _log(theirs: Path) -> None:
    (theirs / "a").mkdir()
    log = open_access_log(theirs / "a/access.log")
    if log is not None:
        os.write(log, b"a line\n")
        os.close(log)


WORKS: dict[str, Callable[[Path], None]] = {
    "unpack": _unpack,
    "beside": _beside,
    "write": _write,
    "replace": _replace,
    "store": _store,
    "log": _log,
}
# what the work calls its directories, and names of files that it may use
DIRECTORIES = ("a/b/kubeedge/crds", "a/b/kubeedge", "a/b/yum", "a/b", "a/partial", "a/sha256", "a/witness", "a")
FILES = (
    *("access.log", "lock", "lock.json", ".lock.json.partial", "unit", ".unit.partial", "name", "name.lock"),
    *(".bundles.json", "..bundles.json.partial", ".current.partial", ".subset.json.partial"),
)


def _foreign(directory: Path) -> None:
    """Make a directory of root, in which everything has a name that the work uses."""
    for below in ("", "b", "kubeedge", "yum", "partial", "sha256"):
        (directory / below).mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in FILES:
            (directory / below / name).write_bytes(b"secret")
            (directory / below / name).chmod(0o600)


def _seen(directory: Path) -> dict[str, tuple[object, ...]]:
    found: dict[str, tuple[object, ...]] = {}
    for path in (directory, *directory.rglob("*")):
        status = path.lstat()
        content = path.read_bytes() if path.is_file() else b""
        found[str(path)] = (status.st_mode, status.st_uid, status.st_mtime_ns, content)
    return found


def _redirect(theirs: Path, foreign: Path) -> None:
    """Put links to the foreign directory, or to its files, in place of everything that the other user may replace."""
    below = (path for path in theirs.iterdir() if path.is_dir())
    for number, path in enumerate([*(theirs / name for name in DIRECTORIES), *below]):
        if path.is_symlink() or (path.parent != theirs and path.parent.is_symlink()) or not path.exists():
            continue
        path.rename(theirs / f"away-{number}")
        path.symlink_to(foreign)
        os.lchown(path, OTHER_USER, OTHER_USER)


def _redirect_files(theirs: Path, foreign: Path) -> None:
    """Link every name that the work could use to a foreign file, half of them by hard links."""
    for directory in (path for path in (theirs, *theirs.rglob("*")) if path.is_dir()):
        for number, name in enumerate(FILES):
            path = directory / name
            if not os.path.lexists(path):
                if number % 2:
                    path.symlink_to(foreign / name)
                    os.lchown(path, OTHER_USER, OTHER_USER)
                else:
                    os.link(foreign / name, path)


def played(work: Callable[[Path], None], number: int, directory: Path, redirect: Callable[[Path, Path], None]) -> bool:
    """Do the work in a child with the links put in before that operation; False when it had fewer."""
    theirs = directory / "theirs"
    child = os.fork()
    if child == 0:
        left = number

        def count(event: str, _: tuple[object, ...]) -> None:
            nonlocal left
            if event in OPERATIONS:
                left -= 1
                if left == 0:
                    redirect(theirs, directory / "foreign")

        sys.addaudithook(count)
        with suppress(BundlerError):
            work(theirs)
        os._exit(int(left > 0))
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code not in (0, 1):
        sys.exit("the work itself failed")
    return code == 0


def main(name: str, stride: int, directory: Path) -> None:
    """Run it for both kinds of links."""
    for redirect in (_redirect, _redirect_files):
        for number in range(1, 10_000, stride):
            here = directory / f"{redirect.__name__}-{number}"
            (here / "theirs").mkdir(parents=True)
            (here / ARCHIVE).hardlink_to(directory / ARCHIVE)
            os.chown(here / "theirs", OTHER_USER, OTHER_USER)
            _foreign(here / "foreign")
            before = _seen(here / "foreign")
            going_on = played(WORKS[name], number, here, redirect)
            after = _seen(here / "foreign")
            for path in sorted(before.keys() | after.keys()):
                if before.get(path) != after.get(path):
                    sys.stdout.write(f"{redirect.__name__} {number}: {path}: {before.get(path)} {after.get(path)}\n")
            if not going_on:
                break
        sys.stdout.write(f"done {number}\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
