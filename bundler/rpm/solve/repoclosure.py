"""Whether a finished repository can be installed from alone. Its packages' own headers say what they need.

What a closure is chosen by is the upstream's metadata, which often nobody has signed: a repository that leaves out a
dependency there would make a bundle that fails on the site only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.rpm.solve.choosing import new_solver
from bundler.rpm.solve.package_pool import PackagePool
from bundler.rpm.solve.solver_problems import causes_of

if TYPE_CHECKING:
    from bundler.rpm.solve.request import SolvableRepo


def open_dependencies(repo: SolvableRepo, arch: str) -> tuple[str, ...]:
    """Return in words what keeps all packages of a repository from being installed together on an empty system.

    Arguments:
        repo: with primary metadata and file lists. arch: the target's, as rpm names it.

    Raises SourceError (REPO_METADATA_INVALID), ToolMissingError.
    """
    pool = PackagePool(arch)
    pool.add(repo)
    pool.add_filelists()
    pool.see_to_index()
    kind = pool.solv.Job
    packages = sorted(package for of_name in pool.names.values() for package in of_name)
    # problems of a solver that is no more crash the interpreter
    solver = new_solver(pool, weak_dependencies=False)
    problems = solver.solve(
        [pool.pool.Job(kind.SOLVER_INSTALL | kind.SOLVER_SOLVABLE, package) for package in packages]
    )
    return tuple(dict.fromkeys(cause for problem in problems for cause in causes_of(pool, problem)))
