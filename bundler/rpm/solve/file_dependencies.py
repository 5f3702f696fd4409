"""Whether the full file lists can change the closure. They are ten times as large as all other metadata.

Primary metadata list the files that packages usually depend on (createrepo_c, src/misc.c, `cr_is_primary`). Without the
rest the closure is the same as long as no package that could be part of it depends on any other file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bundler.rpm.solve.package_pool import PackagePool


def in_primary(path: str) -> bool:
    """Tell whether primary metadata list a file of that path."""
    return path.startswith("/etc/") or "bin/" in path or path == "/usr/lib/sendmail"


def may_reach(pool: PackagePool, packages: Iterable[int], paths: Iterable[str]) -> bool:
    """Tell whether any possible dependency of packages, direct or not, depends on one of the paths."""
    wanted = frozenset(paths)
    waiting = list(packages)
    seen = set(waiting)
    seen_dependencies: set[int] = set()
    while waiting:
        for dependency in pool.dependencies(waiting.pop()):
            if dependency in seen_dependencies:
                continue
            seen_dependencies.add(dependency)
            for name in _names(pool.dependency_text(dependency)):
                if name in wanted:
                    return True
                fresh = [p for p in pool.providing_name(name) if p not in seen]
                seen.update(fresh)
                waiting += fresh
    return False


def _names(dependency: str) -> Iterator[str]:
    """Yield every word that may be a name: of `(a >= 1 if libb()(64bit))` a, >=, 1, if and libb()(64bit).

    Operators and versions are not names of packages, so they do no harm.
    """
    if not dependency.startswith("("):
        yield dependency.partition(" ")[0]
        return
    for word in dependency.split():
        name = word.lstrip("(")
        while name.endswith(")") and name.count(")") > name.count("("):
            name = name[:-1]
        yield name
