"""Read what lies below the mirror's root into a `Site`: which bundles there are, which one is current, what is shared.

Owns the checks at the start and at every reload. Trusts nothing below the root: which bundles there are, and which one
is current, `BundleRoot` tells, which follows no link but `current`.
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from bundler.archive.bundle_root import CURRENT, ITSELF
from bundler.errors import BundleFormatError, ErrorId, IntegrityError, ServeError
from bundler.translation import tr
from bundler.trust.admission import ANYTHING
from mirror.tree.bundle_loading import load_bundle
from mirror.tree.packed import Packed
from mirror.tree.served import File
from mirror.tree.served_bundle import ServedBundle
from mirror.tree.site import Site, is_reserved
from mirror.tree.site_packing import SITE, SitePacking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bundler.archive.bundle_root import BundleRoot
    from bundler.model.progress import Task
    from bundler.trust.admission import Admission
    from mirror.tree.bundle_loading import LoadedBundle
    from mirror.tree.shares import Share
    from mirror.tree.site_packing import SitePart

_READABLE = tr("Let the user that the mirror runs as read it (chmod o+rx), or choose another with --user.")


def load_site(
    root: BundleRoot,
    shares: Sequence[Share],
    *,
    verify: Task | None = None,
    parts: Sequence[SitePart] = (),
    admission: Admission = ANYTHING,
) -> Site:
    """Look at everything below the root and return what can be served; `pack_site` and `open_site` in one process."""
    descriptor = pack_site(root, verify=verify, parts=parts, admission=admission)
    try:
        return open_site(descriptor, root, shares)
    finally:
        os.close(descriptor)


def pack_site(
    root: BundleRoot,
    *,
    verify: Task | None = None,
    parts: Sequence[SitePart] = (),
    admission: Admission = ANYTHING,
) -> int:
    """Look at everything below the root, and return the descriptor of a file with what can be served.

    Arguments:
        verify: when given, the digest of every listed file is compared, and the task advanced by the bytes read.
        parts: what else is to be in the file.
        admission: whose signatures each bundle needs.

    Raises ServeError (SERVE_ROOT_UNUSABLE) and, when the root is itself the current bundle and cannot be read,
    BundleFormatError or IntegrityError. Another bundle that cannot be read is left out and named in `Site.problems`.
    """
    try:
        directories, current = root.directories(), root.current()
    except OSError as error:
        # it was opened as root, perhaps, and is closed to the user that this process has become
        raise _unusable(root, tr("the directory cannot be read: {reason}", reason=error.strerror)) from error
    packing = SitePacking(parts)
    load = partial(load_bundle, root.descriptor, verify=verify, admission=admission)
    problems = [problem for name in directories if (problem := _add(packing, root, name, current, load))]
    if directories and root.current_is_taken:
        problems.append(tr("{current} is no link, and makes nothing current: move it away", current=CURRENT))
    if (target := root.target()) and not packing.has(_place(current)):
        problems.append(_leads_nowhere(root, target))
    return packing.finish(_place(current), problems)


def _add(
    packing: SitePacking, root: BundleRoot, name: str, current: str | None, load: Callable[[str, str], LoadedBundle]
) -> str:
    """Add a bundle, or return why it is left out."""
    try:
        packing.add(load(_place(name) or "", str(root.path / name)))
    except (BundleFormatError, IntegrityError, OSError) as error:
        if name != ITSELF or current != ITSELF:
            return tr("{path} is left out: {error}", path=root.path if name == ITSELF else name, error=error)
        if isinstance(error, OSError):
            raise _unusable(root, tr("the bundle in it cannot be read: {reason}", reason=error.strerror)) from error
        raise
    return ""


def _leads_nowhere(root: BundleRoot, target: str) -> str:
    if root.target_is_closed():
        text = tr(
            "nothing is current: {current} leads to {target!r}, which cannot be read by this user.",
            current=CURRENT,
            target=target,
        )
        return f"{text} {_READABLE}"
    return tr(
        "nothing is current: {current} leads to {target!r}, which is no bundle of {path}",
        current=CURRENT,
        target=target,
        path=root.path,
    )


def _place(name: str | None) -> str | None:
    """Return the directory of a bundle by its name in a root: "" for the root itself."""
    return "" if name == ITSELF else name


def open_site(descriptor: int, root: BundleRoot, shares: Sequence[Share]) -> Site:
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


def require_something_to_serve(site: Site, root: BundleRoot) -> None:
    """Refuse to begin with nothing: a wrong `--root` ends it at the start. A reload may find the last bundle removed.

    Raises ServeError (SERVE_ROOT_UNUSABLE) when there is neither a bundle nor a share.
    """
    if not site.bundles and not site.shares:
        why = "".join(f"; {problem}" for problem in site.problems)
        raise ServeError(
            ErrorId.SERVE_ROOT_UNUSABLE,
            tr("it holds no bundle that can be served{why}", why=why),
            where=str(root.path),
            remedy=tr(
                "Name the directory that the bundle was unpacked into and let the mirror's user read it, or serve "
                "one without a bundle with --all-files."
            ),
        )


def _unusable(root: BundleRoot, what: str) -> ServeError:
    return ServeError(ErrorId.SERVE_ROOT_UNUSABLE, what, where=str(root.path), remedy=_READABLE)


def _refuse_taken_paths(site: Site) -> None:
    paths = [share.path for share in site.shares]
    for path in paths:
        if not path and site.bundles:
            raise _taken("--all-files", tr("the root holds a bundle, and all else in it would be published beside it"))
        if path and (is_reserved(path.partition("/")[0]) or any(_hides(bundle, path) for bundle in site.bundles)):
            raise _taken(f"--share /{path}", tr("the mirror serves something else at this path already"))
        if paths.count(path) > 1:
            raise _taken(f"--share /{path}", tr("two directories are to be shared at this path"))


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
    return ServeError(ErrorId.SERVE_PATH_TAKEN, what, where=where, remedy=tr("Choose another path, or leave it out."))
