"""Which module streams are active, and which packages that excludes. libdnf/module/ModulePackageContainer.cpp.

A stream is active when it is enabled, when it is its module's default and no other one is enabled, or when an active
one needs it; never two of one module. The target's platform is unknown here: needs of `platform` count as met.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bundler.errors import ErrorId, ManifestError
from bundler.model.scope import did_you_mean
from bundler.rpm.solve.package_pool import load_libsolv
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bundler.rpm.metadata.modulemd import ModuleIndex, ModuleStream
    from bundler.rpm.solve.package_pool import PackagePool

PLATFORM = "platform"


def enabled_streams(index: ModuleIndex, wanted: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return module -> stream of what is wanted, checked.

    Arguments:
        wanted: (`name:stream`, position in the manifest) of all repositories.

    Raises ManifestError: RPM_STREAM_NOT_FOUND, or RPM_UNSATISFIABLE for two streams of one module.
    """
    enabled: dict[str, str] = {}
    missing, twice = [], []
    for text, where in wanted:
        module, _, stream = text.partition(":")
        if stream not in (known := index.streams_of(module)):
            missing.append(f"{where}: {_what_there_is(index, module, stream, known)}")
        elif enabled.setdefault(module, stream) != stream:
            twice.append(
                tr(
                    "{where}: of the module {module} both {enabled} and {stream} are enabled",
                    where=where,
                    module=module,
                    enabled=enabled[module],
                    stream=stream,
                )
            )
    if missing:
        raise _error(ErrorId.RPM_STREAM_NOT_FOUND, missing, tr("Name a stream that is listed there, as NAME:STREAM."))
    if twice:
        raise _error(ErrorId.RPM_UNSATISFIABLE, twice, tr("Enable one stream of each module."))
    return enabled


def _what_there_is(index: ModuleIndex, module: str, stream: str, known: Sequence[str]) -> str:
    if known:
        what = tr("has no stream {stream!r}", stream=stream) if stream else tr("is named without a stream")
        return tr("the module {module} {what}; there are {known}", module=module, what=what, known=", ".join(known))
    modules = sorted({build.module for build in index.streams})
    return tr("there is no module {module}", module=module) + (
        did_you_mean(module, modules) if modules else tr("; no repository has any")
    )


def active_streams(index: ModuleIndex, enabled: Mapping[str, str], arch: str) -> tuple[ModuleStream, ...]:
    """Return all builds of the active streams; ManifestError (RPM_UNSATISFIABLE) when the enabled ones contradict."""
    defaults = {name: stream for name, stream in index.default_streams().items() if name not in enabled}
    if not (enabled or defaults):
        return ()
    solv = load_libsolv()
    pool = _module_pool(solv, index, arch)
    # first with all defaults required; if that fails, without those that cannot be active
    for of_defaults in (0, solv.Job.SOLVER_WEAK):
        jobs = [_job(solv, pool, f"{module}:{stream}", 0) for module, stream in sorted(enabled.items())]
        jobs += [_job(solv, pool, f"{module}:{stream}", of_defaults) for module, stream in sorted(defaults.items())]
        solver = pool.Solver()
        problems = solver.solve(jobs)
        if not problems:
            chosen = {solvable.name for solvable in solver.transaction().newsolvables()}
            return tuple(build for build in index.streams if _solvable_name(build) in chosen)
    texts = [
        info.problemstr() for problem in problems for rule in problem.findallproblemrules() for info in rule.allinfos()
    ]
    raise _error(
        ErrorId.RPM_UNSATISFIABLE,
        [tr("the enabled module streams do not go together: {texts}", texts="; ".join(dict.fromkeys(texts)))],
        tr("Enable streams that need the same streams of other modules."),
    )


def _solvable_name(build: ModuleStream) -> str:
    return f"{build.module}:{build.stream}:{build.context}"


def _module_pool(solv: Any, index: ModuleIndex, arch: str) -> Any:
    pool = solv.Pool()
    pool.setdisttype(solv.Pool.DISTTYPE_RPM)
    pool.setarch(arch)
    repo = pool.add_repo("modules")
    for build in index.streams:
        solvable = repo.add_solvable()
        solvable.name, solvable.evr, solvable.arch = _solvable_name(build), str(build.version), build.arch
        solvable.add_provides(pool.Dep(f"module({build.module})"))
        solvable.add_provides(pool.Dep(f"module({build.name})"))
        for other in index.streams_of(build.module):
            if other != build.stream:
                solvable.add_conflicts(pool.Dep(f"module({build.module}:{other})"))
        for need in build.needs:
            if need.module == PLATFORM:
                continue
            for stream in need.refused:
                solvable.add_conflicts(pool.Dep(f"module({need.module}:{stream})"))
            solvable.add_requires(_any_stream(pool, need.module, need.streams))
    pool.createwhatprovides()
    return pool


def _any_stream(pool: Any, module: str, streams: Sequence[str]) -> Any:
    names = [f"module({module}:{stream})" for stream in streams] or [f"module({module})"]
    return pool.Dep(names[0]) if len(names) == 1 else pool.parserpmrichdep(f"({' or '.join(names)})")


def _job(solv: Any, pool: Any, name: str, flags: int) -> Any:
    kind = solv.Job
    how = kind.SOLVER_INSTALL | kind.SOLVER_SOLVABLE_PROVIDES | kind.SOLVER_FORCEBEST | flags
    return pool.Job(how, pool.Dep(f"module({name})").id)


def excluded_by_modules(pool: PackagePool, index: ModuleIndex, active: Sequence[ModuleStream]) -> dict[int, str]:
    """Return the packages that may not be chosen, each with the reason, the rest of a sentence after its name.

    Those of streams that are not active; and those of no stream which have, or provide, the name of a package of an
    active one (libdnf/dnf-sack.cpp, `setModuleExcludes`).
    """
    active_names = set(map(_solvable_name, active))
    kept = {artifact for build in active for artifact in build.artifacts}
    inactive = {
        artifact: build.name
        for build in index.streams
        if _solvable_name(build) not in active_names
        for artifact in build.artifacts
    }
    names = {artifact.rsplit("-", 2)[0]: build.name for build in active for artifact in build.artifacts}
    packages = {p: pool.full_name(p).with_epoch for of_name in pool.names.values() for p in of_name}
    excluded = {
        package: tr("is of the module stream {inactive}, which is not enabled", inactive=inactive[full_name])
        for package, full_name in packages.items()
        if full_name in inactive and full_name not in kept
    }
    for name, stream in sorted(names.items()):
        for package in (*pool.named(name), *pool.providing_name(name)):
            if packages.get(package, "") not in kept:
                excluded.setdefault(package, tr("gives way to the module stream {stream}", stream=stream))
    return excluded


def _error(id: ErrorId, problems: Sequence[str], remedy: str) -> ManifestError:  # noqa: A002 - the field's name
    return ManifestError(id, tr("the module streams cannot be enabled"), remedy=remedy, problems=problems)
