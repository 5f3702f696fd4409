from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, ManifestError
from bundler.model.rpm.repo import RepoSpec
from tests.fakes.rpm_metadata import Package, choose, solvable_repo, solve_for

if TYPE_CHECKING:
    from bundler.rpm.solve.request import SolvableRepo

DOCKER = [
    Package("docker-ce", "20.10.1", epoch=3),
    Package("docker-ce", "20.10.9", epoch=3),
    Package("docker-ce", "23.0", epoch=3),
    Package("docker-ce-cli", "23.0"),
]
OTHERS = [
    Package("old", "1"),
    Package("new", "2", obsoletes=("old < 2",)),
    Package("libfoo", provides=("libfoo.so.1()(64bit)", "config(foo) = 1")),
    Package("tool", files=("/usr/bin/tool", "/usr/share/tool/data")),
    Package("a.b"),
    Package("both", arch="noarch"),
    Package("glibc", arch="x86_64"),
    Package("glibc", arch="i686"),
    Package("arm-only", arch="aarch64"),
    Package("source", arch="src"),
]
REPO = solvable_repo("base", [*DOCKER, *OTHERS])


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("docker-ce", ["docker-ce-3:23.0-1.x86_64"]),
        ("docker-ce-20.10.*", ["docker-ce-3:20.10.9-1.x86_64"]),
        ("docker-ce-20.10.1", ["docker-ce-3:20.10.1-1.x86_64"]),
        ("docker-ce-3:20.10.1-1", ["docker-ce-3:20.10.1-1.x86_64"]),
        ("docker-ce-3:20.10.1-1.x86_64", ["docker-ce-3:20.10.1-1.x86_64"]),
        ("docker-ce.x86_64", ["docker-ce-3:23.0-1.x86_64"]),
        ("docker*", ["docker-ce-3:23.0-1.x86_64", "docker-ce-cli-23.0-1.x86_64"]),
        ("docker-ce-3:20*x86_64", ["docker-ce-3:20.10.9-1.x86_64"]),
        ("a.b", ["a.b-1-1.x86_64"]),
        ("both", ["both-1-1.noarch"]),
        ("libfoo.so.1()(64bit)", ["libfoo-1-1.x86_64"]),
        ("libfoo.so*", ["libfoo-1-1.x86_64"]),
        ("config(foo) = 1", ["libfoo-1-1.x86_64"]),
        ("(libfoo or nothing)", ["libfoo-1-1.x86_64"]),
        ("/usr/bin/tool", ["tool-1-1.x86_64"]),
        ("/usr/share/tool/data", ["tool-1-1.x86_64"]),
        ("*/bin/to?l", ["tool-1-1.x86_64"]),
        ("glibc", ["glibc-1-1.x86_64"]),
    ],
)
def test_a_spec_is_understood_as_by_dnf(spec: str, expected: list[str]) -> None:
    assert choose([REPO], spec) == expected


def test_what_obsoletes_a_spec_takes_its_place_unless_a_version_is_named() -> None:
    assert choose([REPO], "old") == ["new-2-1.x86_64"]
    assert choose([REPO], "ol*") == ["new-2-1.x86_64"]
    assert choose([REPO], "old-1") == ["old-1-1.x86_64"]


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("dokcer-ce", "no package fits dokcer-ce; did you mean 'docker-ce'?"),
        ("TOOL", "no package fits TOOL; did you mean 'tool'?"),
        ("/usr/bin/nope", "no package has the file /usr/bin/nope"),
        ("config(foo) >= 2", "no package fits config(foo) >= 2"),
        ("docker-ce-0:23.0", "no package fits docker-ce-0:23.0; did you mean 'docker-ce'?"),
        ("source", "no package fits source"),
        ("arm-only", "no package fits arm-only: arm-only-1-1.aarch64 of repository base is for aarch64"),
        (
            "glibc.i686",
            (
                "no package fits glibc.i686: "
                "glibc-1-1.i686 of repository base is for i686, which only `multilib: true` takes"
            ),
        ),
        ("(a or", "no package fits (a or"),
        ("@core", "no group or environment is called @core; no repository has any group"),
        (
            "@nodejs:18",
            (
                "no group or environment is called @nodejs:18; a module stream is enabled by `modules` of its "
                "repository, and its packages are named one by one"
            ),
        ),
    ],
)
def test_a_spec_that_means_nothing_is_reported_with_its_line(spec: str, problem: str) -> None:
    with pytest.raises(ManifestError) as raised:
        solve_for([REPO], "tool", spec)
    assert raised.value.id == ErrorId.RPM_NOT_FOUND
    assert raised.value.problems == (f"m.yaml:2:5: {problem}",)


def test_all_specs_that_mean_nothing_are_reported_at_once() -> None:
    with pytest.raises(ManifestError) as raised:
        solve_for([REPO], "nope1", "tool", "nope2")
    assert [problem[:8] for problem in raised.value.problems] == ["m.yaml:1", "m.yaml:3"]


def test_with_multilib_each_architecture_can_be_had() -> None:
    for spec in ("glibc.*", "glibc*.*"):
        found = solve_for([REPO], spec, multilib=True)
        assert [rpm.nevra.arch for rpm in found.packages] == ["i686", "x86_64"]
    assert [rpm.nevra.arch for rpm in solve_for([REPO], "glibc", multilib=True).packages] == ["x86_64"]
    assert choose([REPO], "glibc.*") == ["glibc-1-1.x86_64"]


COMPS = b"""<comps>
<group><id>base</id><name>Base</name><packagelist>
  <packagereq>tool</packagereq>
  <packagereq type="optional">new</packagereq>
  <packagereq type="conditional" requires="tool">a.b</packagereq>
  <packagereq type="conditional" requires="arm-only">new</packagereq>
  <packagereq type="conditional" requires="tool">absent</packagereq>
  <packagereq basearchonly="true">glibc</packagereq>
  <packagereq>gone</packagereq>
</packagelist></group></comps>"""


def test_a_group_brings_its_packages_and_notes_what_no_repository_has() -> None:
    solution = solve_for([solvable_repo("base", [*DOCKER, *OTHERS], comps=COMPS)], "@base", multilib=True)
    assert [str(rpm.nevra) for rpm in solution.packages] == ["a.b-1-1.x86_64", "glibc-1-1.x86_64", "tool-1-1.x86_64"]
    assert solution.notes == ("m.yaml:1:5: @base lists gone, which no repository has",)


@pytest.mark.parametrize("condition", ["glibc (x", "a b", ")", "a) if (b"])
def test_a_condition_of_a_group_that_cannot_be_read_is_noted(condition: str) -> None:
    conditional = f'<packagereq type="conditional" requires="{condition}">tool</packagereq></packagelist>'
    comps = COMPS.replace(b"</packagelist>", conditional.encode())
    solution = solve_for([solvable_repo("base", [*DOCKER, *OTHERS], comps=comps)], "@base", multilib=True)
    assert f"m.yaml:1:5: @base lists (tool if {condition}), which cannot be read" in solution.notes
    assert len(solution.packages) == 3


def test_a_misspelled_group_is_told_with_the_nearest() -> None:
    with pytest.raises(ManifestError, match="1 of 1 wishes") as raised:
        solve_for([solvable_repo("base", OTHERS, comps=COMPS)], "@bsae")
    assert raised.value.problems == ("m.yaml:1:5: no group or environment is called @bsae; did you mean @base?",)


def _limited(**limits: tuple[str, ...]) -> list[SolvableRepo]:
    spec = RepoSpec("base", baseurls=("https://base.example/",), **limits)  # type: ignore[arg-type]
    return [solvable_repo("base", DOCKER, spec=spec), solvable_repo("more", OTHERS)]


def test_excluded_packages_are_not_chosen_and_say_so() -> None:
    repos = _limited(exclude=("docker-ce-23*", "nothing-fits"))
    assert choose(repos, "docker-ce") == ["docker-ce-3:20.10.9-1.x86_64"]
    with pytest.raises(ManifestError) as raised:
        solve_for(repos, "docker-ce-23.0")
    assert "23.0-1.x86_64 of repository base is left out by the repository's `exclude` of" in raised.value.problems[0]


def test_where_packages_are_included_no_others_of_that_repository_are_chosen() -> None:
    repos = _limited(include=("docker-ce",), exclude=("docker-ce-23.0-1.x86_64",))
    assert choose(repos, "docker-ce", "tool") == ["docker-ce-3:20.10.9-1.x86_64", "tool-1-1.x86_64"]
    with pytest.raises(ManifestError, match="mean nothing") as raised:
        solve_for(repos, "docker-ce-cli")
    assert "is not among what the repository's `include` names" in raised.value.problems[0]
