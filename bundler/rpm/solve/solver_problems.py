"""Why wishes cannot be met, in dnf's words (libdnf/goal/Goal.cpp), each with the lines of the manifest that ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.rpm.solve.install_jobs import Job
    from bundler.rpm.solve.package_pool import PackagePool
    from bundler.rpm.solve.request import PackageSpec


def problem_words(pool: PackagePool, problem: Any, jobs: Sequence[Job]) -> str:
    """Return one problem: the wishes it is about on the first line, one cause per line below.

    Arguments:
        problem: libsolv's.
        jobs: what was asked, in the order in which libsolv got it.
    """
    wishes = _wishes(pool, problem, jobs)
    causes = [f"  - {cause}" for cause in causes_of(pool, problem)]
    if not wishes:
        return "\n".join(["the installed packages do not go together:", *causes])
    texts = [wishes[0].text, *(f"{wish.text} ({wish.position})" for wish in wishes[1:])]
    together = " together" if len(wishes) > 1 else ""
    return "\n".join([f"{wishes[0].position}: {' and '.join(texts)} cannot be installed{together}:", *causes])


def older_words(pool: PackagePool, problem: Any, jobs: Sequence[Job]) -> str:
    """Return one problem of taking the newest of everything, as a note; the arguments are those of `problem_words`."""
    wishes = _wishes(pool, problem, jobs)
    place = f"{wishes[0].position}: " if wishes else ""
    names = " and ".join(wish.text for wish in wishes)
    causes = "; ".join(causes_of(pool, problem))
    return f"{place}an older version is taken, the newest of {names} cannot be installed: {causes}"


def _wishes(pool: PackagePool, problem: Any, jobs: Sequence[Job]) -> list[PackageSpec]:
    """Return the wishes that have a part in a problem: those whose removal would solve it."""
    kind = pool.solv.Solver
    elements = [element for solution in problem.solutions() for element in solution.elements()]
    asked = {e.jobidx for e in elements if e.type == kind.SOLVER_SOLUTION_JOB}
    return list(dict.fromkeys(jobs[index].wish for index in sorted(asked)))


def causes_of(pool: PackagePool, problem: Any) -> list[str]:
    """Return what a problem of libsolv's comes from, each cause once."""
    infos = (info for rule in problem.findallproblemrules() for info in rule.allinfos())
    return [cause for cause in dict.fromkeys(_cause(pool, info) for info in infos) if cause]


def _cause(pool: PackagePool, info: Any) -> str:
    """Return one cause, or "" for the rule that is the wish itself."""
    kind = pool.solv.Solver
    if info.type in (kind.SOLVER_RULE_JOB, kind.SOLVER_RULE_BEST, kind.SOLVER_RULE_PKG):
        return ""
    package = _package(pool, info.solvable)
    other = _package(pool, info.othersolvable)
    dependency = str(info.dep) if info.dep is not None else ""
    words = {
        kind.SOLVER_RULE_PKG_NOT_INSTALLABLE: f"{package} {_why_not(pool, info.solvable)}",
        kind.SOLVER_RULE_PKG_NOTHING_PROVIDES_DEP: f"nothing provides {dependency} needed by {package}",
        kind.SOLVER_RULE_PKG_SAME_NAME: f"cannot install both {package} and {other}",
        kind.SOLVER_RULE_PKG_CONFLICTS: f"{package} conflicts with {dependency} provided by {other}",
        kind.SOLVER_RULE_PKG_OBSOLETES: f"{package} obsoletes {dependency} provided by {other}",
        kind.SOLVER_RULE_PKG_INSTALLED_OBSOLETES: f"{package} obsoletes {dependency} provided by {other}",
        kind.SOLVER_RULE_PKG_IMPLICIT_OBSOLETES: f"{package} obsoletes {dependency} provided by {other}",
        kind.SOLVER_RULE_PKG_REQUIRES: f"{package} requires {dependency}, but none of the providers can be installed",
        kind.SOLVER_RULE_PKG_SELF_CONFLICT: f"{package} conflicts with {dependency} provided by itself",
        kind.SOLVER_RULE_YUMOBS: f"both {package} and {other} obsolete {dependency}",
        kind.SOLVER_RULE_INFARCH: f"{package} has an inferior architecture",
        kind.SOLVER_RULE_UPDATE: f"{package} cannot be kept or replaced",
        kind.SOLVER_RULE_JOB_NOTHING_PROVIDES_DEP: f"nothing provides {dependency}",
    }
    found: str = words.get(info.type) or info.problemstr()
    return found


def _package(pool: PackagePool, solvable: Any) -> str:
    if solvable is None:
        return ""
    if solvable.repo is None:
        return "the system itself"
    origin = "installed" if solvable.isinstalled() else f"from {solvable.repo.name}"
    return f"{pool.full_name(solvable.id)} {origin}"


def _why_not(pool: PackagePool, solvable: Any) -> str:
    return pool.hidden.get(solvable.id, "does not have a compatible architecture")
