"""What both roles ask of a host before anything is changed; each returns findings, and changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.host.apply import read_journal
from bundler.site.installer import site_installer
from bundler.site.packages import package_manager
from bundler.site.step import StepContext, StepFinding
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bundler.host.interface import Host, Process

# when KubeEdge 1.11 had been out for a year: no clock that is right stands before it
EARLIEST_S = 1_700_000_000.0
MIN_FREE_BYTES = 2 * 1024**3
# docs of Harbor: at least 40 GB
HARBOR_FREE_BYTES = 40 * 1024**3
# keadm 1.11 runs them by their names
KEADM_COMMANDS = ("sh", "tar", "wget", "sudo", "pidof", "ps", "awk", "systemctl")
_SYSTEMD_RUNS, _SWAPS, _RELEASE = "/run/systemd/system", "/proc/swaps", "/etc/os-release"
_DISKS = ("/var/lib", "/etc")
_LACKING = 'for name; do command -v "$name" >/dev/null || echo "$name"; done'
_GIB = 1024**3


def common_findings(at: StepContext) -> Iterator[StepFinding]:
    """Yield what is wrong with the host whatever its role is."""
    if not at.host.is_root():
        what = tr("this is not root: what only root can see is not told here, and `apply` wants root")
        yield StepFinding("not-root", what, remedy=tr("Run it as root."))
    yield from _system(at.host)
    yield from _bundle(at)
    yield from _former_name(at)
    if at.host.now() < EARLIEST_S:
        what = tr("this host's clock is wrong by years: no certificate and no token would be valid")
        yield StepFinding("clock-wrong", what, remedy=tr("Set it: `date -s 'YYYY-MM-DD HH:MM:SS'`, then `hwclock -w`."))
    yield from _room(at.host)
    yield from _swap(at.host)


def lacking_commands(host: Host, names: Sequence[str]) -> tuple[str, ...]:
    """Return those programs that are not on root's path."""
    return tuple(host.run(("sh", "-c", _LACKING, "sh", *names)).stdout.split())


def holder_of(host: Host, port: int) -> Process | None:
    """Return the process that listens on a TCP port, as far as it can be seen; None for nobody, or nobody visible."""
    pids = {found.pid for found in host.listening() if found.port == port}
    return next((process for process in host.processes() if process.pid in pids), None)


def port_taken(port: int, holder: Process | None, remedy: str) -> StepFinding:
    """Return that somebody else listens on a port that is needed."""
    name = f"{holder.name} ({holder.pid})" if holder else tr("another program")
    return StepFinding("port-taken", tr("{name} listens on it", name=name), tr("port {port}", port=port), remedy)


def _system(host: Host) -> Iterator[StepFinding]:
    if not host.exists(_SYSTEMD_RUNS):
        yield StepFinding("no-systemd", tr("systemd does not run this host: its services could not be set up"), "pid 1")
    if not package_manager(host):
        content = host.read(_RELEASE) or b""
        lines = dict(line.partition("=")[::2] for line in content.decode(errors="replace").splitlines())
        name = lines.get("PRETTY_NAME", tr("an unknown system")).strip('"')
        what = tr(
            "{name} has neither yum nor dnf: no package is installed here, docker has to be there already", name=name
        )
        yield StepFinding("no-package-manager", what, _RELEASE, weight="note")


def _bundle(at: StepContext) -> Iterator[StepFinding]:
    machine = at.host.machine()
    if not at.bundle.root:
        remedy = tr(
            "Unpack it: `tar -zxf NAME.tar.gz -C {root}`, or on an edge run the mirror's edge.sh.", root=at.config.root
        )
        yield StepFinding("bundle-missing", tr("there is no bundle"), at.config.root, remedy)
    elif at.bundle.machines and machine not in at.bundle.machines:
        what = tr(
            "this host is an {machine}, and the bundle is for {machines}",
            machine=machine,
            machines=", ".join(at.bundle.machines),
        )
        remedy = tr("Build one whose `platforms` have this machine.")
        yield StepFinding("machine-unfit", what, at.bundle.root, remedy)
    if at.this.machine and at.this.machine != machine:
        what = tr(
            "this host is an {machine}, and the site says that {name} is an {this_machine}",
            machine=machine,
            name=at.this.name,
            this_machine=at.this.machine,
        )
        yield StepFinding("machine-differs", what, remedy=tr("Correct site.yaml, or name another host with --host."))


def _former_name(at: StepContext) -> Iterator[StepFinding]:
    """Tell of a host that was set up under another name: its node would be a second one."""
    if not at.host.is_root():
        return
    journal = read_journal(at.host, site_installer(at.this.role))
    former = "" if journal is None else str(journal.head.get("host", ""))
    if former and former != at.this.name:
        what = tr("this host was set up as {former}, and is to be {name} now", former=former, name=at.this.name)
        undo = tr("`bundler site undo {role}`", role=at.this.role)
        remedy = tr(
            "Say --host {former}; or take back what was made, {undo}, and remove that node.", former=former, undo=undo
        )
        yield StepFinding("host-renamed", what, remedy=remedy)


def _room(host: Host) -> Iterator[StepFinding]:
    for place in _DISKS:
        free = host.free_bytes(place)
        if free < MIN_FREE_BYTES:
            what = tr(
                "has room for {free:.1f} GiB, and {min_free_bytes:.0f} GiB are wanted",
                free=free / _GIB,
                min_free_bytes=MIN_FREE_BYTES / _GIB,
            )
            yield StepFinding("disk-full", what, place, tr("Make room on that disk."))
            return


def _swap(host: Host) -> Iterator[StepFinding]:
    lines = (host.read(_SWAPS) or b"").decode(errors="replace").splitlines()[1:]
    if lines:
        what = tr(
            "swap is on ({lines}): pods are slowed down by it",
            lines=", ".join(line.split()[0] for line in lines if line.split()),
        )
        remedy = tr("Run `swapoff -a`, and take its lines out of /etc/fstab.")
        yield StepFinding("swap-on", what, _SWAPS, remedy, "note")
