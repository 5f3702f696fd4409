"""The journal's form on disk, which later versions have to read."""

from __future__ import annotations

import pytest

from bundler.errors import BundleFormatError
from bundler.host.journal import Journal, Record

JOURNAL = Journal(
    {"tls": False, "http": ["", 8088], "ä": None},
    (Record(file="/etc/unit", sha256="ab"), Record(undo=("drop", "it"), check=("has", "it"))),
)
WRITTEN = """{
  "format": 1,
  "http": [
    "",
    8088
  ],
  "made": [
    {
      "check": [],
      "file": "/etc/unit",
      "sha256": "ab",
      "undo": []
    },
    {
      "check": [
        "has",
        "it"
      ],
      "file": "",
      "sha256": "",
      "undo": [
        "drop",
        "it"
      ]
    }
  ],
  "tls": false,
  "ä": null
}
"""


def decode(text: str) -> Journal:
    return Journal.decode(text.encode(), what="a journal", where="j")


def test_the_form_on_disk() -> None:
    assert JOURNAL.encode().decode() == WRITTEN
    assert decode(WRITTEN) == JOURNAL


def test_keys_that_are_not_known_stay_in_the_head_and_are_left_out_of_records() -> None:
    found = decode(
        '{"format": 1, "new": {"a": [1]}, "made": [{"file": "f", "sha256": "", "undo": [], "check": [], "when": 7}]}'
    )
    assert found == Journal({"new": {"a": [1]}}, (Record(file="f"),))


@pytest.mark.parametrize("key", ["format", "made"])
def test_a_head_cannot_hold_what_is_the_journal_s_own(key: str) -> None:
    with pytest.raises(ValueError, match=key):
        Journal({key: 1})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}", "'format' is missing"),
        ('{"format": 1}', "'made' is missing"),
        ('{"format": 1, "made": [{"file": "f"}]}', "'sha256' is missing"),
        ("{", "no JSON at line 1"),
        ("[" * 100_000, "nested too deep"),
        ('{"format": 0}', "format 0 is unknown"),
        ('{"format": 1, "made": {}}', "expected a list, got dict"),
        ('{"format": 1, "made": [{"file": null, "sha256": "", "undo": [], "check": []}]}', "None is not a string"),
        (
            '{"format": 1, "made": [{"file": "", "sha256": "", "undo": "rm x", "check": []}]}',
            "expected a list, got str",
        ),
        ('{"format": 1, "made": [{"file": "", "sha256": "", "undo": [1], "check": []}]}', "1 is not a string"),
    ],
)
def test_what_cannot_be_read(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        decode(text)


def test_a_higher_format() -> None:
    with pytest.raises(BundleFormatError, match="j: is a journal of format 2; this version reads format 1"):
        decode('{"format": 2}')
