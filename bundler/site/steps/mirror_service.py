"""The mirror as a service of the cloud host, in place of the guide's vsftpd."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from bundler.host.changes import Await, RunCommand
from bundler.site.host_checks import holder_of, port_taken
from bundler.site.installer import has_made
from bundler.site.step import Step, StepContext, StepFinding
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bundler.host.changes import Change
    from bundler.host.interface import Host
    from bundler.site.config.model import MirrorSettings

UNIT = "kubeedge-mirror.service"
# `mirror service install` writes it
UNIT_FILE = f"/etc/systemd/system/{UNIT}"
HEALTH = "/-/health"
# a bundle of many gigabytes on an old disk
HEALTHY_WITHIN_S = 600.0
_DEFAULT_HTTP, _DEFAULT_FTP = 8088, 21
_BEGIN = "ExecStart="
_OK = 200
_LOG = ("journalctl", "--no-pager", "--quiet", "--output=cat", "--lines=12", f"--unit={UNIT}")


class MirrorService(Step):
    """The guide has vsftpd publish all of /opt; the mirror serves what the bundle lists, and nothing else."""

    name = "mirror"
    title = tr("the mirror as a service: packages, files and images for the edges")

    def unmet(self, at: StepContext) -> Sequence[StepFinding]:
        """Name whoever holds the mirror's ports, and a service that somebody set up in another way."""
        return (*_taken(at), *_set_up_otherwise(at))

    def changes(self, at: StepContext) -> Sequence[Change]:
        """Install it, and wait until it says that it is well."""
        mirror = at.programs["mirror"]
        serving = arguments(at)
        as_wanted = _serves(at.host) == serving
        check = ("systemctl", "--quiet", "is-active", UNIT) if as_wanted else ()
        return (
            RunCommand(
                (*mirror, "service", "install", "--", *serving),
                undo=(*mirror, "service", "remove"),
                check=check,
                there=("test", "-e", UNIT_FILE),
                remedy=tr("Look at `journalctl -u {unit}`.", unit=UNIT),
            ),
            Await(
                tr("wait until the mirror is well"),
                lambda host: _lacking(host, at.config.mirror.http),
                HEALTHY_WITHIN_S,
                remedy=tr("Look at `mirror service status` and `journalctl -u {unit}`.", unit=UNIT),
                evidence=lambda host: tuple(host.run(_LOG).stdout.splitlines()),
            ),
        )


def arguments(at: StepContext) -> tuple[str, ...]:
    """Return what the site asks of `mirror serve`; what is the default there is left out."""
    mirror: MirrorSettings = at.config.mirror
    http = () if mirror.http == _DEFAULT_HTTP else ("--http", f":{mirror.http}")
    ftp = () if mirror.ftp == _DEFAULT_FTP else ("--ftp", "off" if mirror.ftp is None else f":{mirror.ftp}")
    return ("--root", at.config.root, *http, *ftp)


def _serves(host: Host) -> tuple[str, ...] | None:
    """Return what the installed service asks of `mirror serve`; None when there is no such service."""
    unit = host.read(UNIT_FILE)
    lines = [] if unit is None else unit.decode(errors="replace").splitlines()
    command = next((line.removeprefix(_BEGIN) for line in lines if line.startswith(_BEGIN)), "")
    words = [word.replace("%%", "%").replace("$$", "$") for word in shlex.split(command)]
    return tuple(words[words.index("serve") + 1 :]) if "serve" in words else None


def _lacking(host: Host, port: int) -> str:
    answer = host.http_get("127.0.0.1", port, HEALTH, tls=False)
    if answer is None:
        return tr("nothing answers on port {port}", port=port)
    return (
        ""
        if answer.status == _OK
        else tr("it answers {status}: {text}", status=answer.status, text=" ".join(answer.text.split())[:200])
    )


def _set_up_otherwise(at: StepContext) -> Iterator[StepFinding]:
    there = _serves(at.host)
    if there in (None, arguments(at)) or has_made(at.host, "cloud", MirrorService.name):
        return
    yield StepFinding(
        "mirror-otherwise",
        tr(
            "is a mirror that was set up with `{there}`, and the site wants `{at}`",
            there=shlex.join(there or ()),
            at=shlex.join(arguments(at)),
        ),
        UNIT_FILE,
        tr("Run `mirror service remove`, or write its ports into site.yaml."),
    )


def _taken(at: StepContext) -> Iterator[StepFinding]:
    """Yield the ports that somebody else listens on; nobody is stopped for it."""
    if _serves(at.host) is not None:
        # its own ports, or those that it will get: systemd says of a mirror what keeps it from starting
        return
    mirror = at.config.mirror
    wanted = {mirror.http: "http", **({} if mirror.ftp is None else {mirror.ftp: "ftp"})}
    for port in sorted({found.port for found in at.host.listening()} & wanted.keys()):
        holder = holder_of(at.host, port)
        if holder is not None and holder.name == "vsftpd":
            yield _vsftpd(port, holder.pid)
        else:
            remedy = tr(
                "Stop it, or give the mirror another port: `{wanted}` under `mirror` in site.yaml.", wanted=wanted[port]
            )
            yield port_taken(port, holder, remedy)


def _vsftpd(port: int, pid: int) -> StepFinding:
    return StepFinding(
        "vsftpd-runs",
        tr(
            "vsftpd ({pid}) listens on it; as the guide sets it up it publishes all of /opt, Harbor's password too",
            pid=pid,
        ),
        tr("port {port}", port=port),
        tr("Run `systemctl disable --now vsftpd`, or say `ftp: off` under `mirror` in site.yaml."),
    )
