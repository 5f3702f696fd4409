"""Which language a person gets. Pure (RFC 9110, 12.5.4; matching as RFC 4647, 3.3.1, the other way round)."""

from __future__ import annotations

from typing import Literal, get_args

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
DEFAULT: Language = "en"
LANGUAGE_COOKIE = "lang"
MAX_RANGES = 32


def choose_language(query_lang: str, cookie_or_empty: str, accept_language: str) -> Language:
    """Return the language of an answer: the URL's, else the cookie's, else the browser's, else English.

    Arguments:
        query_lang: the value of `?lang=`, "" for none; whatever is no language of ours counts as none.
        cookie_or_empty: the value of the cookie `lang`, likewise.
        accept_language: the field's value; a range that cannot be read is passed over, the first of equals wins.
    """
    for asked in (query_lang, cookie_or_empty):
        if (known := known_language(asked)) is not None:
            return known
    best: tuple[float, Language] = (0.0, DEFAULT)
    for item in accept_language.split(",", MAX_RANGES)[:MAX_RANGES]:
        tag, _, parameters = item.partition(";")
        quality = _quality(parameters)
        language = DEFAULT if tag.strip() == "*" else known_language(tag.strip().partition("-")[0].lower())
        if language is not None and quality > best[0]:
            best = (quality, language)
    return best[1]


def known_language(text: str) -> Language | None:
    """Return the language of that name, or None."""
    return next((language for language in LANGUAGES if language == text), None)


def _quality(parameters: str) -> float:
    """Return the weight of a range, 1 when it has none, 0 when it cannot be read (RFC 9110, 12.4.2)."""
    name, _, value = parameters.strip().partition("=")
    if not name:
        return 1.0
    value = value.strip()
    if name.strip().lower() != "q" or not value.isascii() or not value.replace(".", "", 1).isdigit():
        return 0.0
    quality = float(value)
    return quality if quality <= 1 else 0.0
