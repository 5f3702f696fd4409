"""What installing the service takes on a given host. Pure: facts and options in, changes out."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, ServeError
from bundler.host.changes import Change, RunCommand
from bundler.host.file_changes import WriteFile
from bundler.translation import tr
from mirror.service.facts import LOGROTATE
from mirror.service.firewall import firewall_changes
from mirror.service.unit import UNIT_NAME, rotation_text, unit_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mirror.service.facts import Facts
    from mirror.settings import Network, Settings

UNIT_FILE = f"/etc/systemd/system/{UNIT_NAME}"
ROTATION_FILE = f"{LOGROTATE}/kubeedge-mirror"
_RELOAD = ("systemctl", "daemon-reload")


@dataclass(frozen=True, slots=True)
class InstallOptions:
    """What the operator wants.

    Arguments:
        arguments: of `mirror serve`.
        settings: what these mean.
        open_firewall: whether clients on other hosts are let through.
        allow: to which of them the ports are opened; empty for those that `mirror serve` allows, else everybody.
    """

    arguments: tuple[str, ...]
    settings: Settings
    open_firewall: bool = False
    allow: tuple[Network, ...] = ()


def install_plan(facts: Facts, options: InstallOptions) -> tuple[Change, ...]:
    """Return the changes in order; each may find itself done. Undone in reverse, they leave nothing.

    Raises ServeError (SERVICE_FAILED: a path that systemd could not find, a word that no line can hold),
    ToolMissingError.
    """
    _require_absolute(options.settings)
    _require_one_line(options.arguments)
    return tuple(_changes(facts, options))


def _changes(facts: Facts, options: InstallOptions) -> Iterator[Change]:
    settings = options.settings
    # undone last: systemd forgets the unit once its file is gone
    yield RunCommand((), undo=_RELOAD)
    program = (facts.launcher,) if facts.launcher else (facts.interpreter, "-I", "-m", "mirror")
    unit = unit_text(program, options.arguments, settings, installation=facts.installation, selinux=facts.selinux)
    files = [WriteFile(UNIT_FILE, unit)]
    if isinstance(settings.access_log, Path):
        place = str(settings.access_log.parent)
        yield RunCommand(
            ("mkdir", "-p", place),
            undo=("rmdir", "--ignore-fail-on-non-empty", place),
            check=("test", "-d", place),
        )
        if facts.logrotate:
            files.append(WriteFile(ROTATION_FILE, rotation_text(str(settings.access_log))))
    yield from files
    if facts.selinux:
        yield RunCommand(("restorecon", *(file.path for file in files)))
    if options.open_firewall:
        yield from firewall_changes(facts, settings, options.allow or settings.allow)
    yield RunCommand(_RELOAD)
    for verb, back, state in (("enable", "disable", "is-enabled"), ("restart", "stop", "")):
        check = ("systemctl", "--quiet", state, UNIT_NAME) if state else ()
        yield RunCommand(("systemctl", verb, UNIT_NAME), undo=("systemctl", back, UNIT_NAME), check=check)


def _require_one_line(arguments: Iterable[str]) -> None:
    for word in arguments:
        if any(unicodedata.category(character) == "Cc" for character in word):
            raise ServeError(
                ErrorId.SERVICE_FAILED,
                tr("holds a control character, and would begin another line of the unit"),
                where=repr(word),
                remedy=tr("Give the file or directory another name."),
            )


def _require_absolute(settings: Settings) -> None:
    named = [
        settings.root,
        *(share.directory for share in settings.shares),
        *(settings.tls or ()),
        *settings.keys,
        settings.users,
    ]
    named += [settings.access_log] if isinstance(settings.access_log, Path) else []
    for path in named:
        if path is not None and not path.is_absolute():
            raise ServeError(
                ErrorId.SERVICE_FAILED,
                tr("is a relative path, and systemd starts the mirror elsewhere"),
                where=str(path),
                remedy=tr("Name it from the root directory on."),
            )
