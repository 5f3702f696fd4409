"""Locking again: what an earlier closure held stays where nothing needs something else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bundler.model.rpm.nevra import Nevra
from tests.fakes.rpm_metadata import Package, solvable_repo, solve_for
from tests.integration.rpm_repositories import Shape, random_packages

APP_1, APP_2 = Package("app", "1", requires=("lib",)), Package("app", "2", requires=("lib",))
LIB_1, LIB_2 = Package("lib", "1"), Package("lib", "2")
BOTH = (APP_1.nevra, LIB_1.nevra)


def chosen(packages: list[Package], *package_specs: str, favored: tuple[Nevra, ...] = BOTH) -> list[str]:
    """Return the names and versions that specs come to."""
    found = solve_for([solvable_repo("base", packages)], *package_specs, favored=favored).packages
    return [f"{rpm.nevra.name}-{rpm.nevra.version}" for rpm in found]


@pytest.mark.parametrize("spec", ["app", "ap*", "app.x86_64"])
def test_what_was_there_before_beats_what_is_newer(spec: str) -> None:
    packages = [APP_2, APP_1, LIB_2, LIB_1]
    assert chosen(packages, spec) == ["app-1", "lib-1"]
    assert chosen(packages, spec, favored=()) == ["app-2", "lib-2"]


def test_what_is_not_favored_moves_alone() -> None:
    packages = [APP_2, APP_1, LIB_2, LIB_1]
    assert chosen(packages, "app", favored=(LIB_1.nevra,)) == ["app-2", "lib-1"]
    assert chosen(packages, "app", favored=(APP_1.nevra,)) == ["app-1", "lib-2"]


@pytest.mark.parametrize("spec", ["app-2", "app = 2", "app >= 2"])
def test_a_spec_for_something_newer_wins(spec: str) -> None:
    assert chosen([APP_2, APP_1, LIB_2, LIB_1], spec) == ["app-2", "lib-1"]


@pytest.mark.parametrize("package_specs", [("app", "lib"), ("lib", "app")])
def test_a_dependency_forces_what_is_favored_to_move(package_specs: tuple[str, ...]) -> None:
    needs_newer = replace(APP_2, requires=("lib >= 2",))
    packages = [needs_newer, APP_1, LIB_2, LIB_1]
    assert chosen(packages, *package_specs, favored=(LIB_1.nevra,)) == ["app-2", "lib-2"]
    assert chosen(packages, *package_specs) == ["app-1", "lib-1"]


def test_what_is_gone_is_replaced_and_nothing_else() -> None:
    assert chosen([APP_2, LIB_2, LIB_1], "app") == ["app-2", "lib-1"]


def test_a_package_to_move_is_not_replaced_by_another_provider() -> None:
    app = Package("app", requires=("mta",))
    providers = [Package(name, version, provides=("mta",)) for name in ("a", "b", "c") for version in ("1", "2", "3")]
    found = solve_for([solvable_repo("base", [app, *providers])], "app", favored_names=("b",)).packages
    assert [str(rpm.nevra) for rpm in found] == ["app-1-1.x86_64", "b-3-1.x86_64"]
    gone = (Nevra("c", 0, "0", "1", "x86_64"),)
    assert chosen([app, *providers], "app", favored=gone) == ["app-1", "c-3"]


def test_a_package_to_move_gives_way_to_what_obsoletes_it() -> None:
    heir = Package("heir", obsoletes=("app",))
    found = solve_for([solvable_repo("base", [APP_1, LIB_1, heir])], "app", favored_names=("app",)).packages
    assert [rpm.nevra.name for rpm in found] == ["heir"]
    assert chosen([APP_1, LIB_1, heir], "app") == ["app-1", "lib-1"]


def test_what_nothing_needs_any_more_goes() -> None:
    assert chosen([replace(APP_2, requires=()), LIB_1], "app") == ["app-2"]


def test_a_new_spec_moves_nothing_else() -> None:
    other = Package("other", requires=("lib",))
    assert chosen([APP_2, APP_1, LIB_2, LIB_1, other], "app", "other") == ["app-1", "lib-1", "other-1"]


def test_the_provider_of_before_is_taken_again() -> None:
    app = Package("app", requires=("mta",))
    providers = [Package(name, provides=("mta",)) for name in ("exim", "postfix", "sendmail")]
    for provider in providers:
        assert chosen([app, *providers], "app", favored=(provider.nevra,)) == ["app-1", f"{provider.name}-1"]


def test_of_equal_favored_packages_the_first_repository_gives_it() -> None:
    repos = [solvable_repo("one", [LIB_2, LIB_1]), solvable_repo("two", [LIB_1])]
    (found,) = solve_for(repos, "lib", favored=BOTH).packages
    assert (found.nevra, found.repo_id) == (LIB_1.nevra, "one")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_whole_upgrade_upstream_moves_only_the_one_that_is_not_favored(seed: int) -> None:
    packages = random_packages(seed, Shape(120, trouble=0))
    found = solve_for([solvable_repo("base", packages)], "app100").packages
    before = {rpm.nevra for rpm in found}
    assert len(before) > 2
    newer = [replace(package, release="99") for package in packages if package.nevra in before]
    for moved in sorted(before, key=str)[:: len(before) // 3]:
        favored = tuple(before - {moved})
        repo = solvable_repo("base", [*newer, *packages])
        after = solve_for([repo], "app100", favored=favored, favored_names=(moved.name,)).packages
        assert {rpm.nevra for rpm in after} ^ before == {moved, replace(moved, release="99")}
