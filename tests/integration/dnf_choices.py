"""What dnf chooses, for many wishes in one process: runs under dnf's own interpreter, with nothing but dnf.

    choices = dnf_choices([Asked((DnfRepo("base", url),), (("app",), ("lib", "tool")))])
    choices[0][1]        # NEVRA|repository of each package, or None where dnf refuses

The same code path as `dnf install`: `Base.install_specs`, then `Base.resolve`, on an empty system; only the table is
not printed. A hundred wishes take about two seconds, where the command takes one second each.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

DNF_WITHIN_S = 300


@dataclass(frozen=True)
class DnfRepo:
    """A repository; `settings` are attributes of dnf's, e.g. `{"priority": 10}`."""

    id: str
    url: str
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """Wishes to solve against repositories, each on a system of its own.

    Arguments:
        modules: streams to enable, `name:stream`.
        excludes: globs that dnf's main configuration excludes.
        installroot: a system with packages; an empty one when None.
    """

    repos: tuple[DnfRepo, ...]
    wishes: tuple[tuple[str, ...], ...]
    weak_dependencies: bool = False
    modules: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    installroot: str | None = None


def dnf_choices(asked: list[Asked]) -> list[list[list[str] | None]]:
    """Return for each `Asked` and each of its wishes what dnf would install, sorted, or None where it refuses."""
    dnf = shutil.which("dnf")
    if dnf is None:
        raise FileNotFoundError(2, "not installed", "dnf")
    with Path(dnf).open() as script:
        interpreter = script.readline().removeprefix("#!").split()[0]
    done = subprocess.run(
        [interpreter, "-I", __file__],
        input=json.dumps([asdict(one) for one in asked]),
        capture_output=True,
        text=True,
        timeout=DNF_WITHIN_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: list[list[list[str] | None]] = json.loads(done.stdout)
    return answer


def _base(asked: dict[str, Any], scratch: str) -> Any:
    import dnf

    base = dnf.Base()
    conf = base.conf
    conf.installroot = asked["installroot"] or f"{scratch}/root"
    conf.cachedir, conf.logdir, conf.reposdir, conf.plugins = f"{scratch}/cache", scratch, ["/dev/null"], False
    conf.install_weak_deps, conf.best, conf.excludepkgs = asked["weak_dependencies"], False, asked["excludes"]
    conf.module_platform_id = "platform:el8"
    conf.substitutions.update({"releasever": "8", "arch": "x86_64", "basearch": "x86_64"})
    for repo in asked["repos"]:
        added = base.repos.add_new_repo(repo["id"], conf, baseurl=[repo["url"]])
        for name, value in repo["settings"].items():
            setattr(added, name, value)
    base.fill_sack(load_system_repo=asked["installroot"] is not None)
    return base


def _choose(asked: dict[str, Any], wishes: list[str], scratch: str) -> list[str] | None:
    import dnf
    from dnf.module.module_base import ModuleBase
    from libdnf.module import ModulePackageContainer

    base = _base(asked, scratch)
    try:
        if any(wish.startswith("@") for wish in wishes):
            base.read_comps(arch_filter=True)
        try:
            if asked["modules"]:
                ModuleBase(base).enable(asked["modules"])
        except dnf.exceptions.MarkingErrors as error:
            # as the command does: defaults that give way are only worth a warning (dnf/cli/commands/module.py)
            if error.module_depsolv_errors[1] != ModulePackageContainer.ModuleErrorType_ERROR_IN_DEFAULTS:
                raise
        base.install_specs(wishes)
        base.resolve()
        return sorted(f"{package}|{package.reponame}" for package in base.transaction.install_set)
    except dnf.exceptions.Error:
        return None
    finally:
        base.close()


def _main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        choices = [[_choose(one, wishes, scratch) for wishes in one["wishes"]] for one in json.load(sys.stdin)]
    json.dump(choices, sys.stdout)


if __name__ == "__main__":
    _main()
