"""daemon.json: the guide's settings and those of site.yaml merged into what is there. Pure.

What site.yaml says wins over what is there, and that over the guide's. Three things are nobody's to say: a cgroup
driver that is set stays, for kubelet has the same; a registry for everything (0.0.0.0/0) is never added; and what
stands in the unit's command line does not come into the file, or dockerd would refuse both.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bundler.host.file_changes import CannotEditError
from bundler.model.json_value import dump_pretty
from bundler.site.edits.daemon_json_text import FoundSettings, overlaid, read_settings
from bundler.site.edits.engine_options import (
    DEFAULT_LOG_DRIVER,
    OOM_SCORE,
    REFUSES_OOM_SCORE,
    WITHOUT_OOM_SCORE,
    Version,
    option_problems,
)
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bundler.model.json_value import Json

# the guide's third step, without what is decided here: the score, and a registry for everything
GUIDE: Mapping[str, Any] = {
    "log-driver": DEFAULT_LOG_DRIVER,
    "log-opts": {"max-size": "200m", "max-file": "5"},
    "default-ulimits": {
        "nofile": {"Name": "nofile", "Hard": 655360, "Soft": 655360},
        "nproc": {"Name": "nproc", "Hard": 655360, "Soft": 655360},
    },
    "live-restore": True,
    "max-concurrent-downloads": 10,
    "max-concurrent-uploads": 10,
}
GUIDE_OOM_SCORE = -1000
_REGISTRIES, _EXEC_OPTS, _LOG_DRIVER, _LOG_OPTS = "insecure-registries", "exec-opts", "log-driver", "log-opts"
_LIVE_RESTORE = "live-restore"
_CGROUP_DRIVER = "native.cgroupdriver"
_ONE_PLACE = tr("Take it out of the one or the other (`systemctl cat docker.service`).")
_MEND = tr("Mend it here, or under docker.options in site.yaml.")


@dataclass(frozen=True, slots=True)
class EngineWish:
    """What an engine's settings are to have.

    Arguments:
        options: of site.yaml.
        plain_registry: the site's registry where it is plain HTTP, as image names have it; else "".
        version: the engine's; None where it is not there yet.
        flags: key -> values that stand in its command line.
        swarm: it is part of a swarm, which excludes live-restore.
    """

    options: Mapping[str, Json] = field(default_factory=dict)
    plain_registry: str = ""
    version: Version | None = None
    flags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    swarm: bool = False


@dataclass(frozen=True, slots=True)
class MergedSettings:
    """What a file becomes.

    Arguments:
        content: the whole file; the very bytes that are there where nothing has to change.
        changed: keys that come to mean something else.
        notes: what a person should know of it, a sentence each.
    """

    content: bytes
    options: Mapping[str, Any]
    changed: frozenset[str]
    notes: tuple[str, ...]


def merged_settings(there: bytes | None, wish: EngineWish) -> MergedSettings:
    """Return what a daemon.json becomes; merged again it is the same.

    Raises CannotEditError where it cannot be read, where dockerd would not start with it, or a flag excludes it.
    """
    found = FoundSettings({}) if there is None else read_settings(there)
    notes = [
        tr("{reason}; dockerd cannot read it like that", reason=reason)
        for reason in found.mended
        if reason != "it is empty"
    ]
    if both := sorted(found.options.keys() & wish.flags.keys()):
        what = tr("{both}: set here and in dockerd's command line, so that it does not start", both=", ".join(both))
        raise CannotEditError(what, _ONE_PLACE)
    options = _merged(found.options, wish, notes)
    if problems := option_problems(options, wish.version):
        raise CannotEditError("; ".join(problems), _MEND)
    changed = frozenset(key for key in options.keys() | found.options.keys() if _differs(options, found.options, key))
    same = there is not None and not changed and not found.mended
    content = there if same and there is not None else dump_pretty(options)
    return MergedSettings(content, options, changed, tuple(notes))


def _differs(left: Mapping[str, Any], right: Mapping[str, Any], key: str) -> bool:
    # true and 1 are equal in Python, and not here
    return key not in left or key not in right or dump_pretty(left[key]) != dump_pretty(right[key])


def _merged(there: Mapping[str, Any], wish: EngineWish, notes: list[str]) -> dict[str, Any]:
    wanted = dict(wish.options)
    opts = _exec_opts(there.get(_EXEC_OPTS), wanted.get(_EXEC_OPTS), notes)
    registries = _registries(there, wanted.pop(_REGISTRIES, None), wish, notes)
    if clash := sorted(wanted.keys() & wish.flags.keys()):
        what = tr("{clash}: wanted by site.yaml, and set in dockerd's command line", clash=", ".join(clash))
        raise CannotEditError(what, _ONE_PLACE)
    wanted.pop(_EXEC_OPTS, None)
    kept = dict(there)
    if _LOG_DRIVER in wanted and wanted[_LOG_DRIVER] != there.get(_LOG_DRIVER, DEFAULT_LOG_DRIVER):
        # they are another driver's
        kept.pop(_LOG_OPTS, None)
    options = overlaid(_guide(kept, wanted, wish, notes), overlaid(kept, wanted))
    if registries:
        options[_REGISTRIES] = registries
    if opts:
        options[_EXEC_OPTS] = opts
    if OOM_SCORE in options and wish.version is not None and wish.version >= REFUSES_OOM_SCORE:
        del options[OOM_SCORE]
        notes.append(
            tr(
                "{oom_score} is left out: dockerd {version} does not start with it",
                oom_score=OOM_SCORE,
                version=wish.version[0],
            )
        )
    return options


def _guide(there: Mapping[str, Any], wanted: Mapping[str, Any], wish: EngineWish, notes: list[str]) -> dict[str, Any]:
    """Return what of the guide's settings suits this engine."""
    guide = dict(GUIDE)
    if wish.version is not None and wish.version < WITHOUT_OOM_SCORE:
        guide[OOM_SCORE] = GUIDE_OOM_SCORE
    for key in sorted(guide.keys() & wish.flags.keys()):
        del guide[key]
        notes.append(tr("{key} stays as dockerd's command line has it", key=key))
    flagged = next(iter(wish.flags.get(_LOG_DRIVER, ())), DEFAULT_LOG_DRIVER)
    driver = wanted.get(_LOG_DRIVER, there.get(_LOG_DRIVER, flagged))
    if driver != DEFAULT_LOG_DRIVER:
        guide.pop(_LOG_OPTS, None)
    if wish.swarm and guide.pop(_LIVE_RESTORE, None):
        notes.append(tr("{live_restore} is left out: this engine is part of a swarm", live_restore=_LIVE_RESTORE))
    if there.get(_LIVE_RESTORE) is False and _LIVE_RESTORE not in wanted:
        notes.append(
            tr(
                "{live_restore} is false there and stays: containers end whenever dockerd is restarted",
                live_restore=_LIVE_RESTORE,
            )
        )
    return guide


def _registries(there: Mapping[str, Any], wanted: Json, wish: EngineWish, notes: list[str]) -> list[str]:
    """Return the registries that are spoken to without TLS, those that are there first."""
    known, asked = there.get(_REGISTRIES) or [], wanted or []
    if not isinstance(known, list) or not isinstance(asked, list):
        raise CannotEditError(tr("{registries!r} wants a list", registries=_REGISTRIES), _MEND)
    flagged = wish.flags.get(_REGISTRIES, ())
    notes += [
        tr("{name} is an insecure registry: no registry at all is checked", name=name)
        for name in known
        if _is_all(name)
    ]
    notes += [
        tr("{name} of site.yaml is left out: it would check no registry at all", name=name)
        for name in asked
        if _is_all(name)
    ]
    names = [str(name) for name in asked if not _is_all(name)] + ([wish.plain_registry] if wish.plain_registry else [])
    added = [name for name in dict.fromkeys(names) if name not in known and name not in flagged]
    if added and flagged:
        what = tr(
            "dockerd's command line has --insecure-registry, so that {added} cannot stand here", added=", ".join(added)
        )
        raise CannotEditError(
            what, tr("Move the command line's registries here (`systemctl edit --full docker.service`).")
        )
    return [*known, *added]


def _exec_opts(there: Any, wanted: Json, notes: list[str]) -> list[Any]:
    """Return the options of exec drivers; a cgroup driver that is set is not replaced."""
    known, asked = there or [], wanted or []
    if not isinstance(known, list) or not isinstance(asked, list):
        raise CannotEditError(tr("{exec_opts!r} wants a list", exec_opts=_EXEC_OPTS), _MEND)
    names = {str(option).partition("=")[0]: str(option) for option in known}
    added = []
    for option in asked:
        name = str(option).partition("=")[0]
        if name not in names:
            added.append(option)
        elif name == _CGROUP_DRIVER and names[name] != option:
            notes.append(
                tr(
                    "{names} stays, though site.yaml says {option}: kubelet has the same driver",
                    names=names[name],
                    option=option,
                )
            )
        else:
            known = [option if str(other).partition("=")[0] == name else other for other in known]
    return [*known, *added]


def _is_all(registry: Any) -> bool:
    try:
        return ipaddress.ip_network(str(registry), strict=False).prefixlen == 0
    except ValueError:
        return False
