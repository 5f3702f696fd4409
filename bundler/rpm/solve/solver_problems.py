"""Texts of solver problems, in dnf's words (libdnf/goal/Goal.cpp), with the lines of the manifest that cause them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.rpm.solve.install_jobs import Job
    from bundler.rpm.solve.package_pool import PackagePool
    from bundler.rpm.solve.request import PackageSpec


def problem_text(pool: PackagePool, problem: Any, jobs: Sequence[Job]) -> str:
    """Return the text of one problem: the specs it is about on the first line, one cause per line below.

    Arguments:
        problem: libsolv's.
        jobs: those given to libsolv, in the same order.
    """
    specs = _specs(pool, problem, jobs)
    causes = [f"  - {cause}" for cause in causes_of(pool, problem)]
    if not specs:
        return "\n".join([tr("the installed packages do not go together:"), *causes])
    texts = [specs[0].text, *(f"{spec.text} ({spec.position})" for spec in specs[1:])]
    together = tr(" together") if len(specs) > 1 else ""
    return "\n".join(
        [
            tr(
                "{position}: {texts} cannot be installed{together}:",
                position=specs[0].position,
                texts=tr(" and ").join(texts),
                together=together,
            ),
            *causes,
        ]
    )


def older_version_text(pool: PackagePool, problem: Any, jobs: Sequence[Job]) -> str:
    """Return the text of a problem of taking the newest versions, as a note; arguments as for `problem_text`."""
    specs = _specs(pool, problem, jobs)
    place = f"{specs[0].position}: " if specs else ""
    names = tr(" and ").join(spec.text for spec in specs)
    causes = "; ".join(causes_of(pool, problem))
    return tr(
        "{place}an older version is taken, the newest of {names} cannot be installed: {causes}",
        place=place,
        names=names,
        causes=causes,
    )


def _specs(pool: PackagePool, problem: Any, jobs: Sequence[Job]) -> list[PackageSpec]:
    """Return the specs that are part of a problem: those whose removal would solve it."""
    kind = pool.solv.Solver
    elements = [element for solution in problem.solutions() for element in solution.elements()]
    involved = {e.jobidx for e in elements if e.type == kind.SOLVER_SOLUTION_JOB}
    return list(dict.fromkeys(jobs[index].spec for index in sorted(involved)))


def causes_of(pool: PackagePool, problem: Any) -> list[str]:
    """Return the causes of one of libsolv's problems, each once."""
    infos = (info for rule in problem.findallproblemrules() for info in rule.allinfos())
    return [cause for cause in dict.fromkeys(_cause(pool, info) for info in infos) if cause]


def _cause(pool: PackagePool, info: Any) -> str:
    """Return one cause, or "" for the rule that is the spec itself."""
    kind = pool.solv.Solver
    if info.type in (kind.SOLVER_RULE_JOB, kind.SOLVER_RULE_BEST, kind.SOLVER_RULE_PKG):
        return ""
    package = _package(pool, info.solvable)
    other = _package(pool, info.othersolvable)
    dependency = str(info.dep) if info.dep is not None else ""
    texts = {
        kind.SOLVER_RULE_PKG_NOT_INSTALLABLE: f"{package} {_why_not(pool, info.solvable)}",
        kind.SOLVER_RULE_PKG_NOTHING_PROVIDES_DEP: tr(
            "nothing provides {dependency} needed by {package}", dependency=dependency, package=package
        ),
        kind.SOLVER_RULE_PKG_SAME_NAME: tr("cannot install both {package} and {other}", package=package, other=other),
        kind.SOLVER_RULE_PKG_CONFLICTS: tr(
            "{package} conflicts with {dependency} provided by {other}",
            package=package,
            dependency=dependency,
            other=other,
        ),
        kind.SOLVER_RULE_PKG_OBSOLETES: tr(
            "{package} obsoletes {dependency} provided by {other}", package=package, dependency=dependency, other=other
        ),
        kind.SOLVER_RULE_PKG_INSTALLED_OBSOLETES: tr(
            "{package} obsoletes {dependency} provided by {other}", package=package, dependency=dependency, other=other
        ),
        kind.SOLVER_RULE_PKG_IMPLICIT_OBSOLETES: tr(
            "{package} obsoletes {dependency} provided by {other}", package=package, dependency=dependency, other=other
        ),
        kind.SOLVER_RULE_PKG_REQUIRES: tr(
            "{package} requires {dependency}, but none of the providers can be installed",
            package=package,
            dependency=dependency,
        ),
        kind.SOLVER_RULE_PKG_SELF_CONFLICT: tr(
            "{package} conflicts with {dependency} provided by itself", package=package, dependency=dependency
        ),
        kind.SOLVER_RULE_YUMOBS: tr(
            "both {package} and {other} obsolete {dependency}", package=package, other=other, dependency=dependency
        ),
        kind.SOLVER_RULE_INFARCH: tr("{package} has an inferior architecture", package=package),
        kind.SOLVER_RULE_UPDATE: tr("{package} cannot be kept or replaced", package=package),
        kind.SOLVER_RULE_JOB_NOTHING_PROVIDES_DEP: tr("nothing provides {dependency}", dependency=dependency),
    }
    found: str = texts.get(info.type) or info.problemstr()
    return found


def _package(pool: PackagePool, solvable: Any) -> str:
    if solvable is None:
        return ""
    if solvable.repo is None:
        return tr("the system itself")
    origin = "installed" if solvable.isinstalled() else tr("from {name}", name=solvable.repo.name)
    return f"{pool.full_name(solvable.id)} {origin}"


def _why_not(pool: PackagePool, solvable: Any) -> str:
    return pool.excluded.get(solvable.id, tr("does not have a compatible architecture"))
