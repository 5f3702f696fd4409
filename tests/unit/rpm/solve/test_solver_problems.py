from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, ManifestError
from tests.fakes.rpm_metadata import Package, solvable_repo, solve_for

if TYPE_CHECKING:
    from collections.abc import Sequence

PACKAGES = [
    Package("fine"),
    Package("needy", requires=("nope >= 2",)),
    Package("outer", requires=("needy",)),
    Package("one", conflicts=("two",)),
    Package("two"),
    Package("taker", obsoletes=("fine",)),
    Package("selfish", provides=("me",), conflicts=("me = 1",)),
    Package("v", "1"),
    Package("v", "2"),
    Package("arm", arch="aarch64"),
    Package("wants-arm", requires=("arm",)),
    Package("glibc", arch="i686", provides=("libc.so.6",)),
    Package("wants-32-bit", requires=("libc.so.6",)),
]


def problems(*package_specs: str) -> Sequence[str]:
    with pytest.raises(ManifestError) as raised:
        solve_for([solvable_repo("base", PACKAGES)], *package_specs)
    assert raised.value.id == ErrorId.RPM_UNSATISFIABLE
    return raised.value.problems


@pytest.mark.parametrize(
    ("package_specs", "lines"),
    [
        (
            ("fine", "needy"),
            [
                "m.yaml:2:5: needy cannot be installed:",
                "  - nothing provides nope >= 2 needed by needy-1-1.x86_64 from base",
            ],
        ),
        (
            ("outer",),
            [
                "m.yaml:1:5: outer cannot be installed:",
                "  - outer-1-1.x86_64 from base requires needy, but none of the providers can be installed",
                "  - nothing provides nope >= 2 needed by needy-1-1.x86_64 from base",
            ],
        ),
        (
            ("one", "fine", "two"),
            [
                "m.yaml:1:5: one and two (m.yaml:3:5) cannot be installed together:",
                "  - one-1-1.x86_64 from base conflicts with two provided by two-1-1.x86_64 from base",
            ],
        ),
        (
            ("fine-1", "taker"),
            [
                "m.yaml:1:5: fine-1 and taker (m.yaml:2:5) cannot be installed together:",
                "  - taker-1-1.x86_64 from base obsoletes fine provided by fine-1-1.x86_64 from base",
            ],
        ),
        (
            ("v-1", "v-2"),
            [
                "m.yaml:1:5: v-1 and v-2 (m.yaml:2:5) cannot be installed together:",
                "  - cannot install both v-2-1.x86_64 from base and v-1-1.x86_64 from base",
            ],
        ),
        (
            ("wants-arm",),
            [
                "m.yaml:1:5: wants-arm cannot be installed:",
                "  - nothing provides arm needed by wants-arm-1-1.x86_64 from base",
            ],
        ),
        (
            ("wants-32-bit",),
            [
                "m.yaml:1:5: wants-32-bit cannot be installed:",
                "  - wants-32-bit-1-1.x86_64 from base requires libc.so.6, but none of the providers can be installed",
                "  - glibc-1-1.i686 from base is for i686, which only `multilib: true` takes",
            ],
        ),
    ],
)
def test_a_problem_names_the_specs_and_the_reasons(package_specs: tuple[str, ...], lines: list[str]) -> None:
    (problem,) = problems(*package_specs)
    first, *reasons = problem.splitlines()
    assert first == lines[0]
    assert sorted(reasons) == sorted(lines[1:])


def test_every_spec_that_cannot_be_met_is_reported() -> None:
    found = problems("needy", "one", "two")
    assert [problem.splitlines()[0].partition(":")[2] for problem in found] == [
        "1:5: needy cannot be installed:",
        "2:5: one and two (m.yaml:3:5) cannot be installed together:",
    ]


def test_the_whole_message_ends_with_what_to_do_and_the_id() -> None:
    with pytest.raises(ManifestError) as raised:
        solve_for([solvable_repo("base", PACKAGES)], "needy")
    assert raised.value.text().splitlines()[-1].endswith("[rpm-unsatisfiable]")
    assert raised.value.exit_code == 3


def test_a_conflict_with_the_target_system_itself_is_told() -> None:
    with pytest.raises(ManifestError) as raised:
        solve_for([solvable_repo("base", [Package("odd", conflicts=("rpmlib(FileDigests) = 1",))])], "odd")
    reason = "odd-1-1.x86_64 from base conflicts with rpmlib(FileDigests) = 1 provided by the system itself"
    assert raised.value.problems == (f"m.yaml:1:5: odd cannot be installed:\n  - {reason}",)
