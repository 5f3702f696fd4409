"""Which language people are spoken to in, and what becomes of their texts."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from bundler.translation import CHINESE, can_show, catalogue, marked, tr, tr_plural, translated, wanted_language

ASKING = "from bundler.translation import tr; print(tr('error: {summary}', summary='x'))"


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, ""),
        ({"LANG": "zh_CN.UTF-8"}, CHINESE),
        ({"LANG": "zh_CN"}, CHINESE),
        ({"LANG": "zh_CN.GB18030"}, CHINESE),
        ({"LANG": "zh_Hans_CN.UTF-8"}, CHINESE),
        ({"LANG": "zh_Hans"}, CHINESE),
        ({"LANG": "zh_TW.UTF-8"}, ""),
        ({"LANG": "zh_HK.UTF-8"}, ""),
        ({"LANG": "C"}, ""),
        ({"LANG": "en_US.UTF-8"}, ""),
        # the first that is set decides
        ({"LC_ALL": "C.UTF-8", "LC_MESSAGES": "zh_CN.UTF-8", "LANG": "zh_CN.UTF-8"}, ""),
        ({"LC_ALL": "zh_CN.UTF-8", "LC_MESSAGES": "C", "LANG": "C"}, CHINESE),
        ({"LC_MESSAGES": "zh_CN.UTF-8", "LANG": "en_US.UTF-8"}, CHINESE),
        ({"LC_MESSAGES": "en_US.UTF-8", "LANG": "zh_CN.UTF-8"}, ""),
        # what is empty is not set
        ({"LC_ALL": "", "LC_MESSAGES": "", "LANG": "zh_CN.UTF-8"}, CHINESE),
        # what gettext would ask first has no say
        ({"LANGUAGE": "en", "LANG": "zh_CN.UTF-8"}, CHINESE),
        ({"LANGUAGE": "zh_CN", "LANG": "C"}, ""),
        ({"LC_CTYPE": "zh_CN.UTF-8"}, ""),
    ],
)
def test_the_environment_asks_for_a_language(environment: dict[str, str], language: str) -> None:
    assert wanted_language(environment) == language


@pytest.mark.parametrize("encodings", [("utf-8", "utf-8"), ("gb18030", "gbk"), ("gb2312",), (None,), ()])
def test_chinese_can_be_shown(encodings: tuple[str | None, ...]) -> None:
    assert can_show(encodings)


@pytest.mark.parametrize("encodings", [("ascii",), ("utf-8", "latin-1"), ("big5", "ascii"), ("no-such-encoding",)])
def test_chinese_cannot_be_shown(encodings: tuple[str, ...]) -> None:
    assert not can_show(encodings)


def test_english_is_the_text_with_its_values() -> None:
    assert tr("{path!r} has {count:,} bytes", path="a", count=1234) == "'a' has 1,234 bytes"
    assert tr("without values, {braces} stand as they are") == "without values, {braces} stand as they are"
    assert translated(marked("pushed")) == "pushed"
    assert tr_plural("{count} step", "{count} steps", 1) == "1 step"
    assert tr_plural("{count} step", "{count} steps", 2) == "2 steps"
    assert tr_plural("{name} and {count}", "{name}, {count}", 0, name="x") == "x, 0"


def test_a_catalogue_has_the_texts() -> None:
    texts = catalogue(CHINESE)
    assert texts.gettext("error: {summary}") == "错误：{summary}"
    assert texts.ngettext("{count} step", "{count} steps", 1) == texts.ngettext("{count} step", "{count} steps", 9)
    assert texts.gettext("a text that nobody wrote") == "a text that nobody wrote"


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"LC_ALL": "zh_CN.UTF-8", "PYTHONUTF8": "1"}, "错误：x"),
        ({"LC_ALL": "zh_CN.UTF-8", "PYTHONIOENCODING": "gb18030"}, "错误：x"),
        ({"LC_ALL": "zh_CN.UTF-8", "PYTHONIOENCODING": "ascii"}, "error: x"),
        ({"LC_ALL": "zh_CN.UTF-8", "PYTHONIOENCODING": "latin-1"}, "error: x"),
        ({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, "error: x"),
    ],
)
def test_a_process_speaks_what_its_terminal_can_show(environment: dict[str, str], said: str) -> None:
    encoding = environment.get("PYTHONIOENCODING", "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", ASKING], env={**os.environ, **environment}, capture_output=True, check=True
    )
    assert done.stdout.decode(encoding).strip() == said
