"""What `mirror service install` has made, so that `remove` undoes just that. Owns the journal's JSON form. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bundler.errors import ErrorId, ServeError
from bundler.model.format_version import require_format
from bundler.model.json_value import dump_pretty, load_strict, unreadable_words
from mirror.settings import ListenAddress

if TYPE_CHECKING:
    from bundler.model.json_value import Json

JOURNAL_FORMAT = 1
JOURNAL = "/var/lib/kubeedge-mirror/service.json"


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


@dataclass(frozen=True, slots=True)
class Journal:
    """Everything that was made, in that order, and where the mirror was told to listen."""

    http: ListenAddress | None
    ftp: ListenAddress | None
    tls: bool
    made: tuple[Record, ...]

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
        return dump_pretty(
            {
                "format": JOURNAL_FORMAT,
                "http": None if self.http is None else list(self.http),
                "ftp": None if self.ftp is None else list(self.ftp),
                "tls": self.tls,
                "made": made,
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> Journal:
        """Read what `encode` wrote. Raises ServeError (SERVICE_FAILED), BundleFormatError for a higher format."""
        try:
            value = load_strict(data)
            require_format(value["format"], JOURNAL_FORMAT, what="a service's journal", where=JOURNAL)
            made = tuple(
                Record(str(item["file"]), str(item["sha256"]), tuple(item["undo"]), tuple(item["check"]))
                for item in value["made"]
            )
            return cls(_endpoint(value["http"]), _endpoint(value["ftp"]), bool(value["tls"]), made)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ServeError(
                ErrorId.SERVICE_FAILED,
                f"cannot be read: {unreadable_words(error)}",
                where=JOURNAL,
                remedy="Remove what it was for by hand (`systemctl cat kubeedge-mirror`), then the file itself.",
            ) from error


def _endpoint(value: Any) -> ListenAddress | None:
    return None if value is None else ListenAddress(str(value[0]), int(value[1]))
