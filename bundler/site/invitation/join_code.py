"""The code of an invitation: a secret and the SHA-256 of the listener's certificate, as a text that a person can type.

Sixteen groups of six characters. The last character of a group tells whether the group was typed as it was shown, and
the last two bytes of the whole whether all of it was, so that a typing error is found before anything is sent. Pure.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field

from bundler.translation import tr

SECRET_BYTES = 16
DIGEST_BYTES = 32
_CHECKSUM_BYTES = 2
# without letters that look like digits or like each other: Crockford's Base32, in the order of RFC 4648's values
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RFC_4648 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_TO_OURS, _FROM_OURS = str.maketrans(_RFC_4648, _ALPHABET), str.maketrans(_ALPHABET, _RFC_4648)
_READ_AS = str.maketrans("OIL", "011")
_GROUPS, _DATA_CHARACTERS = 16, 5
_GROUP_CHARACTERS = _DATA_CHARACTERS + 1
# a field of 32 elements: x^5 + x^2 + 1
_FIELD, _POLYNOMIAL = 32, 0b100101
# what the checksum is of as well: another form of code is another name here
_FORM = b"bundler.site-code/1"


class MistypedCodeError(ValueError):
    """A text is no code: a sentence for a person that says where it went wrong, and nothing of the code itself."""


@dataclass(frozen=True, slots=True)
class JoinCode:
    """A code.

    Arguments:
        secret: 16 random bytes.
        certificate: SHA-256 of the certificate (DER) that the listener shows.
    """

    secret: bytes = field(repr=False)
    certificate: bytes

    def __post_init__(self) -> None:
        if len(self.secret) != SECRET_BYTES or len(self.certificate) != DIGEST_BYTES:
            raise ValueError(tr("a code has a secret of 16 bytes and a digest of 32"))

    @property
    def text(self) -> str:
        """As a person types it."""
        content = self.secret + self.certificate
        words = base64.b32encode(content + _checksum(content)).decode().translate(_TO_OURS)
        data = (words[at : at + _DATA_CHARACTERS] for at in range(0, len(words), _DATA_CHARACTERS))
        return "-".join(group + _check_character(number, group) for number, group in enumerate(data, 1))

    @classmethod
    def parse(cls, text: str) -> JoinCode:
        """Read what `text` gave: in any case, with or without hyphens and blanks. Raises MistypedCodeError."""
        typed = "".join(text.upper().replace("-", "").split()).translate(_READ_AS)
        groups = [typed[at : at + _GROUP_CHARACTERS] for at in range(0, len(typed), _GROUP_CHARACTERS)]
        for number, group in enumerate(groups[:_GROUPS], 1):
            if any(character not in _ALPHABET for character in group):
                raise MistypedCodeError(tr("group {number} holds a character that no code has", number=number))
            if len(group) == _GROUP_CHARACTERS and _check_character(number, group[:-1]) != group[-1]:
                raise MistypedCodeError(
                    tr("group {number} is mistyped, or a character is missing or too many before it", number=number)
                )
        if len(typed) != _GROUPS * _GROUP_CHARACTERS:
            wanted = _GROUPS * _GROUP_CHARACTERS
            raise MistypedCodeError(
                tr(
                    "a code has {groups} groups, {wanted} characters in all, and this has {count}",
                    groups=_GROUPS,
                    wanted=wanted,
                    count=len(typed),
                )
            )
        content = base64.b32decode("".join(group[:-1] for group in groups).translate(_FROM_OURS))
        if _checksum(content[:-_CHECKSUM_BYTES]) != content[-_CHECKSUM_BYTES:]:
            raise MistypedCodeError(tr("it is mistyped in more than one place"))
        return cls(content[:SECRET_BYTES], content[SECRET_BYTES:-_CHECKSUM_BYTES])


def _checksum(content: bytes) -> bytes:
    return hashlib.sha256(_FORM + content).digest()[:_CHECKSUM_BYTES]


def _check_character(number: int, group: str) -> str:
    """Return a group's last character, which tells one wrong character, two swapped ones and a group out of place."""
    value = number
    for character in group:
        value = _times_x(value) ^ _ALPHABET.index(character)
    return _ALPHABET[_times_x(value)]


def _times_x(value: int) -> int:
    value <<= 1
    return value ^ _POLYNOMIAL if value & _FIELD else value
