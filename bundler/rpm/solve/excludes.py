"""Which packages may not be chosen, and why: other architectures, include and exclude globs, module streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.rpm.solve.arches import ARCHES_WITHOUT_MULTILIB
from bundler.rpm.solve.package_search import find_by_name
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bundler.rpm.solve.package_pool import PackagePool
    from bundler.rpm.solve.request import SolvableRepo


def excluded_by_arch(pool: PackagePool, arch: str) -> Iterator[tuple[int, str]]:
    """Yield the packages that need a system with 32-bit libraries, on an architecture that has such."""
    if (wanted := ARCHES_WITHOUT_MULTILIB.get(arch)) is None:
        return
    for solvable in pool.pool.solvables_iter():
        if solvable.arch not in wanted and solvable.installable() and not solvable.isinstalled():
            yield solvable.id, tr("is for {arch}, which only `multilib: true` takes", arch=solvable.arch)


def excluded_by_globs(pool: PackagePool, repos: Sequence[SolvableRepo]) -> Iterator[tuple[int, str]]:
    """Yield the packages that the repositories' `exclude` and `include` leave out, as in dnf.conf(5)."""
    for repo in repos:
        spec = repo.spec
        if spec.include:
            included = set(_of_repo(pool, spec.id, spec.include))
            everything = (p for packages in pool.names.values() for p in packages if pool.repo_id(p) == spec.id)
            yield from (
                (p, tr("is not among what the repository's `include` names")) for p in everything if p not in included
            )
        for pattern in spec.exclude:
            reason = tr("is left out by the repository's `exclude` of {pattern}", pattern=pattern)
            yield from ((p, reason) for p in _of_repo(pool, spec.id, (pattern,)))


def _of_repo(pool: PackagePool, repo_id: str, patterns: Sequence[str]) -> Iterator[int]:
    for pattern in patterns:
        yield from find_by_name(pool, pattern, lambda package: pool.repo_id(package) == repo_id).packages
