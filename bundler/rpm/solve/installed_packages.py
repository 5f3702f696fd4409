"""The packages that the target has already, in the pool. See `SolveRequest.installed`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bundler.rpm.solve.package_pool import FullName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.model.rpm.nevra import Nevra
    from bundler.rpm.solve.package_pool import PackagePool

INSTALLED = "installed"


def add_installed(pool: PackagePool, names: Sequence[Nevra]) -> None:
    """Add packages as installed, after the repositories that may know them."""
    known = {name: _listed(pool, name) for name in sorted(set(names))}
    repo = pool.pool.add_repo(INSTALLED)
    data = repo.add_repodata()
    for name, listed in known.items():
        solvable = repo.add_solvable()
        solvable.name, solvable.arch = name.name, name.arch
        solvable.evr = name.evr if listed is None else listed.evr
        if listed is None:
            own = pool.pool.Dep(name.name).Rel(pool.solv.REL_EQ, pool.pool.Dep(name.evr))
            solvable.add_provides(own)
        else:
            _copy(pool, listed, solvable, data)
    data.internalize()
    pool.take_as_installed(repo)


def _listed(pool: PackagePool, name: Nevra) -> Any | None:
    """Return a repository's package of exactly that name; without an epoch, as from `rpm -qa`, any epoch matches."""
    wanted = FullName(name.name, name.epoch, name.version, name.release, name.arch)
    named = {package: pool.full_name(package) for package in pool.named(name.name)}
    exact = [package for package, full in named.items() if full == wanted]
    alike = [package for package, full in named.items() if not name.epoch and full._replace(epoch=0) == wanted]
    return pool.pool.id2solvable(min(exact or alike)) if exact or alike else None


def _copy(pool: PackagePool, listed: Any, solvable: Any, data: Any) -> None:
    solv = pool.solv
    for kind in (
        solv.SOLVABLE_PROVIDES,
        solv.SOLVABLE_REQUIRES,
        solv.SOLVABLE_CONFLICTS,
        solv.SOLVABLE_OBSOLETES,
        solv.SOLVABLE_RECOMMENDS,
        solv.SOLVABLE_SUPPLEMENTS,
    ):
        for dependency in listed.lookup_deparray(kind):
            solvable.add_deparray(kind, dependency)
    every_file = solv.Dataiterator.SEARCH_FILES | solv.Dataiterator.SEARCH_COMPLETE_FILELIST
    for match in listed.Dataiterator(solv.SOLVABLE_FILELIST, None, every_file):
        directory, _, name = match.str.rpartition("/")
        data.add_dirstr(solvable.id, solv.SOLVABLE_FILELIST, data.str2dir(directory or "/"), name)
