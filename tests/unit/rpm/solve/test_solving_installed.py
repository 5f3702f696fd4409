from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bundler.errors import ManifestError
from bundler.model.rpm.nevra import Nevra
from tests.fakes.rpm_metadata import Package, solvable_repo, solve_for

if TYPE_CHECKING:
    from bundler.rpm.solve.request import SolvableRepo

LIBC_1 = Package("libc", "1", provides=("libc.so.1",), files=("/sbin/ldconfig", "/usr/share/zoneinfo/UTC"))
LIBC_2 = Package("libc", "2", provides=("libc.so.1", "libc.so.2"))
PACKAGES = [
    LIBC_1,
    LIBC_2,
    Package("app", requires=("libc.so.1", "/sbin/ldconfig", "/usr/share/zoneinfo/UTC")),
    Package("newer", requires=("libc.so.2",)),
    Package("by-name", requires=("libc >= 1",)),
    Package("apart", conflicts=("libc.so.1",)),
    Package("heir", "2", obsoletes=("libc < 2",), provides=("libc = 2", "libc.so.1")),
]
REPO = solvable_repo("base", PACKAGES)
KNOWN = (LIBC_1.nevra,)
UNKNOWN = (Nevra("libc", 0, "1", "99.el7", "x86_64"),)


def added(spec: str, installed: tuple[Nevra, ...] | SolvableRepo) -> list[str]:
    return [str(rpm.nevra) for rpm in solve_for([REPO], spec, installed=installed).packages]


@pytest.mark.parametrize("installed", [KNOWN, solvable_repo("system", [LIBC_1])])
def test_what_is_installed_provides_all_that_its_repository_says_and_is_not_taken_again(
    installed: tuple[Nevra, ...] | SolvableRepo,
) -> None:
    assert added("app", installed) == ["app-1-1.x86_64"]
    assert added("by-name", installed) == ["by-name-1-1.x86_64"]
    assert added("libc-1", installed) == []


def test_a_name_without_epoch_as_rpm_prints_it_stands_for_any_epoch() -> None:
    libc = Package("libc", epoch=3, provides=("libc.so.3",))
    apps = [Package("app", requires=("libc.so.3",)), Package("same", requires=("libc = 3:1-1",))]
    for spec in ("app", "same"):
        found = solve_for([solvable_repo("base", [libc, *apps])], spec, installed=(Nevra.parse("libc-1-1.x86_64"),))
        assert [rpm.nevra.name for rpm in found.packages] == [spec]


def test_what_is_installed_is_replaced_when_something_needs_more_of_it() -> None:
    assert added("newer", KNOWN) == ["libc-2-1.x86_64", "newer-1-1.x86_64"]


def test_of_an_installed_package_that_no_repository_has_only_the_name_is_known() -> None:
    assert added("by-name", UNKNOWN) == ["by-name-1-1.x86_64"]
    assert added("libc", UNKNOWN) == []
    assert added("newer", UNKNOWN) == ["libc-2-1.x86_64", "newer-1-1.x86_64"]


def test_what_is_installed_may_stand_in_the_way() -> None:
    with pytest.raises(ManifestError) as raised:
        solve_for([solvable_repo("base", [LIBC_1, PACKAGES[5]])], "apart", installed=KNOWN)
    assert "conflicts with libc.so.1 provided by libc-1-1.x86_64 installed" in raised.value.problems[0]


def test_nothing_installed_is_the_empty_system() -> None:
    everything = [str(rpm.nevra) for rpm in solve_for([REPO], "by-name").packages]
    assert everything == added("by-name", ())
    assert len(everything) == 2
