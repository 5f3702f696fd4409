"""Harbor's installer beside the bundle: unpacked, run when what it makes things of has changed, and Harbor's health."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bundler.host.changes import Await, failed_command, must
from bundler.host.failure import ChangeFailedError
from bundler.host.journal import Record
from bundler.model.json_value import load_foreign
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from bundler.host.interface import Host

INSTALL_WITHIN_S = 1800.0
UNPACK_WITHIN_S = 900.0
HEALTHY_WITHIN_S = 300.0
_LOOPBACK = "127.0.0.1"
_HEALTH = "/api/v2.0/health"
# with it in the environment install.sh writes another hostname into harbor.yml
_ENVIRONMENT = {"host": ""}
_CONTAINERS = ("docker", "ps", "--all", "--filter", "name=harbor", "--format", "{{.Names}}: {{.Status}}")


@dataclass(frozen=True, slots=True)
class InstallerUnpacked:
    """The installer's directory.

    Arguments:
        archive: path of the bundle's file. sha256: its digest, in hex.
        directory: what it becomes, beside the bundle.
    """

    archive: str
    sha256: str
    directory: str

    @property
    def title(self) -> str:
        """From where to where."""
        return tr("unpack {archive} to {directory}", archive=self.archive, directory=self.directory)

    @property
    def key(self) -> tuple[str, ...]:
        """What stays."""
        return (self._stays,)

    @property
    def _stays(self) -> str:
        return f"Harbor's installer in {self.directory}; `rm -r {self.directory}` removes it"

    @property
    def _stamp(self) -> str:
        return f"{self.directory}/.unpacked"

    def record(self, host: Host) -> Record:
        """That it stays."""
        del host
        return Record(stays=self._stays)

    def describe(self, host: Host) -> str:
        """Return the title."""
        del host
        return self.title

    def is_done(self, host: Host) -> bool:
        """Tell whether it was unpacked to the end; where others went on from it, they have unpacked it."""
        stamp = host.read(self._stamp)
        if stamp is None:
            return host.exists(f"{self.directory}/harbor.yml") and host.exists(f"{self.directory}/harbor.yml.tmpl")
        return stamp.decode(errors="replace").strip() == self.sha256

    def apply(self, host: Host, *, ours: Collection[str], force: bool) -> tuple[()]:
        """Unpack it, see it on the disk, then say so."""
        del ours, force
        host.make_directory(self.directory, 0o755)
        command = ("tar", "-xzf", self.archive, "-C", self.directory, "--strip-components=1", "--no-same-owner")
        done = host.run(command, within_s=UNPACK_WITHIN_S)
        if done.code != 0:
            raise ChangeFailedError(failed_command(command, done))
        must(host, ("sync",))
        host.write(self._stamp, f"{self.sha256}\n".encode())
        return ()


@dataclass(frozen=True, slots=True)
class HarborInstalled:
    """Harbor's containers, made anew whenever what they are made of has changed.

    Arguments:
        directory: of the installer.
        inputs: files that the installer copies: the certificate and its key.
        data: directory of its data, which no undoing removes.
    """

    directory: str
    inputs: tuple[str, ...]
    data: str

    @property
    def title(self) -> str:
        """The command."""
        return f"{self.directory}/install.sh"

    @property
    def key(self) -> tuple[str, ...]:
        """Its undoing."""
        return ("", *self._compose("down"))

    def _compose(self, *words: str) -> tuple[str, ...]:
        return ("docker-compose", "--file", f"{self.directory}/docker-compose.yml", *words)

    @property
    def _stamp(self) -> str:
        return f"{self.directory}/.installed"

    def record(self, host: Host) -> Record:
        """How its containers go; its data and its images stay."""
        del host
        stays = f"Harbor's data in {self.data} and its images; `rm -r {self.data}` removes the data"
        return Record(
            undo=self._compose("down"), check=("test", "-e", f"{self.directory}/docker-compose.yml"), stays=stays
        )

    def describe(self, host: Host) -> str:
        """Return the command, and for how long."""
        del host
        return tr(
            "{title}    # without the variable `host`, for at most {install_within_s:.0f} minutes",
            title=self.title,
            install_within_s=INSTALL_WITHIN_S / 60,
        )

    def is_done(self, host: Host) -> bool:
        """Tell whether it was run to its end with what is there now, and its containers are there, running or not."""
        if host.read(self._stamp) != self._fingerprint(host):
            return False
        asked = host.run(self._compose("ps", "--quiet"))
        return asked.code == 0 and bool(asked.stdout.strip())

    def apply(self, host: Host, *, ours: Collection[str], force: bool) -> tuple[()]:
        """Run it."""
        del ours, force
        command = (f"{self.directory}/install.sh",)
        done = host.run(command, environment=_ENVIRONMENT, within_s=INSTALL_WITHIN_S)
        if done.code != 0:
            raise ChangeFailedError(failed_command(command, done, remedy=_installer_remedy(done.stdout + done.stderr)))
        host.write(self._stamp, self._fingerprint(host))
        return ()

    def _fingerprint(self, host: Host) -> bytes:
        digests = [host.digest(path) for path in (f"{self.directory}/harbor.yml", *self.inputs)]
        return f"{hashlib.sha256(' '.join(digests).encode()).hexdigest()}\n".encode()


def harbor_awaited(port: int, *, tls: bool) -> Await:
    """Return the change that is Harbor's health."""
    return Await(
        tr("wait until Harbor is healthy"),
        lambda host: unhealthy(host, port, tls=tls),
        HEALTHY_WITHIN_S,
        remedy=tr("Look at `docker ps --all` and at Harbor's logs in /var/log/harbor."),
        evidence=_containers,
        every_s=2.0,
    )


def unhealthy(host: Host, port: int, *, tls: bool) -> str:
    """Return what Harbor's health lacks, for a person; "" where all of it is healthy."""
    answer = host.http_get(_LOOPBACK, port, _HEALTH, tls=tls)
    if answer is None:
        return tr("nothing answers on port {port}", port=port)
    try:
        health: Any = load_foreign(answer.text)
        status, components = health["status"], health["components"]
        ill = [
            tr("{name} is {status}", name=one["name"], status=one["status"])
            for one in components
            if one["status"] != "healthy"
        ]
    except (ValueError, TypeError, KeyError, json.JSONDecodeError):
        return tr("{health} answers {status}, and is not Harbor's", health=_HEALTH, status=answer.status)
    return "" if status == "healthy" else ", ".join(ill) or tr("its status is {status}", status=status)


def _containers(host: Host) -> tuple[str, ...]:
    asked = host.run(_CONTAINERS)
    return tuple(asked.stdout.splitlines()) if asked.code == 0 else ()


def _installer_remedy(printed: str) -> str:
    """Return what to do about the failures of Harbor's own programs that are known."""
    hints: Sequence[tuple[str, str]] = (
        ("port is already allocated", tr("Another program has the port; set registry.port in site.yaml.")),
        ("address already in use", tr("Another program has the port; set registry.port in site.yaml.")),
        ("no space left on device", tr("Make room where docker keeps its images, then run the same command again.")),
        ("Need to install docker-compose", tr("Run `bundler site apply cloud --from compose`.")),
    )
    return next((remedy for words, remedy in hints if words in printed), "")
