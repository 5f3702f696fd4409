"""The mirror's service as something that is installed: its journal, the words of its failures, install and remove."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bundler.errors import ErrorId, ServeError, ToolMissingError
from bundler.host.apply import Installer, apply_changes, read_journal, require_root, undo_all, unreadable
from bundler.host.failure import ChangeFailure, Reason
from bundler.translation import tr
from mirror.service.saved_rules import MARKS
from mirror.settings import ListenAddress

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bundler.host.changes import Change
    from bundler.host.interface import Host
    from bundler.host.journal import Journal
    from bundler.model.json_value import Json
    from mirror.service.facts import Facts
    from mirror.settings import Settings

JOURNAL = "/var/lib/kubeedge-mirror/service.json"
_WORDS = {
    Reason.NOT_ROOT: tr("only root may change the services of this host"),
    Reason.FILE_TAKEN: tr("exists already, and is not what `mirror service install` has made"),
}
_REMEDIES = {
    Reason.NOT_ROOT: tr("Run it as root, or with --dry-run to see what it would do."),
    Reason.FILE_TAKEN: tr("Look at it, then move it away."),
    Reason.COMMAND_FAILED: tr(
        "Mend what it complains of, then run the same command again; --dry-run shows every step."
    ),
    Reason.NOT_YET: tr("Look at its log, then run the same command again."),
    Reason.JOURNAL_UNREADABLE: (
        tr("Remove what it was for by hand (`systemctl cat kubeedge-mirror`), then the file itself.")
    ),
}


def _error(failure: ChangeFailure) -> ServeError:
    return ServeError(
        ErrorId.SERVICE_FAILED,
        _WORDS.get(failure.reason, failure.what),
        where=failure.where,
        remedy=_REMEDIES[failure.reason],
        step=failure.change,
    )


SERVICE = Installer(JOURNAL, tr("a service's journal"), MARKS, _error)


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the mirror was told to listen, as the head of the service's journal has it."""

    http: ListenAddress | None
    ftp: ListenAddress | None
    tls: bool

    @classmethod
    def of(cls, settings: Settings) -> Listening:
        """Return what `mirror serve` is asked for."""
        # the registry's own port answers /-/health as well
        return cls(settings.http or settings.registry, settings.ftp, settings.tls is not None)

    def encode(self) -> dict[str, Json]:
        """Return the head."""
        return {
            "http": None if self.http is None else list(self.http),
            "ftp": None if self.ftp is None else list(self.ftp),
            "tls": self.tls,
        }

    @classmethod
    def decode(cls, head: Mapping[str, Any]) -> Listening:
        """Read what `encode` returned. Raises KeyError, TypeError or ValueError for anything else."""
        return cls(_endpoint(head["http"]), _endpoint(head["ftp"]), bool(head["tls"]))


@dataclass(frozen=True, slots=True)
class Installed:
    """What is installed on a host."""

    listening: Listening
    journal: Journal


def installed_on(host: Host) -> Installed | None:
    """Return what is installed on this host, or None. Raises ServeError (SERVICE_FAILED), StorageError."""
    journal = read_journal(host, SERVICE)
    if journal is None:
        return None
    try:
        return Installed(Listening.decode(journal.head), journal)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise unreadable(SERVICE, error) from error


def install(
    host: Host, facts: Facts, changes: Sequence[Change], settings: Settings, say: Callable[[str], None]
) -> None:
    """Bring the host to what the changes say, whatever an earlier installation left; the same again changes nothing.

    An interruption leaves a journal by which `remove` undoes what was done. Raises ServeError (SERVICE_FAILED),
    ToolMissingError, StorageError.
    """
    require_root(host, SERVICE)
    if not facts.systemd:
        raise ToolMissingError(
            "systemd", package=tr("systemd, or start `mirror serve` by what this host has"), needed_for="it"
        )
    installed_on(host)
    apply_changes(host, changes, SERVICE, Listening.of(settings).encode(), say)


def remove(host: Host, say: Callable[[str], None]) -> bool:
    """Undo what was installed, and nothing else; False when nothing is. Raises as `install` does."""
    require_root(host, SERVICE)
    return installed_on(host) is not None and undo_all(host, SERVICE, say)


def _endpoint(value: Any) -> ListenAddress | None:
    return None if value is None else ListenAddress(str(value[0]), int(value[1]))
