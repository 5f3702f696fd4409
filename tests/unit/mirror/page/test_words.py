"""Both languages say the same things, and every template finds its words."""

from __future__ import annotations

import re
import string
from importlib import resources

import pytest

from mirror.page.languages import LANGUAGES
from mirror.page.words import WORDS, Words

TEXTS = {language: WORDS[language]._texts for language in LANGUAGES}
# keys whose last part comes from elsewhere
MADE = re.compile(r"^(kind|column|filter|group|vouched|tool|problem\.\w+)\.|\.(one|other)$")


def _placeholders(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


def test_languages_have_the_same_keys() -> None:
    assert list(TEXTS["en"]) == list(TEXTS["zh"])


@pytest.mark.parametrize("key", TEXTS["en"])
def test_languages_have_the_same_placeholders(key: str) -> None:
    assert _placeholders(TEXTS["en"][key]) == _placeholders(TEXTS["zh"][key])
    assert all(texts[key].strip() for texts in TEXTS.values())


def test_chinese_is_chinese() -> None:
    alike = {key for key, text in TEXTS["en"].items() if TEXTS["zh"][key] == text}
    assert alike == {"column.sha256", "kind.rpm", "tool.docker", "tool.containerd", "tool.ftp"}


def test_no_word_is_left_over() -> None:
    sources = [file.read_text() for file in (resources.files("mirror.page") / "templates").iterdir()]
    sources += [file.read_text() for file in resources.files("mirror.page").iterdir() if file.name.endswith(".py")]
    everything = "\n".join(sources)
    unused = {key for key in TEXTS["en"] if f'"{key}"' not in everything and f"'{key}'" not in everything}
    assert {key for key in unused if not MADE.search(key)} == set()


def test_numbers_have_their_form() -> None:
    words = WORDS["en"]
    assert [words.count("count.files", number) for number in (0, 1, 1234567)] == [
        "0 files",
        "1 file",
        "1,234,567 files",
    ]
    assert WORDS["zh"].count("count.files", 1) == "1 个文件"


def test_missing_key_is_found_at_once() -> None:
    with pytest.raises(KeyError):
        Words("en", {})("no-such-key")
