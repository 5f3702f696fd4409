from __future__ import annotations

import pytest

from bundler.errors import SourceError
from bundler.kinds.runtime.requirements import Target, needs, normalized

TARGET = Target("3.12.7", "aarch64")


def test_what_a_target_is() -> None:
    assert (TARGET.minor, TARGET.site_packages) == ("3.12", "lib/python3.12/site-packages/")
    assert normalized("PyYAML_x.y") == "pyyaml-x-y"


@pytest.mark.parametrize(
    ("line", "missing"),
    [
        ("click>=8", ("click>=8",)),
        ('asyncore; python_version >= "3.12"', ("asyncore",)),
        ('typing; python_version < "3.12"', ()),
        ('arm; platform_machine == "aarch64"', ("arm",)),
        ('intel; platform_machine == "x86_64"', ()),
        ('win; sys_platform == "win32"', ()),
        ('pypy; implementation_name != "cpython"', ()),
        ('built; extra == "build"', ()),
        ("urls[socks]<3", ("urls[socks]<3",)),
    ],
)
def test_markers_are_judged_for_the_target(line: str, missing: tuple[str, ...]) -> None:
    assert needs([line], {}, TARGET).missing == missing


def test_only_what_is_reached_is_needed() -> None:
    packages = {
        "docker": ("requests[socks]", 'win32; sys_platform == "win32"'),
        "requests": ("idna", 'pysocks>1; extra == "socks"', 'chardet; extra == "slow"'),
        "idna": (),
        "win32": (),
        "chardet": (),
    }

    found = needs(["Docker"], packages, TARGET)

    assert found.reached == {"docker", "requests", "idna"}
    assert found.missing == ("pysocks>1",)


def test_packages_that_need_each_other_come_to_an_end() -> None:
    assert needs(["a"], {"a": ("b",), "b": ("a",)}, TARGET).reached == {"a", "b"}


def test_a_line_that_is_none_is_told() -> None:
    with pytest.raises(SourceError, match="is no requirement"):
        needs(["what is this?"], {}, TARGET)
