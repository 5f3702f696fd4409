"""The packages of an earlier closure -> the packages that the solver prefers where others would do as well."""

from __future__ import annotations

from functools import cmp_to_key
from typing import TYPE_CHECKING, Any

from bundler.rpm.solve.package_pool import FullName

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from bundler.model.rpm.nevra import Nevra
    from bundler.rpm.solve.package_pool import PackagePool


def favored_packages(pool: PackagePool, kept: Collection[Nevra], names: Iterable[str]) -> tuple[int, ...]:
    """Return packages, each favored over those before it.

    Arguments:
        kept: full names to keep; for one that no longer exists, any package of its name.
        names: packages of which the newest version is wanted, but no other provider.
    """
    wanted = {FullName(nevra.name, nevra.epoch, nevra.version, nevra.release, nevra.arch) for nevra in kept}
    by_name = {nevra.name: _choosable(pool, pool.named(nevra.name)) for nevra in kept}
    exact = {package for packages in by_name.values() for package in packages if pool.full_name(package) in wanted}
    gone = wanted - {pool.full_name(package) for package in exact}
    # a name that is kept in one version or architecture is not free to change in another
    free = {*names, *(name.name for name in gone)} - {pool.full_name(package).name for package in exact}
    moving = [package for name in sorted(free) for package in _oldest_first(pool, name)]
    # the first repository has the lowest ids, and the last favor counts most
    return (*moving, *sorted(exact, reverse=True))


def _choosable(pool: PackagePool, packages: Iterable[int]) -> list[int]:
    return [package for package in packages if pool.is_installable(package) and not pool.is_installed(package)]


def _oldest_first(pool: PackagePool, name: str) -> Iterator[int]:
    """Yield the versions of a package, then its obsoleters; among equals the first repository's last."""
    native = (pool.arch, "noarch")

    def compare(one: Any, other: Any) -> int:
        versions: int = one.evrcmp(other)
        return versions or (one.arch in native) - (other.arch in native) or other.id - one.id

    solvables = [pool.pool.id2solvable(package) for package in _choosable(pool, pool.named(name))]
    ordered = [solvable.id for solvable in sorted(solvables, key=cmp_to_key(compare))]
    yield from ordered
    yield from sorted({*_choosable(pool, pool.obsoleting(ordered[-1:]))} - {*ordered}, reverse=True)
