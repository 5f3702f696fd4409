"""All words of the page, in both languages: `words/en.json` and `words/zh.json`, flat, with `{placeholders}`."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from bundler.model.json_value import load_strict
from mirror.page.languages import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mirror.page.languages import Language


class Words:
    """The texts of one language; a key that has none is a KeyError, which a test finds before a person does."""

    def __init__(self, language: Language, texts: Mapping[str, str]) -> None:
        self.language = language
        self._texts = texts

    def __call__(self, key: str, **values: str | int) -> str:
        """Return the text of a key with its placeholders filled; the result is plain text, not markup."""
        text = self._texts[key]
        return text.format(**values) if values else text

    def count(self, key: str, number: int) -> str:
        """Return a number and what is counted: the key's text `.one` or `.other`, with `{number}` in it."""
        return self._texts[f"{key}.{'one' if number == 1 else 'other'}"].format(number=f"{number:,}")

    def known(self, key: str, otherwise: str) -> str:
        """Return the text of a key that may be absent because its last part came from elsewhere."""
        return self._texts.get(key, otherwise)


def _read_all() -> Mapping[Language, Words]:
    place = resources.files("mirror.page") / "words"
    return {language: Words(language, load_strict((place / f"{language}.json").read_bytes())) for language in LANGUAGES}


# read when it is imported: a worker that has dropped its rights may not be able to read the installation
WORDS = _read_all()
