"""The `mirror` command before its release."""

from __future__ import annotations

import pytest

from mirror.cli import main


def test_says_that_it_is_still_to_come_and_exits_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert ended.value.code == 2
    assert said.out == ""
    assert "comes with its own release" in said.err
    assert "bundler --help" in said.err
