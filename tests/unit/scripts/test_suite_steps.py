"""What scripts/test runs, and that its limit, header and READMEs agree."""

from __future__ import annotations

import re

from scripts.suite.__main__ import CHECKS, steps_of
from tests.contract.checkout import ROOT

TIDY_S = 120


def test_without_words_everything_is_run_and_with_words_these_tests_alone() -> None:
    checks, tests = steps_of(())
    assert checks == CHECKS
    assert tests.command[-2:] == ("tests/integration", "tests/e2e")
    (only,) = steps_of(("tests/unit", "-k", "lock"))
    assert only.command[-3:] == ("tests/unit", "-k", "lock")
    assert only.command[1:3] == ("-m", "pytest")


def test_the_limit_leaves_time_to_tidy_up_within_the_hour_that_pages_name() -> None:
    script = (ROOT / "scripts" / "test").read_text()
    found = re.search(r"^readonly limit_s=(\d+)$", script, re.MULTILINE)
    assert found is not None
    assert int(found[1]) + TIDY_S <= 60 * 60
    assert "the limit is 60 minutes" in script
    assert "60 minutes" in (ROOT / "README.md").read_text()
    assert "60 分钟" in (ROOT / "README.zh-CN.md").read_text()
