"""Packages of the bundle's own repository: which there are for this machine, and the change that installs some.

Owns how yum and dnf are called: with our repository alone, whatever others are configured, and none of them touched.
The repository's file is written by the step `repo`.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.host.changes import SameRecord
from bundler.host.failure import ChangeFailedError, ChangeFailure, Reason
from bundler.host.journal import Record
from bundler.model.rpm.nevra import Nevra
from bundler.site.step import StepContext, StepFinding
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from bundler.host.changes import Change
    from bundler.host.interface import CommandResult, Host

REPOSITORY = "bundler-site"
# yum is what EL7 has, and another name of dnf on later ones
MANAGERS = ("yum", "dnf")
# a slow mirror and an old disk
INSTALL_WITHIN_S = 3600.0
_NOARCH, _ENDING = "noarch", ".rpm"
_MAX_LINES = 12


def packages(names: Iterable[str]) -> Change:
    """Return the change by which packages, named without versions, are installed from our repository alone."""
    return InstallPackages(tuple(dict.fromkeys(names)))


def offered(at: StepContext) -> frozenset[str]:
    """Return the names of all packages that the bundle has for this machine."""
    machine = at.host.machine()
    found = (nevra_of(path) for path in at.bundle.digests)
    return frozenset(nevra.name for nevra in found if nevra is not None and nevra.arch in (machine, _NOARCH))


def missing_packages(at: StepContext, names: Iterable[str]) -> tuple[StepFinding, ...]:
    """Return an unmet finding for packages that are neither installed nor in the bundle; () when all can be had."""
    there = offered(at)
    lacking = [name for name in names if name not in there and not is_installed(at.host, name)]
    if not lacking:
        return ()
    return (
        StepFinding(
            "package-missing",
            tr("the bundle has no {lacking} for {machine}", lacking=", ".join(lacking), machine=at.host.machine()),
            at.bundle.root,
            tr("Add it to `packages` of the manifest's rpms and build again, or install it from elsewhere."),
        ),
    )


def nevra_of(path: str) -> Nevra | None:
    """Return what a path of a bundle says of a package; None for any other path."""
    name = path.rpartition("/")[2]
    if not name.endswith(_ENDING):
        return None
    try:
        return Nevra.parse(name.removesuffix(_ENDING))
    except ValueError:
        return None


def package_manager(host: Host) -> str:
    """Return the program that installs packages on this host; "" where there is none that we know."""
    return next(
        (name for name in MANAGERS if any(host.exists(f"{place}/{name}") for place in ("/usr/bin", "/bin"))), ""
    )


def is_installed(host: Host, name: str) -> bool:
    """Tell whether rpm knows a package as installed."""
    return host.run(("rpm", "-q", name)).code == 0


def on_ours_alone(manager: str) -> tuple[str, ...]:
    """Return what a command line begins with that sees our repository and no other one."""
    return (manager, "-y", "--disablerepo=*", f"--enablerepo={REPOSITORY}*")


@dataclass(frozen=True, slots=True)
class InstallPackages(SameRecord):
    """Packages that are to be installed, from our repository alone. Undoing leaves them: others may need them by then.

    Arguments:
        names: without versions.
    """

    names: tuple[str, ...]

    @property
    def title(self) -> str:
        """The packages' names."""
        return tr("install {names}", names=" ".join(self.names))

    def describe(self, host: Host) -> str:
        """Return the command as it would be typed."""
        return f"{self.title}\n    {shlex.join(self._command(host))}"

    def is_done(self, host: Host) -> bool:
        """Ask rpm."""
        return not self._missing(host)

    def apply(self, host: Host, *, ours: Collection[str], force: bool) -> tuple[()]:
        """Install them, and look whether they are there then: yum is content when it has found nothing to do."""
        del ours, force
        command = self._command(host)
        done = host.run(command, within_s=INSTALL_WITHIN_S)
        if done.code != 0:
            raise ChangeFailedError(_failure(command, done))
        if missing := self._missing(host):
            what = tr("ended well, and {missing} is not installed", missing=", ".join(missing))
            raise ChangeFailedError(ChangeFailure(Reason.COMMAND_FAILED, what, where=shlex.join(command)))
        # rpm notes a package as installed on the disk before it has its files there
        host.run(("sync",))
        return ()

    def _command(self, host: Host) -> tuple[str, ...]:
        return (*on_ours_alone(package_manager(host) or MANAGERS[0]), "install", *self.names)

    def _missing(self, host: Host) -> Sequence[str]:
        return [name for name in self.names if not is_installed(host, name)]

    def record_anywhere(self) -> Record:
        """Return what stays, and how it goes."""
        names = " ".join(self.names)
        return Record(stays=f"packages stay installed: {names} (`yum remove {names}`)")


def _failure(command: tuple[str, ...], done: CommandResult) -> ChangeFailure:
    """Return what the manager complains of: its first line that says Error, which hints follow."""
    lines = [line.strip() for line in f"{done.stderr}\n{done.stdout}".splitlines() if line.strip()]
    first = next((line for line in lines if line.startswith("Error")), lines[0] if lines else tr("it printed nothing"))
    return ChangeFailure(
        Reason.COMMAND_FAILED,
        tr("exit {code}: {first}", code=done.code, first=first),
        where=shlex.join(command),
        lines=tuple(lines[:_MAX_LINES]),
    )
