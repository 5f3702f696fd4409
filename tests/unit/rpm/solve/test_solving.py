from __future__ import annotations

from dataclasses import replace

import pytest

from bundler.errors import ErrorId, ManifestError, SourceError
from bundler.model.digest import Digest
from bundler.model.rpm.nevra import Nevra
from bundler.model.rpm.repo import RepoSpec
from bundler.rpm.solve.request import ChosenRpm
from tests.fakes.rpm_metadata import Package, choose, primary_xml, solvable_repo, solve_for
from tests.integration.rpm_repositories import Shape, random_packages

APP = Package("app", "1.0", requires=("lib >= 2", "(doc if man)", "/usr/bin/tool"))
LIB_1, LIB_2 = Package("lib", "1"), Package("lib", "2", requires=("man",))
MAN, DOC, TOOL = Package("man"), Package("doc", arch="noarch"), Package("tool", files=("/usr/bin/tool",))
SHA256 = b'"sha256" pkgid="YES">' + Package("a").pkgid.encode()
CLOSED = ["app-1.0-1.x86_64", "doc-1-1.noarch", "lib-2-1.x86_64", "man-1-1.x86_64", "tool-1-1.x86_64"]


def test_the_closure_of_a_spec_is_closed() -> None:
    assert choose([solvable_repo("base", [APP, LIB_1, LIB_2, MAN, DOC, TOOL, Package("other")])], "app") == CLOSED


def test_neither_the_order_of_packages_nor_of_specs_matters() -> None:
    packages = [APP, LIB_1, LIB_2, MAN, DOC, TOOL]
    assert choose([solvable_repo("base", packages[::-1])], "lib", "app") == CLOSED
    assert choose([solvable_repo("base", packages)], "app", "lib") == CLOSED


@pytest.mark.parametrize("arch", ["x86_64", "aarch64", "ppc64le", "armv7hl"])
def test_the_target_is_not_this_machine(arch: str) -> None:
    packages = [Package("app", arch=each, requires=("doc",)) for each in ("x86_64", "aarch64", "ppc64le", "armv7hl")]
    found = solve_for([solvable_repo("base", [*packages, DOC])], "app", arch=arch)
    assert [str(rpm.nevra) for rpm in found.packages] == [f"app-1-1.{arch}", "doc-1-1.noarch"]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_newer_build_of_one_package_changes_only_that_package(seed: int) -> None:
    packages = random_packages(seed, Shape(120, trouble=0))
    by_name = {str(package.nevra): package for package in packages}
    before = choose([solvable_repo("base", packages)], "app100")
    assert len(before) > 2
    for name in before:
        newer = replace(by_name[name], release="99")
        after = choose([solvable_repo("base", [newer, *packages])], "app100")
        assert set(after) ^ set(before) == {name, str(newer.nevra)}


def test_a_chosen_package_is_told_with_all_that_fetching_it_takes() -> None:
    app = Package("app", "1", epoch=2)
    (found,) = solve_for([solvable_repo("base", [app])], "app").packages
    checksum = Digest("sha256", app.pkgid)
    assert found == ChosenRpm(app.nevra, "base", app.href, app.size, checksum, "The app")
    assert found.nevra == Nevra("app", 2, "1", "1", "x86_64")


def test_a_package_with_an_address_of_its_own_keeps_it() -> None:
    primary = primary_xml([Package("app")]).replace(b"<location ", b'<location xml:base="https://cdn.example/x" ')
    (found,) = solve_for([solvable_repo("base", [], records={"primary": primary})], "app").packages
    assert found.href == "https://cdn.example/x/Packages/app-1-1.x86_64.rpm"


@pytest.mark.parametrize(
    ("older", "newer"),
    [("1.0~rc1", "1.0"), ("1.0", "1.0^git1"), ("1.9", "1.10"), ("1.0~rc1", "1.0~rc2"), ("9", "1:1"), ("1.0a", "1.0b")],
)
def test_the_newest_version_is_chosen_as_rpm_orders_them(older: str, newer: str) -> None:
    def package(evr: str) -> Package:
        epoch, _, version = evr.rpartition(":")
        return Package("a", version, epoch=int(epoch or 0))

    expected = [str(package(newer).nevra)]
    assert choose([solvable_repo("base", [package(newer), package(older)])], "a") == expected
    assert choose([solvable_repo("base", [package(older), package(newer)])], "a") == expected


def test_weak_dependencies_are_followed_only_when_asked() -> None:
    repos = [
        solvable_repo(
            "base", [Package("app", recommends=("nice",)), Package("nice"), Package("x", supplements=("app",))]
        )
    ]
    assert choose(repos, "app") == ["app-1-1.x86_64"]
    weak = solve_for(repos, "app", weak_dependencies=True)
    assert [rpm.nevra.name for rpm in weak.packages] == ["app", "nice", "x"]


def _offers(**first: int) -> list[tuple[str, str]]:
    """Choose `same` (in both repositories) and `newer` (2 in the second): (name, repository)."""
    spec = RepoSpec("one", baseurls=("https://one.example/",), **first)  # type: ignore[arg-type]
    one = solvable_repo("one", [Package("same"), Package("newer", "1")], spec=spec)
    two = solvable_repo("two", [Package("same"), Package("newer", "2")])
    found = solve_for([two, one] if first.pop("last", 0) else [one, two], "same", "newer")
    return [(rpm.nevra.name + rpm.nevra.version, rpm.repo_id) for rpm in found.packages]


def test_of_equal_offers_the_first_repository_wins_and_the_newest_of_others() -> None:
    assert _offers() == [("newer2", "two"), ("same1", "one")]


def test_a_dearer_repository_gives_only_what_others_have_not() -> None:
    assert _offers(cost=2000) == [("newer2", "two"), ("same1", "two")]


def test_the_lower_priority_number_wins_even_over_a_newer_version() -> None:
    assert _offers(priority=10) == [("newer1", "one"), ("same1", "one")]


def test_file_lists_are_loaded_only_when_a_dependency_that_matters_asks() -> None:
    packages = [
        Package("plain", requires=("/usr/bin/tool", "(tool or deep)")),
        Package("deep", requires=("lib",)),
        Package("lib", requires=("(/usr/libexec/inner if tool)", "tool")),
        Package("inner", files=("/usr/libexec/inner",)),
        TOOL,
    ]
    opened: list[str] = []
    repos = [solvable_repo("base", packages, opened=opened)]
    assert choose(repos, "tool") == ["tool-1-1.x86_64"]
    assert "filelists" not in opened
    assert choose(repos, "deep") == ["deep-1-1.x86_64", "inner-1-1.x86_64", "lib-1-1.x86_64", "tool-1-1.x86_64"]
    assert opened.count("filelists") == 1


def test_a_newer_version_whose_file_dependency_only_file_lists_meet_is_not_passed_over() -> None:
    packages = [Package("a", "1"), Package("a", "2", requires=("/usr/share/x",)), Package("x", files=("/usr/share/x",))]
    assert choose([solvable_repo("base", packages)], "a") == ["a-2-1.x86_64", "x-1-1.x86_64"]


def test_a_conflict_over_a_file_that_only_file_lists_tell_is_seen() -> None:
    packages = [Package("a", conflicts=("/usr/share/x",)), Package("x", files=("/usr/share/x",))]
    with pytest.raises(ManifestError, match="keeps the packages"):
        solve_for([solvable_repo("base", packages)], "a", "x")


def test_an_older_version_is_taken_when_the_newest_cannot_be_installed_and_that_is_noted() -> None:
    repos = [solvable_repo("base", [Package("a", "1"), Package("a", "2", requires=("nope",))])]
    solution = solve_for(repos, "a")
    assert [str(rpm.nevra) for rpm in solution.packages] == ["a-1-1.x86_64"]
    assert solution.notes == (
        (
            "m.yaml:1:5: an older version is taken, the newest of a cannot be installed: "
            "nothing provides nope needed by a-2-1.x86_64 from base"
        ),
    )


def test_an_older_version_for_the_sake_of_priority_is_no_news() -> None:
    spec = RepoSpec("one", baseurls=("https://one.example/",), priority=1)
    repos = [solvable_repo("one", [Package("a", "1")], spec=spec), solvable_repo("two", [Package("a", "2")])]
    assert solve_for(repos, "a").notes == ()


@pytest.mark.parametrize(
    ("primary", "problem"),
    [
        (primary_xml([Package("a")])[:-300], "primary metadata of repository base: cannot be read"),
        (b"not XML at all", "primary metadata of repository base: cannot be read"),
        (b"", "repository base: has no primary metadata"),
    ],
)
def test_damaged_metadata_are_an_error_of_the_source(primary: bytes, problem: str) -> None:
    with pytest.raises(SourceError, match=problem) as raised:
        solve_for([solvable_repo("base", [], records={"primary": primary})], "a")
    assert raised.value.id == ErrorId.REPO_METADATA_INVALID


@pytest.mark.parametrize(
    ("good", "bad", "problem"),
    [
        (
            SHA256,
            b'"md5" pkgid="YES">' + b"a" * 32,
            "a-1-1.x86_64 of repository base: unknown digest algorithm",
        ),
        (b"<location href=", b"<nowhere href=", "no location or no checksum"),
        (b'rel="1"', b'rel="1/2"', "cannot be part of a package's name"),
    ],
)
def test_a_chosen_package_without_usable_metadata_is_refused(good: bytes, bad: bytes, problem: str) -> None:
    primary = primary_xml([Package("a")]).replace(good, bad)
    with pytest.raises(SourceError, match=problem):
        solve_for([solvable_repo("base", [], records={"primary": primary})], "a")


def test_an_epoch_that_is_no_number_does_no_harm() -> None:
    primary = primary_xml([Package("a"), Package("b")]).replace(b'epoch="0"', b'epoch="x"')
    found = solve_for([solvable_repo("base", [], records={"primary": primary})], "a-*")
    assert [rpm.nevra.name for rpm in found.packages] == ["a"]
