from __future__ import annotations

import pytest

from bundler.errors import SourceError
from bundler.kinds.runtime.pruning import is_needed_of_stdlib
from bundler.kinds.runtime.wheels import metadata_member, read_metadata, wheel_landing

NAMES = [
    "pkg/__init__.py",
    "pkg/fast.abi3.so",
    "pkg/fast.pyx",
    "pkg/__init__.pyi",
    "pkg/templates/index.html",
    "pkg/tests/test_it.py",
    "pkg-1.data/purelib/more/x.py",
    "pkg-1.data/platlib/lib.so",
    "pkg-1.data/scripts/pkg",
    "pkg-1.data/headers/pkg.h",
    "pkg-1.dist-info/METADATA",
    "pkg-1.dist-info/WHEEL",
    "pkg-1.dist-info/licenses/LICENSE",
    "evil.pth",
]


def test_what_of_a_wheel_lands_where() -> None:
    assert wheel_landing(NAMES, "s/") == {
        "pkg/__init__.py": "s/pkg/__init__.py",
        "pkg/fast.abi3.so": "s/pkg/fast.abi3.so",
        "pkg/templates/index.html": "s/pkg/templates/index.html",
        "pkg-1.data/purelib/more/x.py": "s/more/x.py",
        "pkg-1.data/platlib/lib.so": "s/lib.so",
        "pkg-1.dist-info/METADATA": "s/pkg-1.dist-info/METADATA",
        "pkg-1.dist-info/WHEEL": "s/pkg-1.dist-info/WHEEL",
        "pkg-1.dist-info/licenses/LICENSE": "s/pkg-1.dist-info/licenses/LICENSE",
    }


def test_what_the_back_end_writes_of_itself_stays_out() -> None:
    assert "pkg-1.dist-info/WHEEL" not in wheel_landing(NAMES, "s/", built_here=True)


def test_what_a_wheel_says_of_itself() -> None:
    head = b"Metadata-Version: 2.1\nName: PkG\nVersion: 1.0\n"
    text = head + b"Requires-Dist: a>1\nRequires-Dist: b; extra == 'x'\n\nName: no\n"
    metadata = read_metadata(text, "w")

    assert metadata_member(NAMES, "w") == "pkg-1.dist-info/METADATA"
    assert (metadata.name, metadata.version) == ("PkG", "1.0")
    assert metadata.requires == ("a>1", "b; extra == 'x'")


def test_a_file_that_is_no_wheel_is_refused() -> None:
    with pytest.raises(SourceError, match="0 files"):
        metadata_member(["x.py"], "w")
    with pytest.raises(SourceError, match="without a name"):
        read_metadata(b"Version: 1\n", "w")


@pytest.mark.parametrize(
    ("path", "needed"),
    [
        ("os.py", True),
        ("email/header.py", True),
        ("asyncio/base_events.py", True),
        ("unittest/mock.py", False),
        ("test/support/__init__.py", False),
        ("ctypes/test/test_x.py", False),
        ("site-packages/pip/__init__.py", False),
        ("config-3.12-x86_64-linux-gnu/libpython3.12.a", False),
        ("lib-dynload/_ssl.cpython-312-x86_64-linux-gnu.so", True),
        ("lib-dynload/_testcapi.cpython-312-x86_64-linux-gnu.so", False),
        ("lib-dynload/_tkinter.cpython-312-x86_64-linux-gnu.so", False),
        ("__pycache__/os.cpython-312.pyc", False),
        ("LICENSE.txt", True),
    ],
)
def test_what_of_the_standard_library_stays(path: str, needed: bool) -> None:
    assert is_needed_of_stdlib(path) is needed
