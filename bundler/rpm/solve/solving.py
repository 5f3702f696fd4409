"""Package specs and repositories -> the closed set of packages that dnf would install, or why there is none.

Owns the order of the steps: load, exclude, interpret the specs, load more if that matters, choose (`choosing`). Equal
input gives an equal result; of equal packages in several repositories the first repository's counts, after priority
and cost. Refuses to fetch: the metadata are handed in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.errors import ErrorId, ManifestError
from bundler.rpm.metadata.comps import merge_comps, read_comps
from bundler.rpm.metadata.modulemd import ModuleIndex, read_modules
from bundler.rpm.metadata.repomd import GROUP, MODULES
from bundler.rpm.solve.choosing import choose
from bundler.rpm.solve.excludes import excluded_by_arch, excluded_by_globs
from bundler.rpm.solve.favored_packages import favored_packages
from bundler.rpm.solve.file_dependencies import in_primary, may_reach
from bundler.rpm.solve.install_jobs import SolverJobs, install_jobs
from bundler.rpm.solve.installed_packages import add_installed
from bundler.rpm.solve.module_streams import active_streams, enabled_streams, excluded_by_modules
from bundler.rpm.solve.nevra_forms import is_path
from bundler.rpm.solve.package_pool import PackagePool
from bundler.rpm.solve.request import Solution, SolvableRepo, SolveRequest
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bundler.rpm.metadata.comps import Comps
    from bundler.rpm.metadata.modulemd import DocumentReader


def solve(repos: Sequence[SolvableRepo], request: SolveRequest, *, read_documents: DocumentReader) -> Solution:
    """Choose the packages that satisfy all specs together, with everything they need that the target does not have.

    Arguments:
        repos: where to choose from; of equal packages the earlier repository's is taken.
        read_documents: reads YAML documents (`bundler.manifest.yaml_documents`); for module metadata.

    Raises ManifestError with one problem per spec, as text: RPM_NOT_FOUND, RPM_STREAM_NOT_FOUND, RPM_UNSATISFIABLE;
    SourceError (REPO_METADATA_INVALID), ToolMissingError.
    """
    pool = PackagePool(request.arch)
    paths = _load(pool, repos, request)
    pool.exclude(_excluded(pool, repos, request, read_documents))
    comps = _comps(repos, request)
    jobs = _jobs(pool, comps, request)
    if paths and may_reach(pool, _roots(pool, jobs), paths):
        pool.add_filelists()
        jobs = _jobs(pool, comps, request)
    favored = favored_packages(pool, request.favored, request.favored_names)
    chosen, notes = choose(pool, jobs.jobs, favored=favored, weak_dependencies=request.weak_dependencies)
    return Solution(chosen, (*jobs.notes, *notes))


def _load(pool: PackagePool, repos: Sequence[SolvableRepo], request: SolveRequest) -> tuple[str, ...]:
    """Load everything except file lists that may not be needed; return the paths that only those would resolve."""
    for repo in repos:
        pool.add(repo)
    installed = request.installed
    if isinstance(installed, SolvableRepo):
        pool.add(installed, installed=True)
    paths = tuple(path for path in pool.build_index() if not in_primary(path))
    by_path = any(is_path(spec.text) and not in_primary(spec.text) for spec in request.packages)
    # with installed packages or weak dependencies such a path may matter to more than what the specs require
    loads = by_path or (bool(paths) and (installed is not None or request.weak_dependencies))
    if loads:
        pool.add_filelists()
    if isinstance(installed, tuple) and installed:
        add_installed(pool, installed)
    return () if loads else paths


def _excluded(
    pool: PackagePool, repos: Sequence[SolvableRepo], request: SolveRequest, read_documents: DocumentReader
) -> dict[int, str]:
    excluded = {} if request.multilib else dict(excluded_by_arch(pool, request.arch))
    excluded |= dict(excluded_by_globs(pool, repos))
    indexes = []
    for repo in repos:
        if (stream := repo.open(MODULES)) is not None:
            with stream:
                indexes.append(read_modules(stream, read_documents, tr("modules of repository {id}", id=repo.spec.id)))
    index = ModuleIndex(
        tuple(build for one in indexes for build in one.streams),
        tuple(default for one in indexes for default in one.defaults),
    )
    wanted = [
        (name, ": ".join(filter(None, (repo.where, tr("repository {id}", id=repo.spec.id)))))
        for repo in repos
        for name in repo.spec.modules
    ]
    active = active_streams(index, enabled_streams(index, wanted), request.arch)
    if index.streams:
        excluded |= {p: why for p, why in excluded_by_modules(pool, index, active).items() if not pool.is_installed(p)}
    return excluded


def _comps(repos: Sequence[SolvableRepo], request: SolveRequest) -> Comps:
    return merge_comps(_read_comps(repos) if any(spec.text.startswith("@") for spec in request.packages) else ())


def _read_comps(repos: Sequence[SolvableRepo]) -> Iterator[Comps]:
    for repo in repos:
        if (stream := repo.open(GROUP)) is not None:
            with stream:
                yield read_comps(stream, tr("groups of repository {id}", id=repo.spec.id))


def _jobs(pool: PackagePool, comps: Comps, request: SolveRequest) -> SolverJobs:
    jobs = install_jobs(pool, comps, request.arch, request.packages)
    if jobs.missing:
        raise ManifestError(
            ErrorId.RPM_NOT_FOUND,
            tr(
                "{count} of {request_packages} wishes for packages mean nothing in these repositories",
                count=len(jobs.missing),
                request_packages=len(request.packages),
            ),
            remedy=tr("Correct the names, or add the repository that has the packages."),
            problems=jobs.missing,
        )
    return jobs


def _roots(pool: PackagePool, jobs: SolverJobs) -> Iterator[int]:
    for job in jobs.jobs:
        yield from job.packages
        yield from pool.named(job.capability.strip("()").partition(" ")[0])
