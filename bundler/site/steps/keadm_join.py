"""`keadm deprecated join`, whose exit 0 proves nothing: an edge has joined with a certificate and a connection.

The unit is a second name of the file in /etc/kubeedge, which keadm makes by a hard link: one that is there, and a
second mount, make it fail after all else is done.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bundler.host.changes import Await, RunCommand
from bundler.host.failure import ChangeFailedError, ChangeFailure, Reason
from bundler.host.file_changes import CopyFile, EditFile
from bundler.host.foreseen_files import Foreseen, SetAside
from bundler.site.edits.kubeedge_yaml import EDGE_ARGUMENTS, edge_values
from bundler.site.join_token import token_source
from bundler.site.keadm import RunKeadm
from bundler.site.kubeedge.core_programs import (
    EndForeign,
    ReloadAtRemoval,
    ReloadUnits,
    StopUnit,
    alive,
    started_with,
)
from bundler.site.kubeedge.edge_join import join_lacks
from bundler.site.kubeedge.edgecore_log import ending, journal_lines
from bundler.site.kubeedge.kept_settings import ForgetSettings, KeepSettings, MergeSettings, SettingsFile
from bundler.site.kubeedge_places import (
    BUNDLED,
    CERTIFICATE_PORT,
    EDGE_CA,
    EDGE_CERT,
    EDGE_KEY,
    EDGECORE,
    EDGECORE_UNIT,
    EDGECORE_YAML,
    HUB_PORT,
    KUBEEDGE,
    UNITS,
    go_name,
    with_port,
)
from bundler.site.step import Step, StepContext, StepFinding
from bundler.site.steps.pause_image import pause_image
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.host.changes import Change
    from bundler.host.interface import Host

_UNIT_FILE = f"{UNITS}/{EDGECORE_UNIT}"
_DISABLE = ("systemctl", "disable", "--now", EDGECORE_UNIT)
_IS_ENABLED = ("systemctl", "--quiet", "is-enabled", EDGECORE_UNIT)
_CERTIFICATES = (EDGE_CA, EDGE_CERT, EDGE_KEY)
# node Ready 12 s after the join; a small board takes its time to start
_WITHIN_S = 90.0
_PRIVATE = 0o600
_STAYS = "the node stays in the cluster (`kubectl delete node NAME` on the master), /var/lib/kubeedge on this host"


class KeadmJoin(Step):
    """Done where this host is a node of this cloud host already, by whomever it was joined."""

    name = "keadm-join"
    title = tr("edgecore, joined by keadm")

    def unmet(self, at: StepContext) -> Sequence[StepFinding]:
        """Name what a join needs and is not there: a token, the cloud's ports, the engine."""
        if not join_lacks(at):
            return ()
        address, found = at.config.cloud.addresses[0], _token_findings(at)
        for port in (HUB_PORT, CERTIFICATE_PORT):
            if not at.host.listens(address, port):
                remedy = tr(
                    "See whether `bundler site check cloud` is content there, and what stands between the two hosts."
                )
                place = with_port(address, port)
                found.append(StepFinding("cloud-unreachable", tr("the cloud host does not answer"), place, remedy))
        if not engine_driver(at.host):
            remedy = tr("Start the engine (`systemctl status docker`): edgecore ends at once without it.")
            found.append(
                StepFinding("engine-not-running", tr("the container engine does not answer"), "docker info", remedy)
            )
        return found

    def changes(self, at: StepContext) -> Sequence[Change]:
        """Whatever is in keadm's way goes aside; then keadm; then what it leaves undone."""
        return (*_before(at), _call(at), *_after(at))


def engine_driver(host: Host) -> str:
    """Return the engine's driver of control groups, which edgecore has to have too; "" where it does not answer."""
    asked = host.run(("docker", "info", "--format", "{{.CgroupDriver}}"))
    return asked.stdout.strip() if asked.code == 0 else ""


def _there(at: StepContext, host: Host) -> bool:
    del host
    return not join_lacks(at)


def _settings(at: StepContext) -> SettingsFile:
    ours = edge_values(at.config, pause_image(at.config), engine_driver(at.host))
    return SettingsFile(EDGECORE_YAML, "edge", (*EDGE_ARGUMENTS, *ours, ("modules", "edged", "cgroupDriver")))


def _before(at: StepContext) -> tuple[Change, ...]:
    there = partial(_there, at)
    foreseen = (EDGECORE_YAML, EDGECORE, _UNIT_FILE, *_CERTIFICATES, _settings(at).written)
    return (
        ReloadAtRemoval(_unit(at)),
        StopUnit(EDGECORE_UNIT, there),
        EndForeign("edgecore", EDGECORE_UNIT, needed=lambda host: not there(host)),
        KeepSettings(_settings(at), there),
        SetAside(_UNIT_FILE, there),
        *(Foreseen(path, there) for path in foreseen),
        # keadm enables and starts the unit itself
        RunCommand((), undo=_DISABLE, check=_IS_ENABLED),
    )


def _call(at: StepContext) -> RunKeadm:
    settings, driver = at.config.kubeedge, engine_driver(at.host)
    labels = ",".join(f"{key}={value}" for key, value in sorted(at.this.labels.items()))
    words = (
        *("deprecated", "join", f"--cloudcore-ipport={with_port(at.config.cloud.addresses[0], HUB_PORT)}"),
        f"--kubeedge-version={settings.version}",
        f"--edgenode-name={at.this.name}",
        *((f"--cgroupdriver={driver}",) if driver else ()),
        *((f"--labels={labels}",) if labels else ()),
    )
    writes = (EDGECORE, _UNIT_FILE)
    arch, there = go_name(at.host.machine()), partial(_there, at)
    token = partial(_token, at)
    outdated = (started_with("edge", EDGECORE_UNIT),)
    return RunKeadm(
        words, settings.version, arch, _settings(at), writes, there, token=token, outdates=outdated, stays=_STAYS
    )


def _unit(at: StepContext) -> CopyFile:
    source = f"{KUBEEDGE}/{EDGECORE_UNIT}"
    return CopyFile(source, _UNIT_FILE, at.bundle.digests.get(f"{BUNDLED}/{EDGECORE_UNIT}") or at.host.digest(source))


def _after(at: StepContext) -> tuple[Change, ...]:
    hub = with_port(at.config.cloud.addresses[0], HUB_PORT)
    since = at.host.now()
    private = (tr("mode 0600: it holds the token"),)
    return (
        MergeSettings(_settings(at)),
        ForgetSettings(_settings(at)),
        EditFile(EDGECORE_YAML, lambda there: there, private, mode=_PRIVATE, secret=True),
        _unit(at),
        ReloadUnits(EDGECORE_UNIT),
        # after the unit's file: undone before it goes, or a link to nothing would stay
        RunCommand(("systemctl", "enable", EDGECORE_UNIT), undo=_DISABLE, check=_IS_ENABLED),
        RunCommand(
            ("systemctl", "start", EDGECORE_UNIT),
            undo=("systemctl", "stop", EDGECORE_UNIT),
            check=("systemctl", "--quiet", "is-active", EDGECORE_UNIT),
        ),
        Await(
            tr("wait for this node's certificate, and its connection to {hub}", hub=hub),
            partial(_not_joined, at),
            _WITHIN_S,
            tr("Look at `journalctl -u edgecore`."),
            evidence=lambda host: journal_lines(host, since),
            hopeless=lambda host: None if alive(host, "edgecore") else ending(journal_lines(host, since)),
        ),
    )


def _not_joined(at: StepContext, host: Host) -> str:
    if lacking := join_lacks(at):
        return lacking
    return "" if host.connected(HUB_PORT) else tr("edgecore is not connected to the cloud host")


def _token(at: StepContext, host: Host) -> str:
    source = token_source(at.options)
    if source is None:
        failure = ChangeFailure(Reason.COMMAND_FAILED, tr("there is no join token"), remedy=_ASK_FOR_ONE)
        raise ChangeFailedError(failure)
    return source.token(host).text


_ASK_FOR_ONE = tr(
    "On the master `bundler site invite --host NAME` prints a line for this host, which brings one. Or put what "
    "`bundler site token` prints there into a file that only root can read, and name it with --token-file here."
)


def _token_findings(at: StepContext) -> list[StepFinding]:
    source = token_source(at.options)
    if source is None:
        return [StepFinding("no-token", tr("a join wants a token"), at.this.name, _ASK_FOR_ONE)]
    try:
        source.token(at.host)
    except ChangeFailedError as error:
        failure = error.failure
        return [StepFinding("token-unusable", failure.what, failure.where, failure.remedy)]
    return []
