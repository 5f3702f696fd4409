"""What was made on a host, so that just that can be undone. Owns the journal's JSON form. Pure.

What the journal is of stands in its head, which is free: the caller's own keys beside `format` and `made`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.model.format_version import require_format
from bundler.model.json_value import dump_pretty, load_strict, unreadable_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bundler.model.json_value import Json

JOURNAL_FORMAT = 1
_FORMAT, _MADE = "format", "made"


@dataclass(frozen=True, slots=True)
class Record:
    """One thing that was made, and how it goes away again.

    Arguments:
        file: a file that was written, "" for the result of a command.
        sha256: of what was written, in hex; of a file that only got a block of lines, "".
        undo: the command that takes it away.
        check: succeeds as long as it is there; () when that cannot be told.
    """

    file: str = ""
    sha256: str = ""
    undo: tuple[str, ...] = ()
    check: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, ...]:
        """What two records of the same thing have in common."""
        return (self.file, *self.undo)

    @property
    def undo_line(self) -> str:
        """What undoing it does, for a person."""
        return " ".join(self.undo) or f"remove {self.file}"


@dataclass(frozen=True, slots=True)
class Journal:
    """Everything that was made, in that order, and what it was made for.

    Arguments:
        head: the caller's own keys; those that it does not know are another version's and are kept.
    """

    head: Mapping[str, Json]
    made: tuple[Record, ...] = ()

    def __post_init__(self) -> None:
        if taken := self.head.keys() & {_FORMAT, _MADE}:
            raise ValueError(f"a journal's head cannot hold {sorted(taken)}")

    def encode(self) -> bytes:
        """Return the file's content."""
        made: list[Json] = [
            {
                "file": record.file,
                "sha256": record.sha256,
                "undo": list(record.undo),
                "check": list(record.check),
            }
            for record in self.made
        ]
        return dump_pretty({**self.head, _FORMAT: JOURNAL_FORMAT, _MADE: made})

    @classmethod
    def decode(cls, data: bytes, *, what: str, where: str) -> Journal:
        """Read what `encode` wrote.

        Arguments:
            what: what it is, with its article. where: its name.

        Raises ValueError with words for a person, BundleFormatError for a higher format.
        """
        try:
            value = load_strict(data)
            require_format(value[_FORMAT], JOURNAL_FORMAT, what=what, where=where)
            made = tuple(
                Record(str(item["file"]), str(item["sha256"]), tuple(item["undo"]), tuple(item["check"]))
                for item in value[_MADE]
            )
            journal = cls({key: kept for key, kept in value.items() if key not in (_FORMAT, _MADE)}, made)
            # what of the head is another version's has to be written again
            journal.encode()
            return journal
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(unreadable_words(error)) from error
