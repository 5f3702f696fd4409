"""Which packages a runtime gets: asks the index until what it has chosen is complete for the runtime's own Python."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, ManifestError
from bundler.kinds.runtime.interface import BuiltWheel, NoFittingWheelError
from bundler.kinds.runtime.requirements import needs, normalized
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from bundler.kinds.runtime.interface import FoundPackage, PackageIndex
    from bundler.kinds.runtime.requirements import Target

# each round finds what only the runtime's own Python needs, or makes one wheel; more of them go in circles
MAX_ROUNDS = 24


@dataclass(frozen=True, slots=True)
class ChosenPackage:
    """A package of a runtime; `built` where its wheel was made here."""

    found: FoundPackage
    built: BuiltWheel | None


def chosen_packages(
    roots: Iterable[str], target: Target, index: PackageIndex, directory: Path
) -> tuple[ChosenPackage, ...]:
    """Return the packages that answer some requirements for a target, sorted by name.

    Arguments:
        roots: lines of Requires-Dist.
        directory: for what has to be built; what it holds afterwards is named in the answer.

    Raises ManifestError (WHEEL_NOT_FOUND), SourceError, ToolMissingError.
    """
    roots = tuple(roots)
    wanted = list(needs(roots, {}, target).missing)
    built: dict[str, BuiltWheel] = {}
    for _ in range(MAX_ROUNDS):
        try:
            found = index.resolve(wanted, target, directory)
        except NoFittingWheelError as error:
            made = None if error.requirement in built else index.build(error.requirement, directory)
            if made is None:
                raise _not_found(error.requirement, target, index, directory) from error
            built[error.requirement] = made
            continue
        named = {normalized(package.wheel.name): package for package in found}
        needed = needs(roots, {name: package.requires for name, package in named.items()}, target)
        if not needed.missing:
            made_here = {made.wheel.name: made for made in built.values()}
            return tuple(
                ChosenPackage(package, made_here.get(package.wheel.file))
                for name, package in sorted(named.items())
                if name in needed.reached
            )
        wanted += needed.missing
    raise ManifestError(
        ErrorId.WHEEL_NOT_FOUND,
        tr("pip does not come to an end with {wanted}", wanted=", ".join(wanted)),
        where=_for(target),
        remedy=tr("Try another version of Python."),
    )


def _not_found(requirement: str, target: Target, index: PackageIndex, directory: Path) -> ManifestError:
    offers = index.offers(requirement, target, directory)
    there = tr("; there is {offers}", offers=", ".join(offers)) if offers else tr(", nor sources of pure Python")
    return ManifestError(
        ErrorId.WHEEL_NOT_FOUND,
        tr("there is no wheel of {requirement} that fits{there}", requirement=requirement, there=there),
        where=_for(target),
        remedy=tr("Take a Python of another version, or give pip an index that has such a wheel (`pip config list`)."),
    )


def _for(target: Target) -> str:
    return tr("CPython {python} on {machine} with glibc 2.17", python=target.python, machine=target.machine)
