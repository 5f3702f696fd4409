"""WWW-Authenticate: parsing the challenges alone; `token_auth.py` answers them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_HEADER_CHARACTERS = 64 * 1024
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - RFC 9110 section 5.6.2, not a secret
_SEPARATORS = re.compile(r"[ \t,]*")
_SCHEME = re.compile(rf"({_TOKEN})(?=[ \t,]|$)[ \t]*")
# a bare value may contain characters that a token may not (`realm=https://host/token`): some registries omit the quotes
_PARAMETER = re.compile(rf'({_TOKEN})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,"=][^\s,"]*))(?=[ \t,]|$)', re.DOTALL)
_TOKEN68 = re.compile(r"([A-Za-z0-9._~+/-]+=*)(?=[ \t]*(?:,|$))")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Challenge:
    """One offered scheme, in lower case, with either parameters (names in lower case) or a token68."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    token68: str = ""


def parse_challenges(header: str) -> tuple[Challenge, ...]:
    """Return the challenges of one field value, or of several joined by commas, in their order.

    Follows RFC 9110 section 11.6.1: quoted strings with escapes, token68, empty list elements. Of a repeated
    parameter the first one counts. Raises ValueError, naming the position, for any other value.
    """
    if len(header) > MAX_HEADER_CHARACTERS:
        raise ValueError(
            tr("longer than {max_header_characters} characters", max_header_characters=MAX_HEADER_CHARACTERS)
        )
    challenges: list[Challenge] = []
    position = _skip(header, 0)
    while position < len(header):
        scheme = _SCHEME.match(header, position)
        if scheme is None:
            raise ValueError(tr("no authentication scheme at character {position}", position=position))
        position = scheme.end()
        parameters, after = _parameters(header, position)
        token68 = "" if parameters else _token68(header, position)
        position = _skip(header, after if parameters else position + len(token68))
        challenges.append(Challenge(scheme.group(1).lower(), parameters, token68))
    return tuple(challenges)


def _skip(header: str, position: int) -> int:
    found = _SEPARATORS.match(header, position)
    return found.end() if found else position


def _token68(header: str, position: int) -> str:
    found = _TOKEN68.match(header, position)
    return found.group(1) if found else ""


def _parameters(header: str, position: int) -> tuple[dict[str, str], int]:
    parameters: dict[str, str] = {}
    end = position
    while (found := _PARAMETER.match(header, position)) is not None:
        name, quoted, bare = found.groups()
        parameters.setdefault(name.lower(), bare if quoted is None else _ESCAPED.sub(r"\1", quoted))
        end = found.end()
        position = _skip(header, end)
    return parameters, end
