"""What was made on a host, so that just that can be undone. Owns the journal's JSON form. Pure.

What the journal is of stands in its head, which is free: the caller's own keys beside `format` and `made`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bundler.host.interface import FileOwner
from bundler.model.format_version import require_format
from bundler.model.json_value import dump_pretty, load_strict, unreadable_words, want_count, want_flag, want_text
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bundler.model.json_value import Json

JOURNAL_FORMAT = 1
_FORMAT, _MADE = "format", "made"


@dataclass(frozen=True, slots=True)
class Original:
    """The file that was there before.

    Arguments:
        sha256: of its content, in hex, under which a copy lies beside the journal.
    """

    sha256: str
    mode: int
    owner: FileOwner


@dataclass(frozen=True, slots=True)
class Record:
    """One thing that was made, and how it goes away again.

    Arguments:
        file: a file that was written, "" for the result of a command.
        sha256: of what was written, in hex; "" where only a block of lines is known to be ours, or where the file was
            set aside.
        undo: the command that takes it away.
        check: succeeds as long as it is there; () when that cannot be told.
        answers: succeeds as long as `check` can tell anything at all; () where it always can.
        block: the file is somebody else's, and only a block of lines in it is ours.
        original: what was there before; None for nothing.
        directories: those that were made for the file, the uppermost first.
        stays: what no undoing takes away, and how it goes, for a person; "" where nothing stays.
        step: the caller's name for what it was a part of.
        at: when it was made, in seconds since 1970.
    """

    file: str = ""
    sha256: str = ""
    undo: tuple[str, ...] = ()
    check: tuple[str, ...] = ()
    block: bool = False
    original: Original | None = None
    directories: tuple[str, ...] = ()
    stays: str = ""
    step: str = ""
    at: int = 0
    answers: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, ...]:
        """What two records of the same thing have in common."""
        return (self.file, *self.undo) if self.file or self.undo else (self.stays,)

    @property
    def undo_line(self) -> str:
        """What undoing it does, for a person."""
        if self.undo:
            return " ".join(self.undo)
        if not self.file:
            return tr("leave as it is: {stays}", stays=self.stays)
        if self.block:
            return tr("take the lines out of {file}", file=self.file)
        return tr("restore {file}", file=self.file) if self.original else tr("remove {file}", file=self.file)


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
            raise ValueError(tr("a journal's head cannot hold {taken}", taken=sorted(taken)))

    def encode(self) -> bytes:
        """Return the file's content."""
        return dump_pretty({**self.head, _FORMAT: JOURNAL_FORMAT, _MADE: [_encoded(record) for record in self.made]})

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
            made = tuple(_decoded(item) for item in _list(value[_MADE]))
            journal = cls({key: kept for key, kept in value.items() if key not in (_FORMAT, _MADE)}, made)
            # what of the head is another version's has to be written again
            journal.encode()
            return journal
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(unreadable_words(error)) from error


def _encoded(record: Record) -> Json:
    value: dict[str, Json] = {
        "file": record.file,
        "sha256": record.sha256,
        "undo": list(record.undo),
        "check": list(record.check),
    }
    if original := record.original:
        value["original"] = {"sha256": original.sha256, "mode": original.mode, "owner": list(original.owner)}
    further: dict[str, Json] = {
        "block": record.block,
        "directories": list(record.directories),
        "stays": record.stays,
        "step": record.step,
        "at": record.at,
        "answers": list(record.answers),
    }
    return {**value, **{key: known for key, known in further.items() if known}}


def _decoded(item: Any) -> Record:
    original = item.get("original")
    return Record(
        want_text(item["file"]),
        want_text(item["sha256"]),
        _texts(item["undo"]),
        _texts(item["check"]),
        want_flag(item.get("block", False)),
        None if original is None else _original(original),
        _texts(item.get("directories", [])),
        want_text(item.get("stays", "")),
        want_text(item.get("step", "")),
        want_count(item.get("at", 0)),
        _texts(item.get("answers", [])),
    )


def _original(value: Any) -> Original:
    uid, gid = map(want_count, _list(value["owner"]))
    return Original(want_text(value["sha256"]), want_count(value["mode"]), FileOwner(uid, gid))


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"expected a list, got {type(value).__name__}")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    """Return the words of a command: a text in their place would be run letter by letter."""
    return tuple(map(want_text, _list(value)))
