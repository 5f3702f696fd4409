"""The language in which people are spoken to, and their texts in it.

Every text for a person is written in English where it is needed and passes through `tr`, which gives it in the
language of this process: from the environment, decided when the first text is asked for, and for good. Owns that choice
and how catalogues are read; refuses to know who prints a text. What programs read (keys, ids, protocols), what goes
into bundles, locks and journals, and the scripts that travel are English and do not pass here. docs/adr/0047.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from gettext import NullTranslations

CHINESE = "zh_CN"
DOMAIN = "bundler"
# Click's own words, which it asks the standard library for
CLICK_DOMAIN = "click"
LOCALES = os.path.join(os.path.dirname(__file__), "locale")  # noqa: PTH118, PTH120 - loaded by every command, pathlib is not
# the first that is set and not empty decides (POSIX.1-2024, XBD 8.2)
_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
_SIMPLIFIED = ("zh_CN", "zh_Hans")
# characters of every Chinese encoding, in each of the texts
_PROBE = "错误：（）「」、，。；"


def wanted_language(environment: Mapping[str, str]) -> str:
    """Return CHINESE where the environment asks for simplified Chinese, else "", which is English."""
    named = next((value for name in _VARIABLES if (value := environment.get(name))), "")
    return CHINESE if named.startswith(_SIMPLIFIED) else ""


def can_show(encodings: Iterable[str | None]) -> bool:
    """Tell whether Chinese can be written in all of these encodings; None stands for a stream that is closed."""
    try:
        for encoding in encodings:
            _PROBE.encode(encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def catalogue(language: str, domain: str = DOMAIN) -> NullTranslations:
    """Return the texts of a language that has a catalogue; OSError when it is not there."""
    import gettext

    return gettext.translation(domain, LOCALES, [language])


def tr(template: str, /, **values: object) -> str:
    """Return a text for a person in the language of this process.

    Arguments:
        template: the text in English, a literal, for the catalogue is made from the source; with values in the syntax
            of `str.format`, without any as it stands.
        values: for the template's fields.
    """
    text = translated(template)
    return text.format_map(values) if values else text


def tr_plural(one: str, many: str, count: int, /, **values: object) -> str:
    """Return `tr` of one of two templates, by a number, which is their field `count`."""
    found = _texts()
    text = (one if count == 1 else many) if found is None else found.ngettext(one, many, count)
    return text.format_map({"count": count, **values})


def marked(text: str) -> str:
    """Return a text as it is, for `translated` later: the mark by which it comes into the catalogue."""
    return text


def translated(text: str) -> str:
    """Return a text that was marked, or a command's docstring, in the language of this process."""
    found = _texts()
    return text if found is None or not text else found.gettext(text)


def teach_click() -> None:
    """Let Click's own words be in the language of this process too."""
    if _texts() is None:
        return
    import gettext

    # what the standard library asks before LC_ALL, and it knows no zh_Hans
    os.environ["LANGUAGE"] = CHINESE
    gettext.bindtextdomain(CLICK_DOMAIN, LOCALES)
    gettext.textdomain(CLICK_DOMAIN)


@cache
def _texts() -> NullTranslations | None:
    """Return the catalogue of this process, None for English."""
    language = wanted_language(os.environ)
    streams = (sys.stdout, sys.stderr)
    if not language or not can_show(getattr(stream, "encoding", None) for stream in streams):
        return None
    try:
        return catalogue(language)
    except OSError:
        # an installation that has lost its catalogue still speaks
        return None
