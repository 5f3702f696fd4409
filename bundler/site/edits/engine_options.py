"""What dockerd knows of its own settings: keys, their types, flags and versions. A table, for what it cannot be asked.

From Docker 23 on `dockerd --validate` judges a file; before, this does. Follows `daemon/config` of moby at v20.10.24
and the page "daemon.json" of its manual. Pure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bundler.model.scope import did_you_mean
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from bundler.model.json_value import Json

Version = tuple[int, ...]
# from here on it validates files itself
VALIDATES: Version = (23,)
# deprecated; from 25 on dockerd refuses it
WITHOUT_OOM_SCORE: Version = (24,)
REFUSES_OOM_SCORE: Version = (25,)
OOM_SCORE = "oom-score-adjust"
# "Configuration reload behavior"
RELOADABLE = frozenset(
    (
        *("allow-nondistributable-artifacts", "authorization-plugins", "cluster-advertise", "cluster-store"),
        *("cluster-store-opts", "debug", "default-runtime", "features", "insecure-registries", "labels"),
        *("live-restore", "max-concurrent-downloads", "max-concurrent-uploads", "max-download-attempts"),
        *("registry-mirrors", "runtimes", "shutdown-timeout"),
    )
)
_FLAGS = (
    *("debug", "experimental", "icc", "init", "ip-forward", "ip-masq", "iptables", "ip6tables", "ipv6", "live-restore"),
    *("no-new-privileges", "raw-logs", "rootless", "selinux-enabled", "tls", "tlsverify", "userland-proxy"),
)
_NUMBERS = (
    *("containers-cpu", "cpu-rt-period", "cpu-rt-runtime", "max-concurrent-downloads", "max-concurrent-uploads"),
    *("max-download-attempts", "mtu", "network-control-plane-mtu", OOM_SCORE, "shutdown-timeout"),
)
_TEXTS = (
    *("api-cors-header", "bip", "bridge", "cgroup-parent", "cluster-advertise", "cluster-store", "config-file"),
    *("containerd", "containerd-namespace", "containerd-plugins-namespace", "data-root", "default-cgroupns-mode"),
    *("default-gateway", "default-gateway-v6", "default-ipc-mode", "default-runtime", "exec-root", "fixed-cidr"),
    *("fixed-cidr-v6", "graph", "group", "host-gateway-ip", "init-path", "ip", "log-driver", "log-level"),
    *("metrics-addr", "pidfile", "seccomp-profile", "storage-driver", "swarm-default-advertise-addr", "tlscacert"),
    *("tlscert", "tlskey", "userland-proxy-path", "userns-remap", "default-shm-size"),
)
_LISTS = (
    *("allow-nondistributable-artifacts", "authorization-plugins", "default-address-pools", "dns", "dns-opts"),
    *("dns-search", "exec-opts", "hosts", "insecure-registries", "labels", "node-generic-resources"),
    *("registry-mirrors", "storage-opts"),
)
_MAPPINGS = ("builder", "cluster-store-opts", "default-ulimits", "features", "log-opts", "proxies", "runtimes")
_TYPES: Mapping[str, tuple[tuple[type, ...], str]] = {
    **dict.fromkeys(_FLAGS, ((bool,), tr("true or false"))),
    **dict.fromkeys(_NUMBERS, ((int, float), "a number")),
    **dict.fromkeys(_TEXTS, ((str, int), "a text")),
    **dict.fromkeys(_LISTS, ((list,), "a list")),
    **dict.fromkeys(_MAPPINGS, ((dict,), tr("an object"))),
}
# what a driver takes in log-opts; drivers that are not here are not judged
_ROTATING = {"max-size", "max-file", "compress", "mode", "max-buffer-size"}
_TAGGING = {"labels", "labels-regex", "env", "env-regex", "tag", "mode", "max-buffer-size"}
_LOG_OPTS = {"json-file": _ROTATING | _TAGGING, "local": _ROTATING, "journald": _TAGGING, "none": set[str]()}
DEFAULT_LOG_DRIVER = "json-file"
# flags whose names differ from the key's
_KEYS_OF_FLAGS = dict(
    pair.split(">")
    for pair in (
        *("D>debug", "G>group", "H>hosts", "b>bridge", "g>data-root", "l>log-level", "p>pidfile", "s>storage-driver"),
        *("add-runtime>runtimes", "authorization-plugin>authorization-plugins", "cluster-store-opt>cluster-store-opts"),
        *("default-address-pool>default-address-pools", "default-ulimit>default-ulimits", "dns-opt>dns-opts"),
        *("exec-opt>exec-opts", "host>hosts", "insecure-registry>insecure-registries", "label>labels"),
        *("log-opt>log-opts", "node-generic-resource>node-generic-resources", "registry-mirror>registry-mirrors"),
        "storage-opt>storage-opts",
    )
)
_VERSION = re.compile(r"version (\d+(?:\.\d+)*)")


def version_in(text: str) -> Version | None:
    """Return the version in what `dockerd --version` or `docker-compose --version` prints; None for anything else."""
    found = _VERSION.search(text.replace("version v", "version "))
    return tuple(int(part) for part in found[1].split(".")) if found else None


def flags_in(words: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    """Return key of daemon.json -> its values, of the options on a command line of dockerd."""
    found: dict[str, tuple[str, ...]] = {}
    for number, word in enumerate(words):
        if not word.startswith("-") or word in ("-", "--"):
            continue
        name, equals, value = word.lstrip("-").partition("=")
        key = _KEYS_OF_FLAGS.get(name, name)
        if key not in _TYPES:
            continue
        following = words[number + 1] if number + 1 < len(words) and key not in _FLAGS else ""
        found[key] = (*found.get(key, ()), value if equals else following)
    return found


def option_problems(options: Mapping[str, Json], version: Version | None) -> tuple[str, ...]:
    """Return why dockerd would not start with these settings, a sentence each, as far as this table knows it."""
    problems = []
    for key, value in options.items():
        if key not in _TYPES:
            # a later dockerd knows more, and says so itself
            if version is None or version < VALIDATES:
                problems.append(tr("dockerd has no setting {key!r}{hint}", key=key, hint=did_you_mean(key, _TYPES)))
            continue
        types, words = _TYPES[key]
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            problems.append(tr("{key!r} wants {words}", key=key, words=words))
    if OOM_SCORE in options and version is not None and version >= REFUSES_OOM_SCORE:
        problems.append(
            tr(
                "{oom_score!r} is refused by dockerd from {refuses_oom_score} on",
                oom_score=OOM_SCORE,
                refuses_oom_score=REFUSES_OOM_SCORE[0],
            )
        )
    return (*problems, *_unfit_ulimits(options.get("default-ulimits")), *_unfit_log_opts(options))


def is_reloadable(keys: Collection[str]) -> bool:
    """Tell whether a running dockerd takes changes of all these keys over without a restart."""
    return RELOADABLE.issuperset(keys)


def _unfit_ulimits(limits: Json) -> list[str]:
    pairs = limits.items() if isinstance(limits, dict) else ()
    # the name counts that stands inside
    return [
        tr("the limit {name!r} has another 'Name' inside", name=name)
        for name, limit in pairs
        if not isinstance(limit, dict) or limit.get("Name", limit.get("name")) != name
    ]


def _unfit_log_opts(options: Mapping[str, Json]) -> list[str]:
    driver, given = options.get("log-driver", DEFAULT_LOG_DRIVER), options.get("log-opts")
    known = _LOG_OPTS.get(str(driver))
    if not isinstance(given, dict) or known is None:
        return []
    wrong = [
        tr("the log driver {driver} has no option {name!r}", driver=driver, name=name)
        for name in given
        if name not in known
    ]
    texts = [
        tr("the log option {name!r} wants a text", name=name)
        for name, value in given.items()
        if not isinstance(value, str)
    ]
    return wrong + texts
