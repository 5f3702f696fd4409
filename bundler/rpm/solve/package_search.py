"""A text -> the packages that it names, as `dnf install` interprets it. libdnf/hy-subject.cpp, sack/query.cpp."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase, translate
from typing import TYPE_CHECKING

from bundler.rpm.solve.nevra_forms import NevraForm, is_glob, is_path, nevra_forms
from bundler.rpm.solve.package_pool import SOURCE_ARCHES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bundler.rpm.solve.package_pool import PackagePool


@dataclass(frozen=True, slots=True)
class FoundPackages:
    """Packages, in the order in which they were loaded; `form` is the reading that found them by name, else None."""

    packages: tuple[int, ...]
    form: NevraForm | None = None


def find(pool: PackagePool, text: str, usable: Callable[[int], bool]) -> FoundPackages:
    """Return the usable packages of the first reading that has any: names, capabilities, then paths."""
    if (found := find_by_name(pool, text, usable)).packages:
        return found
    if packages := _usable(pool, pool.providing(text), usable):
        return FoundPackages(packages)
    return FoundPackages(_usable(pool, pool.shipping(text), usable) if is_path(text) else ())


def find_by_name(pool: PackagePool, text: str, usable: Callable[[int], bool]) -> FoundPackages:
    """Return the usable packages of the first reading as a name that has any."""
    for form in nevra_forms(text):
        named = [package for name in _names(pool, form.name) for package in pool.named(name)]
        fitting = named if form.is_just_name else [p for p in named if form.fits(pool.full_name(p))]
        if packages := _usable(pool, fitting, usable):
            return FoundPackages(packages, form)
    if not is_glob(text) or is_path(text):
        return FoundPackages(())
    full = (package for packages in pool.names.values() for package in packages)
    return FoundPackages(_usable(pool, [p for p in full if fnmatchcase(str(pool.full_name(p)), text)], usable))


def _names(pool: PackagePool, pattern: str) -> Sequence[str]:
    if not is_glob(pattern):
        return (pattern,)
    fits = re.compile(translate(pattern)).match
    return [name for name in pool.names if fits(name)]


def _usable(pool: PackagePool, packages: Sequence[int], usable: Callable[[int], bool]) -> tuple[int, ...]:
    kept = {p for p in packages if usable(p)}
    return tuple(sorted(p for p in kept if pool.pool.id2solvable(p).arch not in SOURCE_ARCHES))
