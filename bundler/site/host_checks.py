"""What both roles ask of a host before anything is changed; each returns findings, and changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.host.apply import read_journal
from bundler.site.installer import site_installer
from bundler.site.packages import package_manager
from bundler.site.step import StepContext, StepFinding

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
        what = "this is not root: what only root can see is not told here, and `apply` wants root"
        yield StepFinding("not-root", what, remedy="Run it as root.")
    yield from _system(at.host)
    yield from _bundle(at)
    yield from _former_name(at)
    if at.host.now() < EARLIEST_S:
        what = "this host's clock is wrong by years: no certificate and no token would be valid"
        yield StepFinding("clock-wrong", what, remedy="Set it: `date -s 'YYYY-MM-DD HH:MM:SS'`, then `hwclock -w`.")
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
    name = f"{holder.name} ({holder.pid})" if holder else "another program"
    return StepFinding("port-taken", f"{name} listens on it", f"port {port}", remedy)


def _system(host: Host) -> Iterator[StepFinding]:
    if not host.exists(_SYSTEMD_RUNS):
        yield StepFinding("no-systemd", "systemd does not run this host: its services could not be set up", "pid 1")
    if not package_manager(host):
        content = host.read(_RELEASE) or b""
        lines = dict(line.partition("=")[::2] for line in content.decode(errors="replace").splitlines())
        name = lines.get("PRETTY_NAME", "an unknown system").strip('"')
        what = f"{name} has neither yum nor dnf: no package is installed here, docker has to be there already"
        yield StepFinding("no-package-manager", what, _RELEASE, weight="note")


def _bundle(at: StepContext) -> Iterator[StepFinding]:
    machine = at.host.machine()
    if not at.bundle.root:
        remedy = f"Unpack it: `tar -zxf NAME.tar.gz -C {at.config.root}`, or on an edge run the mirror's edge.sh."
        yield StepFinding("bundle-missing", "there is no bundle", at.config.root, remedy)
    elif at.bundle.machines and machine not in at.bundle.machines:
        what = f"this host is an {machine}, and the bundle is for {', '.join(at.bundle.machines)}"
        remedy = "Build one whose `platforms` have this machine."
        yield StepFinding("machine-unfit", what, at.bundle.root, remedy)
    if at.this.machine and at.this.machine != machine:
        what = f"this host is an {machine}, and the site says that {at.this.name} is an {at.this.machine}"
        yield StepFinding("machine-differs", what, remedy="Correct site.yaml, or name another host with --host.")


def _former_name(at: StepContext) -> Iterator[StepFinding]:
    """Tell of a host that was set up under another name: its node would be a second one."""
    if not at.host.is_root():
        return
    journal = read_journal(at.host, site_installer(at.this.role))
    former = "" if journal is None else str(journal.head.get("host", ""))
    if former and former != at.this.name:
        what = f"this host was set up as {former}, and is to be {at.this.name} now"
        undo = f"`bundler site undo {at.this.role}`"
        remedy = f"Say --host {former}; or take back what was made, {undo}, and remove that node."
        yield StepFinding("host-renamed", what, remedy=remedy)


def _room(host: Host) -> Iterator[StepFinding]:
    for place in _DISKS:
        free = host.free_bytes(place)
        if free < MIN_FREE_BYTES:
            what = f"has room for {free / _GIB:.1f} GiB, and {MIN_FREE_BYTES / _GIB:.0f} GiB are wanted"
            yield StepFinding("disk-full", what, place, "Make room on that disk.")
            return


def _swap(host: Host) -> Iterator[StepFinding]:
    lines = (host.read(_SWAPS) or b"").decode(errors="replace").splitlines()[1:]
    if lines:
        what = (
            f"swap is on ({', '.join(line.split()[0] for line in lines if line.split())}): pods are slowed down by it"
        )
        remedy = "Run `swapoff -a`, and take its lines out of /etc/fstab."
        yield StepFinding("swap-on", what, _SWAPS, remedy, "note")
