"""One transaction for all package specs, solved by libsolv with the settings of dnf's solver (libdnf/goal/Goal.cpp).

Owns how our jobs become jobs of libsolv, and the result made of its solution or problems. As dnf does without `best`,
it takes an older version where the newest cannot be installed; unlike dnf it reports that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bundler.errors import ErrorId, ManifestError
from bundler.model.bundle_path import BundlePath
from bundler.model.digest import MAX_SIZE, Digest
from bundler.model.rpm.nevra import Nevra
from bundler.rpm.metadata.xml_document import invalid_metadata
from bundler.rpm.solve.request import ChosenRpm
from bundler.rpm.solve.solver_problems import older_version_text, problem_text
from bundler.translation import tr, tr_plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.rpm.solve.install_jobs import Job
    from bundler.rpm.solve.package_pool import PackagePool


def choose(
    pool: PackagePool, jobs: Sequence[Job], *, favored: Sequence[int] = (), weak_dependencies: bool
) -> tuple[tuple[ChosenRpm, ...], tuple[str, ...]]:
    """Return the packages that satisfy all jobs, sorted, and notes on specs whose newest package cannot be among them.

    Arguments:
        favored: packages that are preferred to others that would do, whatever their version, each to those before it.

    Raises ManifestError (RPM_UNSATISFIABLE), SourceError (a chosen package's metadata are unusable).
    """
    pool.ensure_index()
    # jobs without favored packages are decided first: favored packages follow those where they have to
    keeps = frozenset(favored)
    jobs = sorted(jobs, key=lambda job: not keeps.isdisjoint(job.packages))
    favors = [_favor(pool, package) for package in favored]
    solver = new_solver(pool, weak_dependencies=weak_dependencies)
    # problems refer to jobs by their index, so the specs come first
    if problems := solver.solve([*(_libsolv_job(pool, job) for job in jobs), *favors]):
        texts = [problem_text(pool, problem, jobs) for problem in problems]
        raise ManifestError(
            ErrorId.RPM_UNSATISFIABLE,
            tr_plural(
                "{count} problem keeps the packages from being installed",
                "{count} problems keep the packages from being installed",
                len(texts),
            ),
            remedy=tr(
                "Add the repository that has what is missing, wish for another version, or drop one of the wishes."
            ),
            problems=texts,
        )
    chosen = solver.transaction().newsolvables()
    notes: tuple[str, ...] = ()
    if _takes_older(pool, jobs, chosen):
        best = new_solver(pool, weak_dependencies=weak_dependencies)
        problems = best.solve([_libsolv_job(pool, job, pool.solv.Job.SOLVER_FORCEBEST) for job in jobs])
        notes = tuple(older_version_text(pool, problem, jobs) for problem in problems)
    return tuple(sorted(_chosen(pool, solvable) for solvable in chosen)), notes


def new_solver(pool: PackagePool, *, weak_dependencies: bool) -> Any:
    """Return libsolv's solver with dnf's settings; the pool's index has to be built."""
    solver = pool.pool.Solver()
    kind = pool.solv.Solver
    for flag in (
        kind.SOLVER_FLAG_ALLOW_VENDORCHANGE,
        kind.SOLVER_FLAG_ALLOW_DOWNGRADE,
        kind.SOLVER_FLAG_KEEP_ORPHANS,
        kind.SOLVER_FLAG_BEST_OBEY_POLICY,
        kind.SOLVER_FLAG_YUM_OBSOLETES,
    ):
        solver.set_flag(flag, 1)
    solver.set_flag(kind.SOLVER_FLAG_IGNORE_RECOMMENDED, int(not weak_dependencies))
    return solver


def _libsolv_job(pool: PackagePool, job: Job, flags: int = 0) -> Any:
    kind = pool.solv.Job
    if job.capability:
        capability = pool.rich_dependency(job.capability)
        if capability is None:
            raise ValueError(tr("{capability!r} is no rich dependency", capability=job.capability))
        return pool.pool.Job(kind.SOLVER_INSTALL | kind.SOLVER_SOLVABLE_PROVIDES | flags, capability.id)
    one_of = kind.SOLVER_SOLVABLE_ONE_OF | kind.SOLVER_SETARCH | kind.SOLVER_SETEVR
    return pool.pool.Job(kind.SOLVER_INSTALL | one_of | flags, pool.pool.towhatprovides(list(job.packages)))


def _favor(pool: PackagePool, package: int) -> Any:
    kind = pool.solv.Job
    return pool.pool.Job(kind.SOLVER_FAVOR | kind.SOLVER_SOLVABLE, package)


def _takes_older(pool: PackagePool, jobs: Sequence[Job], chosen: Sequence[Any]) -> bool:
    """Tell whether a newer version of a chosen package would satisfy a job as well."""
    by_id = {solvable.id: solvable for solvable in chosen}
    for job in jobs:
        taken = [by_id[package] for package in job.packages if package in by_id]
        others = [pool.pool.id2solvable(package) for package in job.packages] if taken else []
        if any(other.name == one.name and other.evrcmp(one) > 0 for one in taken for other in others):
            return True
    return False


def _chosen(pool: PackagePool, solvable: Any) -> ChosenRpm:
    solv = pool.solv
    name = pool.full_name(solvable.id)
    where = tr("package {name} of repository {repo_name}", name=name, repo_name=solvable.repo.name)
    location, checksum = solvable.lookup_location()[0], solvable.lookup_checksum(solv.SOLVABLE_CHECKSUM)
    if not location or checksum is None:
        raise invalid_metadata(tr("has no location or no checksum"), where)
    size = solvable.lookup_num(solv.SOLVABLE_DOWNLOADSIZE)
    if size > MAX_SIZE:
        # libsolv reads a negative one so, too
        raise invalid_metadata(tr("has a size that is no count of bytes"), where)
    base = solvable.lookup_str(solv.SOLVABLE_MEDIABASE)
    try:
        nevra, digest = Nevra(*name), Digest(checksum.typestr(), checksum.hex())
        BundlePath(nevra.file_name)
    except ValueError as error:
        raise invalid_metadata(str(error), where) from error
    return ChosenRpm(
        nevra,
        solvable.repo.name,
        f"{base.rstrip('/')}/{location}" if base else location,
        size or None,
        digest,
        solvable.lookup_str(solv.SOLVABLE_SUMMARY) or "",
    )
