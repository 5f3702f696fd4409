"""Whether a finished repository is closed, that is, can be installed from alone, as dnf's repoclosure checks.

The packages' own headers say what they need. The closure was chosen by the upstream's metadata, which are often
unsigned: with a dependency left out there, the bundle would fail only on the site.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.rpm.solve.choosing import new_solver
from bundler.rpm.solve.package_pool import PackagePool
from bundler.rpm.solve.solver_problems import causes_of

if TYPE_CHECKING:
    from bundler.rpm.solve.request import SolvableRepo


def unmet_dependencies(repo: SolvableRepo, arch: str) -> tuple[str, ...]:
    """Return, as texts, what prevents all packages of a repository from being installed together on an empty system.

    Arguments:
        repo: with primary metadata and file lists.
        arch: the target's, as rpm names it.

    Raises SourceError (REPO_METADATA_INVALID), ToolMissingError.
    """
    pool = PackagePool(arch)
    pool.add(repo)
    pool.add_filelists()
    pool.ensure_index()
    kind = pool.solv.Job
    packages = sorted(package for of_name in pool.names.values() for package in of_name)
    # problems that outlive their solver crash the interpreter
    solver = new_solver(pool, weak_dependencies=False)
    problems = solver.solve(
        [pool.pool.Job(kind.SOLVER_INSTALL | kind.SOLVER_SOLVABLE, package) for package in packages]
    )
    return tuple(dict.fromkeys(cause for problem in problems for cause in causes_of(pool, problem)))
