"""Read what lies below the mirror's root into a `Site`: which bundles there are, which one is current, what is shared.

Owns the checks at the start and at every reload. Trusts nothing below the root: no link but `current` is followed, and
that one only to a directory of the root itself.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.archive.open_beneath import open_directory
from bundler.errors import BundleFormatError, ErrorId, IntegrityError, ServeError
from bundler.model.bundle import INDEX_PATH
from mirror.tree.bundle_loading import load_bundle
from mirror.tree.packed import Packed
from mirror.tree.served import File
from mirror.tree.served_bundle import ServedBundle
from mirror.tree.site import Site, is_reserved
from mirror.tree.site_packing import SITE, SitePacking

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bundler.model.progress import Task
    from mirror.tree.shares import Share
    from mirror.tree.site_packing import SitePart

CURRENT = "current"
_READABLE = "Let the user that the mirror runs as read it (chmod o+rx), or choose another with --user."


@dataclass(frozen=True, slots=True)
class Root:
    """The directory that is served.

    Arguments:
        descriptor: open for the life of the mirror, so that neither privileges nor renames above it matter later.
        name: its absolute path, for messages and for what `current` may say.
    """

    descriptor: int
    name: str


def load_site(
    root: Root, shares: Sequence[Share], *, verify: Task | None = None, parts: Sequence[SitePart] = ()
) -> Site:
    """Look at everything below the root and return what can be served; `pack_site` and `open_site` in one process."""
    descriptor = pack_site(root, verify=verify, parts=parts)
    try:
        return open_site(descriptor, root, shares)
    finally:
        os.close(descriptor)


def pack_site(root: Root, *, verify: Task | None = None, parts: Sequence[SitePart] = ()) -> int:
    """Look at everything below the root, and return the descriptor of a file with what can be served.

    Arguments:
        verify: when given, the digest of every listed file is compared, and the task advanced by the bytes read.
        parts: what else is to be in the file.

    Raises ServeError (SERVE_ROOT_UNUSABLE) and, when the root itself is a bundle that cannot be read, BundleFormatError
    or IntegrityError. A bundle one level below that cannot be read is left out and named in `Site.problems`.
    """
    packing = SitePacking(parts)
    if _is_bundle(root):
        try:
            packing.add(load_bundle(root.descriptor, "", root.name, verify))
        except OSError as error:
            raise _unusable(root, f"the bundle in it cannot be read: {error.strerror}") from error
        return packing.finish("", ())
    problems: list[str] = []
    good: set[str] = set()
    for directory in _bundle_directories(root):
        try:
            packing.add(load_bundle(root.descriptor, directory, f"{root.name}/{directory}", verify))
            good.add(directory)
        except (BundleFormatError, IntegrityError, OSError) as error:
            problems.append(f"{directory} is left out: {error}")
    target, current = _current_directory(root)
    if target and current not in good:
        problems.append(f"nothing is current: {CURRENT} leads to {target!r}, which is no bundle of {root.name}")
    return packing.finish(current, problems)


def open_site(descriptor: int, root: Root, shares: Sequence[Share]) -> Site:
    """Return what a packed file says that can be served, which may be nothing.

    Arguments:
        descriptor: what `pack_site` returned, perhaps in another process.
        shares: added as they are; a share at "" means that the root holds no bundle.

    Raises ServeError (SERVE_PATH_TAKEN).
    """
    packed = Packed(descriptor)
    count, current, problems, warnings = packed.value(SITE)
    bundles = tuple(ServedBundle(packed, number, root.descriptor) for number in range(count))
    site = Site(
        bundles=bundles,
        current=None if current is None else bundles[current],
        shares=tuple(sorted(shares, key=lambda share: -len(share.path))),
        problems=problems,
        warnings=warnings,
        packed=packed,
    )
    _refuse_taken_paths(site)
    return site


def require_something_to_serve(site: Site, root: Root) -> None:
    """Refuse to begin with nothing: a wrong `--root` ends it at the start. A reload may find the last bundle removed.

    Raises ServeError (SERVE_ROOT_UNUSABLE) when there is neither a bundle nor a share.
    """
    if not site.bundles and not site.shares:
        why = "".join(f"; {problem}" for problem in site.problems)
        raise ServeError(
            ErrorId.SERVE_ROOT_UNUSABLE,
            f"it holds no bundle that can be served{why}",
            where=root.name,
            remedy="Name the directory that the bundle was unpacked into and let the mirror's user read it, or serve "
            "one without a bundle with --all-files.",
        )


def _unusable(root: Root, what: str) -> ServeError:
    return ServeError(ErrorId.SERVE_ROOT_UNUSABLE, what, where=root.name, remedy=_READABLE)


def _is_bundle(root: Root) -> bool:
    try:
        return stat.S_ISREG(os.stat(INDEX_PATH, dir_fd=root.descriptor, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False
    except OSError as error:
        # it was opened as root, perhaps, and is closed to the user that this process has become
        raise _unusable(root, f"the directory cannot be entered: {error.strerror}") from error


def _holds_bundle(root: Root, directory: str) -> bool:
    try:
        path = f"{directory}/{INDEX_PATH}"
        return stat.S_ISREG(os.stat(path, dir_fd=root.descriptor, follow_symlinks=False).st_mode)
    except OSError:
        return False


def _bundle_directories(root: Root) -> list[str]:
    try:
        # opened anew: a descriptor that all workers have inherited has one place in the list for all of them (fork(2))
        listed = open_directory(root.descriptor, ".")
        try:
            with os.scandir(listed) as entries:
                names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        finally:
            os.close(listed)
    except OSError as error:
        raise _unusable(root, f"the directory cannot be listed: {error.strerror}") from error
    # a name that is no UTF-8, or that no URL should hold, is nobody's bundle
    return sorted(name for name in names if name.isprintable() and _holds_bundle(root, name))


def _current_directory(root: Root) -> tuple[str, str | None]:
    """Return what the link `current` says, and the name when that is one of the root's own directories."""
    try:
        target = os.readlink(CURRENT, dir_fd=root.descriptor)
    except OSError:
        return "", None
    parent, name = os.path.split(target.rstrip("/"))
    return target, name if _is_root(root, parent) else None


def _is_root(root: Root, parent: str) -> bool:
    if parent in ("", ".", root.name):
        return True
    # the root may have several names; one that this user may not look up is none of them
    try:
        return os.path.samestat(os.stat(parent, dir_fd=root.descriptor), os.fstat(root.descriptor))
    except OSError:
        return False


def _refuse_taken_paths(site: Site) -> None:
    paths = [share.path for share in site.shares]
    for path in paths:
        if not path and site.bundles:
            raise _taken("--all-files", "the root holds a bundle, and all else in it would be published beside it")
        if path and (is_reserved(path.partition("/")[0]) or any(_hides(bundle, path) for bundle in site.bundles)):
            raise _taken(f"--share /{path}", "the mirror serves something else at this path already")
        if paths.count(path) > 1:
            raise _taken(f"--share /{path}", "two directories are to be shared at this path")


def _hides(bundle: ServedBundle, path: str) -> bool:
    """Tell whether a share at this path would hide a path of the bundle, or lie below one of its files."""
    return bundle.find(path, path) is not None or any(
        isinstance(bundle.find(above, above), File) for above in _parents(path)
    )


def _parents(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _taken(where: str, what: str) -> ServeError:
    return ServeError(ErrorId.SERVE_PATH_TAKEN, what, where=where, remedy="Choose another path, or leave it out.")
