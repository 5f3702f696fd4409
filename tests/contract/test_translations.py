"""Every text for people is in the catalogue, translated, and what programs read is what people wrote."""

from __future__ import annotations

import ast
import json
import re

import pytest

from scripts.catalogues.files import CATALOGUES, LANGUAGE, OURS, CatalogueFile, fields
from scripts.catalogues.source_texts import source_texts
from tests.contract.checkout import PRODUCT, ROOT, python_files

# the words of facts that have one translation each; none of these is used for them any more
OTHER_WORDS = ("内容库", "软件源", "镜像站", "镜像服务", "解开", "加载镜像", "凭证", "帐户")
# what begins with words for people: columns of a table, the outcome of a task
_SHOWN = ("table", "table_lines", "finish")
# words of pages, which have languages of their own
PAGES = ("bundler/report/words/zh.json", "mirror/page/words/zh.json")
_CODE = re.compile(r"`[^`]*`")


def translations(name: str) -> dict[str, str]:
    """Return text -> translation of a catalogue."""
    found = {}
    for message in CatalogueFile(ROOT, name).messages():
        text = message.id if isinstance(message.id, str) else message.id[0]
        found[text] = message.string if isinstance(message.string, str) else (message.string or ("",))[0]
    return found


@pytest.mark.parametrize("name", CATALOGUES)
def test_catalogues_are_complete_and_compiled(name: str) -> None:
    texts = source_texts(ROOT)
    assert len(texts) > 2000
    assert list(CatalogueFile(ROOT, name).problems(texts)) == [], "run scripts/translations, then translate"


def test_words_in_tables_and_at_the_end_of_progress_are_texts_for_people() -> None:
    bare = [
        f"{path.relative_to(ROOT)}:{part.lineno}: {part.value!r}"
        for path in python_files(*PRODUCT)
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in _SHOWN
        for argument in call.args[:1]
        for part in (argument.elts if isinstance(argument, ast.Tuple) else [argument])
        if isinstance(part, ast.Constant) and part.value
    ]
    assert bare == []


@pytest.mark.parametrize("name", CATALOGUES)
def test_every_encoding_of_chinese_has_the_characters(name: str) -> None:
    # GB 2312 is what the locale zh_CN without a name of an encoding means
    lost = []
    for text in translations(name).values():
        try:
            text.encode("gb2312")
        except UnicodeEncodeError as error:
            lost.append((text, text[error.start]))
    assert lost == []


def test_an_idea_has_one_word() -> None:
    pages = [json.loads((ROOT / words).read_text()) for words in PAGES]
    assert all(pages)
    used = {
        text: word
        for words in (translations(OURS), *pages)
        for text, string in words.items()
        for word in OTHER_WORDS
        if word in _CODE.sub("", string)
    }
    assert used == {}


def test_indented_lines_stay_indented() -> None:
    wrong = [text for text, string in translations(OURS).items() if text.startswith("  ") != string.startswith("  ")]
    assert wrong == []


def test_fields_of_a_template_are_found() -> None:
    assert fields("{a} and {b!r} of {c:,}") == {"a!None:", "b!r:", "c!None:,"}
    assert fields("put ${arch} here; 100 %") == {"arch!None:"}
    assert fields("no fields") == fields("a lone {") == set()
    assert fields("%(prog)s") == {"%(prog)s"}


def test_the_language_has_its_directory() -> None:
    assert {path.name for path in (ROOT / "bundler" / "locale").iterdir()} == {LANGUAGE}
