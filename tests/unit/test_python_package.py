"""What an operator types for a package that is missing."""

from __future__ import annotations

import sys

from bundler.python_package import installing


def test_the_command_is_for_the_python_that_lacks_it() -> None:
    assert f"rpm-rs: type `{sys.executable} -m pip install rpm-rs` (" in installing("rpm-rs")
