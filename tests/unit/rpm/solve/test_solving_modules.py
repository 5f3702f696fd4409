from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, ManifestError
from bundler.model.rpm.repo import RepoSpec
from tests.fakes.module_metadata import default_yaml, stream_yaml
from tests.fakes.rpm_metadata import Package, choose, solvable_repo, solve_for

if TYPE_CHECKING:
    from bundler.rpm.solve.request import SolvableRepo

MODULAR = [
    Package("node", "10.1"),
    Package("node", "10.2"),
    Package("node", "18.1", epoch=1),
    Package("perl", "5.24"),
    Package("perl", "5.26"),
    Package("dbi", "1", "1.c24", requires=("perl = 5.24",)),
    Package("dbi", "1", "1.c26", requires=("perl = 5.26",)),
    Package("tool", "1", requires=("node",)),
    Package("plain"),
]
OTHERS = [
    Package("node", "99", epoch=9),
    Package("node-fork", provides=("node = 77",)),
    Package("tool", "9"),
]
YAML = "".join(
    [
        stream_yaml("node", "10", ["node-0:10.1-1.x86_64", "node-0:10.1-1.src"], version=1),
        stream_yaml("node", "10", ["node-0:10.2-1.x86_64"], version=2),
        stream_yaml("node", "18", ["node-1:18.1-1.x86_64"]),
        stream_yaml("perl", "5.24", ["perl-0:5.24-1.x86_64"]),
        stream_yaml("perl", "5.26", ["perl-0:5.26-1.x86_64"]),
        stream_yaml("dbi", "1", ["dbi-0:1-1.c24.x86_64"], context="c24", requires={"perl": ["5.24"]}),
        stream_yaml("dbi", "1", ["dbi-0:1-1.c26.x86_64"], context="c26", requires={"perl": ["5.26"]}),
        stream_yaml("tool", "1", ["tool-0:1-1.x86_64"], requires={"node": ["-10"]}),
        stream_yaml("picky", "1", [], requires={"node": ["10"]}),
        default_yaml("node", "10"),
        default_yaml("perl", "5.26"),
    ]
)


def repos(*modules: str) -> list[SolvableRepo]:
    spec = RepoSpec("appstream", baseurls=("https://appstream.example/",), modules=modules)
    return [
        solvable_repo("appstream", MODULAR, modules=YAML.encode(), spec=spec, where="m.yaml:9:7"),
        solvable_repo("epel", OTHERS),
    ]


@pytest.mark.parametrize(
    ("modules", "spec", "expected"),
    [
        # the default stream, in its newest build and in an older one
        ((), "node", ["node-10.2-1.x86_64"]),
        ((), "node-10.1", ["node-10.1-1.x86_64"]),
        # an enabled one in its place
        (("node:18",), "node", ["node-1:18.1-1.x86_64"]),
        # what is not in any module
        ((), "plain", ["plain-1-1.x86_64"]),
        ((), "tool", ["tool-9-1.x86_64"]),
        # of two builds of one stream that whose needs are met
        (("dbi:1",), "dbi", ["dbi-1-1.c26.x86_64", "perl-5.26-1.x86_64"]),
        (("dbi:1", "perl:5.24"), "dbi", ["dbi-1-1.c24.x86_64", "perl-5.24-1.x86_64"]),
        # a default stream gives way to what an enabled one needs
        (("tool:1",), "tool", ["node-1:18.1-1.x86_64", "tool-1-1.x86_64"]),
    ],
)
def test_packages_come_from_the_active_streams(modules: tuple[str, ...], spec: str, expected: list[str]) -> None:
    assert choose(repos(*modules), spec) == expected


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (
            "node-18.1",
            "node-1:18.1-1.x86_64 of repository appstream is of the module stream node:18, which is not enabled",
        ),
        ("node-99", "node-9:99-1.x86_64 of repository epel gives way to the module stream node:10"),
        ("node-fork", "node-fork-1-1.x86_64 of repository epel gives way to the module stream node:10"),
        ("dbi", "dbi-1-1.c26.x86_64 of repository appstream is of the module stream dbi:1, which is not enabled"),
    ],
)
def test_what_streams_hide_is_told(spec: str, reason: str) -> None:
    with pytest.raises(ManifestError) as raised:
        solve_for(repos(), spec)
    assert raised.value.problems == (f"m.yaml:1:5: no package fits {spec}: {reason}",)


@pytest.mark.parametrize(
    ("module", "problem"),
    [
        ("node:12", "the module node has no stream '12'; there are 10, 18"),
        ("node", "the module node is named without a stream; there are 10, 18"),
        ("nodee:10", "there is no module nodee; did you mean 'node'?"),
    ],
)
def test_a_stream_that_does_not_exist_is_told_with_what_there_is(module: str, problem: str) -> None:
    with pytest.raises(ManifestError) as raised:
        solve_for(repos("perl:5.24", module), "plain")
    assert raised.value.id == ErrorId.RPM_STREAM_NOT_FOUND
    assert raised.value.problems == (f"m.yaml:9:7: repository appstream: {problem}",)


def test_a_stream_is_asked_of_a_repository_without_modules() -> None:
    spec = RepoSpec("epel", baseurls=("https://epel.example/",), modules=("node:18",))
    with pytest.raises(ManifestError) as raised:
        solve_for([solvable_repo("epel", OTHERS, spec=spec)], "tool")
    assert raised.value.problems == ("repository epel: there is no module node; no repository has any",)


def test_two_streams_of_one_module_are_refused() -> None:
    with pytest.raises(ManifestError) as raised:
        solve_for(repos("node:10", "node:18"), "plain")
    assert raised.value.id == ErrorId.RPM_UNSATISFIABLE
    assert raised.value.problems == ("m.yaml:9:7: repository appstream: of the module node both 10 and 18 are enabled",)


def test_streams_that_need_different_streams_of_another_module_are_refused() -> None:
    with pytest.raises(ManifestError, match="the module streams cannot be enabled") as raised:
        solve_for(repos("tool:1", "picky:1"), "plain")
    assert raised.value.id == ErrorId.RPM_UNSATISFIABLE
    assert "module(node:10)" in raised.value.problems[0]


def test_the_order_of_repositories_does_not_matter_to_streams() -> None:
    assert choose(repos("node:18")[::-1], "node", "tool") == ["node-1:18.1-1.x86_64", "tool-9-1.x86_64"]
