"""Package specs -> install jobs for libsolv, each with the spec that it comes from. Follows dnf/base.py, `install`."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bundler.rpm.solve.nevra_forms import is_glob, is_path
from bundler.rpm.solve.package_search import FoundPackages, find
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bundler.rpm.metadata.comps import Comps, GroupPackage
    from bundler.rpm.solve.package_pool import PackagePool
    from bundler.rpm.solve.request import PackageSpec


@dataclass(frozen=True, slots=True)
class Job:
    """Install one of these packages, or with `capability` one that provides it (a rich dependency)."""

    spec: PackageSpec
    packages: tuple[int, ...] = ()
    capability: str = ""


@dataclass(slots=True)
class SolverJobs:
    """The jobs of all specs; `missing` has a line for each spec that matches nothing."""

    jobs: list[Job] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def install_jobs(pool: PackagePool, comps: Comps, arch: str, specs: Sequence[PackageSpec]) -> SolverJobs:
    """Return the jobs of specs, in their order; `arch` is the target's."""
    result = SolverJobs()
    for spec in specs:
        if spec.text.startswith("@"):
            _add_group(result, pool, comps, arch, spec)
        elif packages := list(_choices(pool, spec.text)):
            result.jobs += [Job(spec, choice) for choice in packages]
        else:
            result.missing.append(f"{spec.position}: {_why_missing(pool, spec.text)}")
    return result


def _choices(pool: PackagePool, text: str) -> Iterator[tuple[int, ...]]:
    """Yield sets of packages of which one each is to be installed: one per name for a glob, else one."""
    found = find(pool, text, pool.is_installable)
    if not found.packages:
        return
    if found.form is not None and found.form.arch:
        yield from _grouped(pool, found, with_arch=True)
    elif is_glob(text) and not is_path(text):
        yield from _grouped(pool, found, with_arch=False)
    else:
        yield _with_obsoleters(pool, found, found.packages)


def _grouped(pool: PackagePool, found: FoundPackages, *, with_arch: bool) -> Iterator[tuple[int, ...]]:
    groups: dict[tuple[str, str], list[int]] = {}
    for package in found.packages:
        name = pool.full_name(package)
        groups.setdefault((name.name, name.arch if with_arch else ""), []).append(package)
    for group in groups.values():
        yield _with_obsoleters(pool, found, group)


def _with_obsoleters(pool: PackagePool, found: FoundPackages, packages: Sequence[int]) -> tuple[int, ...]:
    """Return packages and, where the spec is just a name, their obsoleters."""
    if found.form is None or not found.form.is_just_name:
        return tuple(packages)
    return _united(packages, (p for p in pool.obsoleting(packages) if pool.is_installable(p)))


def _united(*sets: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(set[int]().union(*sets)))


def _add_group(result: SolverJobs, pool: PackagePool, comps: Comps, arch: str, spec: PackageSpec) -> None:
    members = comps.packages(spec.text)
    if members is None:
        near = _near(spec.text.lstrip("@^"), comps.names())
        hint = (
            tr("; did you mean @{near}?", near=near)
            if near
            else tr("; no repository has any group")
            if not comps.names()
            else ""
        )
        if ":" in spec.text:
            hint = tr(
                "; a module stream is enabled by `modules` of its repository, and its packages are named one by one"
            )
        result.missing.append(
            tr(
                "{position}: no group or environment is called {text}{hint}",
                position=spec.position,
                text=spec.text,
                hint=hint,
            )
        )
        return
    for member in members:
        packages = _members(pool, member, arch)
        if packages and member.condition:
            capability = f"({member.name} if {member.condition})"
            if pool.rich_dependency(capability) is None:
                result.notes.append(
                    tr(
                        "{position}: {text} lists {capability}, which cannot be read",
                        position=spec.position,
                        text=spec.text,
                        capability=capability,
                    )
                )
            else:
                result.jobs.append(Job(spec, capability=capability))
        elif packages:
            result.jobs.append(Job(spec, packages))
        elif not member.condition:
            # groups list packages that only other releases and architectures have
            result.notes.append(
                tr(
                    "{position}: {text} lists {name}, which no repository has",
                    position=spec.position,
                    text=spec.text,
                    name=member.name,
                )
            )


def _members(pool: PackagePool, member: GroupPackage, arch: str) -> tuple[int, ...]:
    named = [p for p in pool.named(member.name) if pool.is_installable(p)]
    if member.basearch_only:
        return tuple(p for p in named if pool.full_name(p).arch == arch)
    return _united(named, (p for p in pool.obsoleting(named) if pool.is_installable(p)))


def _why_missing(pool: PackagePool, text: str) -> str:
    """Return why a spec matches no package: the matches are excluded, or a similar name exists."""
    if excluded := find(pool, text, lambda package: not pool.is_installable(package)).packages:
        last = excluded[-1]
        reason = pool.excluded.get(last, tr("is for {arch}", arch=pool.full_name(last).arch))
        return tr(
            "no package fits {text}: {package} of repository {repository} {reason}",
            text=text,
            package=pool.full_name(last),
            repository=pool.repo_id(last),
            reason=reason,
        )
    if is_path(text):
        return tr("no package has the file {text}", text=text)
    near = _near(text, pool.names)
    return tr("no package fits {text}", text=text) + (tr("; did you mean {near!r}?", near=near) if near else "")


def _near(word: str, known: Iterable[str]) -> str:
    names = sorted(known)
    by_case = [name for name in names if name.lower() == word.lower()]
    return next(iter(by_case or difflib.get_close_matches(word, names, n=1)), "")
