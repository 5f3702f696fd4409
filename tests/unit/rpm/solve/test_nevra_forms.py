from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.model.rpm.nevra import Nevra
from bundler.rpm.solve.nevra_forms import NevraForm, has_name_forms, is_glob, is_path, nevra_forms, unanswered_names
from bundler.rpm.solve.package_pool import FullName


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("vim", [NevraForm("vim")]),
        ("vim.noarch", [NevraForm("vim", arch="noarch"), NevraForm("vim.noarch")]),
        (
            "docker-ce-20.10.*",
            [
                NevraForm("docker", version="ce", release="20.10", arch="*"),
                NevraForm("docker-ce-20.10", arch="*"),
                NevraForm("docker-ce-20.10.*"),
                NevraForm("docker", version="ce", release="20.10.*"),
                NevraForm("docker-ce", version="20.10.*"),
            ],
        ),
        ("a-2:1-3.x86_64", [NevraForm("a", 2, "1", "3", "x86_64"), NevraForm("a", 2, "1", "3.x86_64")]),
        ("a-0:1", [NevraForm("a", 0, "1")]),
    ],
)
def test_readings_come_in_the_order_of_dnf(text: str, expected: list[NevraForm]) -> None:
    assert list(nevra_forms(text)) == expected


@pytest.mark.parametrize("text", ["/usr/bin/x", "libfoo.so.1()(64bit)", "a = 1", "(a or b)", "config(x) >= 2", ""])
def test_a_capability_or_path_is_no_name(text: str) -> None:
    assert list(nevra_forms(text)) == []


@given(
    st.from_regex(r"[a-z][a-z0-9+._-]{0,20}", fullmatch=True),
    st.integers(0, 2**32 - 1),
    st.from_regex(r"[0-9][A-Za-z0-9.~^+_]{0,9}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9.~^+_]{1,10}", fullmatch=True),
    st.sampled_from(["x86_64", "noarch", "aarch64"]),
)
def test_the_first_reading_of_a_full_name_is_that_package(
    name: str, epoch: int, version: str, release: str, arch: str
) -> None:
    form = next(nevra_forms(f"{name}-{epoch}:{version}-{release}.{arch}"))
    assert form == NevraForm(name, epoch, version, release, arch)
    assert form.fits(FullName(name, epoch, version, release, arch))
    assert not form.fits(FullName(name, epoch + 1, version, release, arch))


@given(st.text(max_size=60))
def test_no_text_is_too_odd_to_be_looked_at(text: str) -> None:
    assert all(form.name for form in nevra_forms(text))


def test_an_epoch_longer_than_any_is_no_epoch() -> None:
    assert list(nevra_forms(f"a-{'9' * 5000}:1")) == []


def test_a_version_may_be_a_glob_and_an_absent_part_fits_all() -> None:
    assert NevraForm("a", version="20.10.*").fits(FullName("a", 3, "20.10.9", "1", "x86_64"))
    assert not NevraForm("a", version="20.10.*").fits(FullName("a", 3, "23.0", "1", "x86_64"))
    assert NevraForm("a").is_just_name
    assert not NevraForm("a", 0).is_just_name


def test_globs_and_paths_are_told() -> None:
    assert [is_glob(text) for text in ("a*", "a?", "[ab]", "a")] == [True, True, True, False]
    assert [is_path(text) for text in ("/a", "*/bin/a", "a/b")] == [True, True, False]


def test_a_full_name_prints_as_the_model_does() -> None:
    for epoch in (0, 2):
        name = FullName("a-b", epoch, "1", "2", "noarch")
        assert str(name) == str(Nevra(*name))
    assert FullName("a", 0, "1", "2", "noarch").with_epoch == "a-0:1-2.noarch"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("docker-ce", True),
        ("docker-*", True),
        ("docker-ce-20.10.*", True),
        ("docker-ce.x86_64", True),
        ("docker-ce-3:20.10.9-3.el7.x86_64", True),
        ("docker-ce-3:20*x86_64", True),
        ("docker", False),
        ("docker-ce-19.*", False),
        ("docker-ce.aarch64", False),
        ("docker-ce-2:20.10.9-3.el7.x86_64", False),
    ],
)
def test_a_text_names_a_package_in_any_reading(text: str, names: bool) -> None:
    packages = [Nevra.parse("docker-ce-3:20.10.9-3.el7.x86_64"), Nevra.parse("vim-1-1.noarch")]
    assert unanswered_names([text], packages) == (() if names else (text,))
    assert has_name_forms(text)


@pytest.mark.parametrize("text", ["@core", "/usr/bin/x", "libfoo.so.1()(64bit)", "foo >= 1", "perl(Foo::Bar)"])
def test_what_is_no_name_has_no_form_of_one(text: str) -> None:
    assert not has_name_forms(text)
