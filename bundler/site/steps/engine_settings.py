"""The engine's settings: daemon.json merged, judged before it is written, and taken over by the running engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.host.file_changes import CannotEditError, EditFile
from bundler.model.json_value import dump_pretty
from bundler.site.edits.daemon_json import GUIDE, EngineWish, merged_settings
from bundler.site.edits.engine_options import VALIDATES, is_reloadable
from bundler.site.engine_state import (
    UNIT,
    engine_answers,
    engine_flags,
    engine_version,
    is_in_a_swarm,
    runs_the_control_plane,
)
from bundler.site.engine_takeover import SettingsMarked, SettingsTakenOver, takeover_mark
from bundler.site.step import Step, StepContext, StepFinding
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.host.changes import Change
    from bundler.host.interface import Host
    from bundler.site.edits.daemon_json import MergedSettings

DAEMON_JSON = "/etc/docker/daemon.json"


class EngineSettings(Step):
    """The guide appends its settings, which makes two objects of a file that is there, and restarts nothing."""

    name = "daemon-json"
    title = tr("the engine's settings in {daemon_json}", daemon_json=DAEMON_JSON)

    def unmet(self, at: StepContext) -> Sequence[StepFinding]:
        """Refuse what dockerd would not start with; say what is kept, left out, and waits for a word."""
        wish = engine_wish(at)
        try:
            merged = merged_settings(at.host.read(DAEMON_JSON), wish)
        except CannotEditError as error:
            return (StepFinding("settings-refused", error.what, DAEMON_JSON, error.remedy),)
        findings = [StepFinding("settings-note", note, DAEMON_JSON, weight="note") for note in merged.notes]
        if (refusal := _refusal(at.host, merged, wish)) is not None:
            findings.append(refusal)
        if _waits(at, merged):
            what = tr("the engine has to be restarted, which would stop the cluster's control plane")
            remedy = tr(
                "When that may be, run `bundler site apply {role} --restart-docker`: live-restore is off, so "
                "that containers end with the engine.",
                role=at.this.role,
            )
            findings.append(StepFinding("restart-waits", what, DAEMON_JSON, remedy, "pending"))
        return findings

    def changes(self, at: StepContext) -> Sequence[Change]:
        """The mark that the engine lacks something, the file, and the engine's reload or restart."""
        edit = _edit(at)
        restarts, waits = True, False
        try:
            merged = merged_settings(at.host.read(DAEMON_JSON), engine_wish(at))
            restarts, waits = _restarts(at, merged), _waits(at, merged)
        except CannotEditError:
            # told of as unmet
            pass
        mark = takeover_mark(at.this.role)
        return (
            SettingsMarked(mark, edit, restarts),
            edit,
            SettingsTakenOver(mark, edit, restarts=restarts, waits=waits),
        )

    def faults(self, at: StepContext) -> Sequence[StepFinding]:
        """Tell of an engine that does not answer with these settings."""
        if engine_answers(at.host):
            return ()
        undo = tr("`bundler site undo {role} --only daemon-json`", role=at.this.role)
        remedy = tr("Look at `journalctl -u {unit}`; {undo} puts back the former file.", unit=UNIT, undo=undo)
        return (StepFinding("engine-silent", tr("the engine does not answer"), DAEMON_JSON, remedy, "fault"),)


def engine_wish(at: StepContext) -> EngineWish:
    """Return what this host's settings are to have, from the site and from the engine that is there."""
    config = at.config
    return EngineWish(
        options=config.docker.options,
        plain_registry="" if config.registry_https else config.registry_address,
        version=engine_version(at.host),
        flags=engine_flags(at.host),
        swarm=is_in_a_swarm(at.host),
    )


def _edit(at: StepContext) -> EditFile:
    wish = engine_wish(at)
    try:
        whole = merged_settings(None, wish).content
    except CannotEditError:
        # told of as unmet
        whole = dump_pretty({**GUIDE, **at.config.docker.options})
    summary = tuple(whole.decode().splitlines())
    return EditFile(DAEMON_JSON, lambda there: merged_settings(there, wish).content, summary)


def _refusal(host: Host, merged: MergedSettings, wish: EngineWish) -> StepFinding | None:
    """Ask a dockerd that can validate; it reads what it is to judge, and nothing has to be written for that."""
    if wish.version is None or wish.version < VALIDATES:
        return None
    asked = host.run(("dockerd", "--validate", "--config-file", "/dev/stdin"), stdin=merged.content)
    if asked.code == 0:
        return None
    printed = (asked.stderr or asked.stdout).strip().splitlines()
    what = tr(
        "dockerd refuses what it would become: {printed}",
        printed=printed[-1] if printed else tr("exit {code}", code=asked.code),
    )
    return StepFinding(
        "settings-refused", what, DAEMON_JSON, tr("Mend it there, or under docker.options in site.yaml.")
    )


def _restarts(at: StepContext, merged: MergedSettings) -> bool:
    """Tell whether a reload does not do: what an interrupted time left to do counts too."""
    left = at.host.read(takeover_mark(at.this.role))
    return not is_reloadable(merged.changed) or (left is not None and SettingsMarked.wants_restart(left))


def _waits(at: StepContext, merged: MergedSettings) -> bool:
    """Tell whether the engine may not be restarted without the operator's word.

    With live-restore the control plane outlives it: that is reloadable, and reloaded first.
    """
    if at.options.restart_docker or merged.options.get("live-restore") is True:
        return False
    left = bool(merged.changed) or at.host.exists(takeover_mark(at.this.role))
    return left and _restarts(at, merged) and runs_the_control_plane(at.host)
