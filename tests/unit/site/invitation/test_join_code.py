"""Codes that people type: what was typed wrong is found, and said where."""

from __future__ import annotations

import random

import pytest

from bundler.site.invitation.join_code import JoinCode, MistypedCodeError

CODE = JoinCode(bytes(range(16)), bytes(range(100, 132)))
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def test_a_code_is_typed_as_people_type() -> None:
    text = CODE.text
    assert [len(group) for group in text.split("-")] == [6] * 16
    assert set(text) <= {*ALPHABET, "-"}
    assert JoinCode.parse(text) == CODE
    assert JoinCode.parse(f"  {text.lower().replace('-', ' ')}\r\n") == CODE
    assert JoinCode.parse(text.replace("-", "").replace("0", "O").replace("1", "l")) == CODE


def test_codes_of_any_content_come_back() -> None:
    random_bytes = random.Random(1)
    for _ in range(200):
        code = JoinCode(random_bytes.randbytes(16), random_bytes.randbytes(32))
        assert JoinCode.parse(code.text) == code
    assert JoinCode.parse(JoinCode(bytes(16), b"\xff" * 32).text).certificate == b"\xff" * 32


def test_the_form_of_a_code_stays() -> None:
    assert CODE.text == (
        "000G48-0R40M5-30E206-9185GE-R38E1G-XJ6ASR-K7D1MQ-PMTVCC-DNQ6YK-W3HE9B-SQ8XB3-PEXW7A-JYKVFA-HYQWZ7-W0G614-866WT8"
    )


@pytest.mark.parametrize("place", range(96))
def test_one_wrong_character_is_found_in_its_group(place: int) -> None:
    typed = list(CODE.text.replace("-", ""))
    for character in ALPHABET:
        if character == typed[place]:
            continue
        wrong = "".join([*typed[:place], character, *typed[place + 1 :]])
        with pytest.raises(MistypedCodeError, match=f"^group {place // 6 + 1} is mistyped"):
            JoinCode.parse(wrong)


def test_swapped_neighbours_and_swapped_groups_are_found() -> None:
    typed = CODE.text.replace("-", "")
    for place in range(95):
        swapped = typed[:place] + typed[place + 1] + typed[place] + typed[place + 2 :]
        if swapped != typed:
            with pytest.raises(MistypedCodeError, match=r"^group \d+ is mistyped"):
                JoinCode.parse(swapped)
    groups = CODE.text.split("-")
    for first in range(15):
        moved = [*groups[:first], groups[first + 1], groups[first], *groups[first + 2 :]]
        with pytest.raises(MistypedCodeError, match=f"^group {first + 1} "):
            JoinCode.parse("-".join(moved))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("", "has 0"),
        (CODE.text[:-1], "has 95"),
        (CODE.text + "A", "has 97"),
        (CODE.text[1:], "group 1 is mistyped"),
        ("U" + CODE.text[1:], "group 1 holds a character"),
        (CODE.text.replace("G", "ß"), "group"),
        ("curl http://master", "group 1 holds"),
        ("\0" * 96, "group 1 holds"),
        ("A" * 100_000, "group 1"),
    ],
)
def test_what_is_no_code_is_told_without_it(wrong: str, words: str) -> None:
    with pytest.raises(MistypedCodeError, match=words) as refused:
        JoinCode.parse(wrong)
    assert CODE.text[:6] not in str(refused.value)


def test_a_code_does_not_show_its_secret() -> None:
    assert "secret" not in repr(CODE)
    with pytest.raises(ValueError, match="16 bytes"):
        JoinCode(b"short", bytes(32))
