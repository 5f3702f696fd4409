"""The reference for closures is dnf itself. Where we differ, the test's name says how."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from bundler.errors import ManifestError
from bundler.model.rpm.nevra import Nevra
from bundler.model.rpm.repo import RepoSpec
from tests.fakes.module_metadata import default_yaml, stream_yaml
from tests.fakes.rpm_metadata import Package, solvable_repo, solve_for
from tests.integration.dnf_choices import Asked, DnfRepo, dnf_choices
from tests.integration.dnf_client import DnfClient, DnfError
from tests.integration.rpm_packages import SpecLike, build_rpms, make_repository
from tests.integration.rpm_repositories import Shape, random_packages, write_repository

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bundler.rpm.solve.request import SolvableRepo

Choice = list[str] | None
SHAPES = [
    pytest.param(Shape(300, trouble=5), 60, id="much trouble"),
    pytest.param(Shape(400, trouble=1), 60, id="little trouble"),
    pytest.param(Shape(3000, capabilities=200, files=8, trouble=2), 40, id="thousands"),
]


def ours(repos: Sequence[SolvableRepo], package_specs: Sequence[str], **request: Any) -> Choice:
    """Return what we choose in the form of `dnf_choices`."""
    try:
        return sorted(f"{rpm.nevra}|{rpm.repo_id}" for rpm in solve_for(repos, *package_specs, **request).packages)
    except ManifestError:
        return None


class Both:
    """Repositories as dnf and as we read them."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.ours: list[SolvableRepo] = []
        self.theirs: list[DnfRepo] = []

    def add(
        self,
        repo_id: str,
        packages: Sequence[Package],
        *,
        settings: Mapping[str, Any] | None = None,
        comps: str = "",
        modules: str = "",
        enabled: tuple[str, ...] = (),
    ) -> Both:
        """Add a repository; `settings` are ours, dnf's are named alike but for include and exclude."""
        spec = RepoSpec(repo_id, baseurls=("https://repo.example/",), modules=enabled, **(settings or {}))
        extra = {kind: text.encode() for kind, text in (("group", comps), ("modules", modules)) if text}
        url = write_repository(self._directory / repo_id, packages, extra)
        self.ours.append(solvable_repo(repo_id, packages, spec=spec, comps=comps.encode(), modules=modules.encode()))
        theirs = {f"{name}pkgs" if name.endswith("clude") else name: value for name, value in (settings or {}).items()}
        self.theirs.append(DnfRepo(repo_id, url, theirs))
        return self

    def check(
        self, package_specs: Sequence[tuple[str, ...]], *, least: int = 1, multilib: bool = True, **asked: Any
    ) -> None:
        """Check that each spec comes to the same, `least` of them to a choice at all."""
        theirs = dnf_choices([Asked(tuple(self.theirs), tuple(package_specs), **asked)])[0]
        weak = asked.get("weak_dependencies", False)
        found = [ours(self.ours, spec, weak_dependencies=weak, multilib=multilib) for spec in package_specs]
        assert dict(zip(package_specs, found, strict=True)) == dict(zip(package_specs, theirs, strict=True))
        assert sum(choice is not None for choice in found) >= least


@pytest.mark.parametrize("weak", [False, True])
@pytest.mark.parametrize(("shape", "count"), SHAPES)
@pytest.mark.parametrize("seed", [11, 12])
def test_random_repositories_are_solved_alike(
    tmp_path: Path, seed: int, shape: Shape, count: int, *, weak: bool
) -> None:
    packages = random_packages(seed, shape)
    chance = random.Random(seed)
    names = sorted({package.name for package in packages})
    package_specs = {tuple(chance.sample(names, chance.randint(1, 3))) for _ in range(count)}
    both = Both(tmp_path).add("base", packages)
    both.check(sorted(package_specs), least=count // 10, weak_dependencies=weak)


def test_packages_of_several_repositories_are_solved_alike(tmp_path: Path) -> None:
    packages = random_packages(5, Shape(400, trouble=2))
    chance = random.Random(5)
    both = Both(tmp_path)
    for repo_id, settings in (("one", {"priority": 50}), ("two", {}), ("three", {"cost": 500}), ("four", {})):
        both.add(repo_id, chance.sample(packages, len(packages) * 2 // 3), settings=settings)
    names = sorted({package.name for package in packages})
    both.check(sorted({(name,) for name in chance.sample(names, 60)}), least=20)


NAMED = [
    *(Package("docker-ce", version, epoch=3) for version in ("20.10.1", "20.10.9")),
    Package("docker-ce", "23.0", epoch=3, requires=("nope",)),
    Package("docker-ce-cli", "23.0", epoch=1),
    *(Package("old", "1"), Package("new", "2", obsoletes=("old < 2",))),
    *(Package("self", "1"), Package("self", "2", obsoletes=("self < 2",))),
    Package("libfoo", provides=("libfoo.so.1()(64bit)", "config(foo) = 1")),
    Package("libfoo-compat", provides=("libfoo.so.1()(64bit)",)),
    Package("tool", files=("/usr/bin/tool", "/usr/share/tool/x")),
    Package("tool2", files=("/usr/bin/tool2", "/usr/share/tool/x")),
    *(Package("glibc", "2", arch=arch, provides=(soname,)) for arch, soname in (("x86_64", "c64"), ("i686", "c32"))),
    *(Package("wants-32-bit", requires=("c32",)), Package("noa", arch="noarch"), Package("arm", arch="aarch64")),
    *(Package("source", arch="src"), Package("both", arch="noarch"), Package("both"), Package("a.b")),
    *(
        Package("cap", provides=("cap = 3",)),
        Package("user", requires=("cap >= 2",)),
        Package("v-1", "2"),
        Package("v"),
    ),
]
SPELLINGS = (
    "docker-ce",
    "docker-ce-20.10.*",
    "docker-ce-3:20.10.1-1",
    "docker-ce-3:20.10.*",
    "docker-ce-0:20.10.9",
    "docker-ce-20.10.1-1.x86_64",
    "docker-ce*",
    "docker-ce-[!2]*",
    "docker*-20.10.9*",
    "docker-ce.x86_64",
    "docker-ce-cli-23*",
    "old",
    "new",
    "ol*",
    "old-1",
    "self",
    "self-1",
    "libfoo.so.1()(64bit)",
    "config(foo)",
    "libfoo.so*",
    "/usr/bin/tool",
    "/usr/share/tool/x",
    "/usr/bin/tool*",
    "*/bin/tool2",
    "/nope",
    "glibc",
    "glibc.i686",
    "glibc.*",
    "wants-32-bit",
    "noa",
    "noa.noarch",
    "arm",
    "source",
    "both",
    "a.b",
    "v-1",
    "v-1-2",
    "v",
    "user-1",
    "user",
    "*x86_64*glibc",
    "glib?-2-*",
    "*b-1-1.x86_64",
    "DOCKER-CE",
)


def test_every_form_of_a_spec_is_understood_alike(tmp_path: Path) -> None:
    spaced = ["config(foo) = 1", "cap >= 2", "cap >= 4", "(user or nothing)"]
    both = Both(tmp_path).add("base", NAMED)
    both.check([*((spelling,) for spelling in (*SPELLINGS, *spaced)), ("old", "new"), ("old-1", "new")], least=35)


def test_a_bare_glob_leaves_out_packages_of_other_architectures_where_dnf_refuses(tmp_path: Path) -> None:
    both = Both(tmp_path).add("base", [Package("app"), Package("arm", arch="aarch64")])
    assert dnf_choices([Asked(tuple(both.theirs), (("*",),))]) == [[None]]
    assert ours(both.ours, ["*"]) == ["app-1-1.x86_64|base"]


def test_without_multilib_we_choose_as_dnf_does_when_told_to_exclude_32_bit_packages(tmp_path: Path) -> None:
    package_specs = [("glibc",), ("glibc.*",), ("glibc.i686",), ("wants-32-bit",), ("gli*",)]
    Both(tmp_path).add("base", NAMED).check(package_specs, multilib=False, excludes=("*.i686",), least=3)


COMPS = """<comps>
<group><id>core</id><name>Core</name><name xml:lang="de">Kern</name><packagelist>
<packagereq type="mandatory">m</packagereq><packagereq type="default">d</packagereq>
<packagereq type="optional">o</packagereq><packagereq type="conditional" requires="m">c</packagereq>
<packagereq type="conditional" requires="z">n</packagereq><packagereq type="mandatory">absent</packagereq>
<packagereq basearchonly="true" type="mandatory">b</packagereq><packagereq>u</packagereq></packagelist></group>
<group><id>extra</id><name>Extra Things</name><packagelist><packagereq>e</packagereq></packagelist></group>
<group><id>opt</id><name>Opt</name><packagelist><packagereq>p</packagereq></packagelist></group>
<environment><id>minimal</id><name>Minimal Install</name><grouplist><groupid>core</groupid><groupid>extra</groupid>
</grouplist><optionlist><groupid default="true">opt</groupid></optionlist></environment></comps>"""


def test_groups_and_environments_bring_the_same_packages(tmp_path: Path) -> None:
    packages = [*map(Package, "mdocnzeupb"), Package("b", arch="i686")]
    package_specs = (
        "@core",
        "@Core",
        "@CORE",
        "@extra",
        "@Extra Things",
        "@minimal",
        "@Minimal Install",
        "@e*",
        "@no",
        "@Kern",
    )
    both = Both(tmp_path).add("base", packages, comps=COMPS)
    both.check([*((spec,) for spec in package_specs), ("@core", "z")], least=9)


@pytest.mark.parametrize(
    "settings",
    [
        {"exclude": ("k-2*",)},
        {"exclude": ("k",)},
        {"exclude": ("k*",)},
        {"exclude": ("*.x86_64",)},
        {"exclude": ("k-virtual",)},
        {"include": ("k*",)},
        {"include": ("k", "other"), "exclude": ("k-2-1",)},
    ],
    ids=str,
)
def test_include_and_exclude_leave_out_the_same(tmp_path: Path, settings: dict[str, Any]) -> None:
    packages = [
        *(Package("k", "1"), Package("k", "2"), Package("k-devel", "2", requires=("k = 2",))),
        *(Package("other"), Package("l", provides=("k-virtual",)), Package("m", arch="noarch")),
    ]
    package_specs = [(spec,) for spec in ("k", "k-devel", "other", "l", "k*", "k-1", "m")]
    Both(tmp_path).add("base", packages, settings=settings).check(package_specs)


MODULES = "".join(
    [
        stream_yaml("node", "10", ["node-0:10.1-1.x86_64", "npm-0:6-1.x86_64", "node-0:10.1-1.src"], version=1),
        stream_yaml("node", "10", ["node-0:10.2-1.x86_64", "npm-0:6-1.x86_64"], version=2),
        stream_yaml("node", "18", ["node-1:18.1-1.x86_64", "npm-1:8-1.x86_64"]),
        stream_yaml("node", "1.10", ["node-0:1.10-1.x86_64"]),
        stream_yaml("perl", "5.24", ["perl-0:5.24-1.x86_64"]),
        stream_yaml("perl", "5.26", ["perl-0:5.26-1.x86_64"]),
        stream_yaml("dbi", "1", ["dbi-0:1-1.c24.x86_64"], context="c24", requires={"perl": ["5.24"]}),
        stream_yaml("dbi", "1", ["dbi-0:1-1.c26.x86_64"], context="c26", requires={"perl": ["5.26"]}),
        stream_yaml("late", "1", ["late-0:1-1.x86_64"]),
        stream_yaml("needs", "1", ["needs-0:1-1.x86_64"], requires={"late": [], "node": ["-10"]}),
        stream_yaml("arms", "1", ["plain-0:1-1.aarch64"], arch="aarch64"),
        *(default_yaml("node", "10"), default_yaml("perl", "5.26"), default_yaml("dbi", "1")),
    ]
)
MODULAR = [
    *(Package("node", "10.1"), Package("node", "10.2"), Package("node", "18.1", epoch=1), Package("node", "1.10")),
    *(Package("npm", "6"), Package("npm", "8", epoch=1), Package("perl", "5.24"), Package("perl", "5.26")),
    *(Package("dbi", "1", f"1.c{v}", requires=(f"perl = 5.{v}",)) for v in (24, 26)),
    *(Package("late"), Package("needs", requires=("late", "node")), Package("plain")),
    *(Package("app", requires=("node >= 1:18",)), Package("app10", requires=("node",))),
]
SHADOWED = [
    *(Package("node", "99", epoch=9), Package("node-fork", provides=("node = 77",)), Package("late", "9")),
    *(Package("perl", "6"), Package("wants-fork", requires=("node-fork",))),
]


@pytest.mark.parametrize(
    "enabled",
    [
        (),
        ("node:18",),
        ("node:1.10", "late:1"),
        ("perl:5.24",),
        ("needs:1",),
        ("dbi:1", "perl:5.24", "node:18"),
    ],
    ids=str,
)
def test_module_streams_show_and_hide_the_same(tmp_path: Path, enabled: tuple[str, ...]) -> None:
    names = ("node", "npm", "perl", "dbi", "late", "needs", "app", "app10", "plain", "node-fork", "wants-fork")
    versions = ("node-18*", "node-10.1", "node-99", "perl-5.24", "dbi-1-1.c24")
    both = Both(tmp_path).add("modular", MODULAR, modules=MODULES, enabled=enabled).add("plain", SHADOWED)
    both.check([(spec,) for spec in (*names, *versions)], least=6, modules=enabled)


def test_against_an_installed_system_the_same_is_added(tmp_path: Path) -> None:
    specs = [
        SpecLike("lib", "1.0", provides=("lib.so.1",)),
        SpecLike("lib", "2.0", provides=("lib.so.1", "lib.so.2")),
        SpecLike("held", requires=("lib = 1.0",)),
        SpecLike("app", requires=("lib.so.1", "/usr/share/held/version")),
        SpecLike("newer", requires=("lib.so.2",)),
        SpecLike("heir", obsoletes=("held < 2",), provides=("held = 2",)),
    ]
    repository = make_repository(tmp_path / "repo", build_rpms(tmp_path / "rpms", specs))
    root = tmp_path / "root"
    DnfClient(root, {"base": repository.url}, gpgcheck=False).install("held-1.0", "lib-1.0")
    package_specs = (("app",), ("lib",), ("lib-2.0",), ("newer",), ("heir",), ("newer", "heir"))
    theirs = dnf_choices([Asked((DnfRepo("base", repository.url),), package_specs, installroot=str(root))])[0]
    packages = [Package(**_described(spec)) for spec in specs]
    installed = (Nevra("held", 0, "1.0", "1", "noarch"), Nevra("lib", 0, "1.0", "1", "noarch"))
    found = [ours([solvable_repo("base", packages)], spec, installed=installed) for spec in package_specs]
    assert found == theirs
    assert found[0] == ["app-1.0-1.noarch|base"]


def _described(spec: SpecLike) -> dict[str, Any]:
    """Return a built package as its metadata tell it."""
    parts = {name: getattr(spec, name) for name in ("name", "version", "release", "arch", "requires", "provides")}
    return parts | {"obsoletes": spec.obsoletes, "files": tuple(spec.contents)}


def test_the_command_itself_answers_alike(tmp_path: Path) -> None:
    packages = random_packages(21, Shape(400, trouble=1))
    repos = [solvable_repo("base", packages)]
    client = DnfClient(tmp_path / "root", {"base": write_repository(tmp_path / "base", packages)}, gpgcheck=False)
    solvable = [name for name in sorted({p.name for p in packages})[::9] if (ours(repos, [name]) or [])[3:]][:2]
    assert len(solvable) == 2
    for name in solvable:
        with pytest.raises(DnfError) as raised:
            client.run("install", "--assumeno", name)
        # rows of name, architecture, version, repository, size and its unit; long names break the line
        words = str(raised.value).split("Transaction Summary")[0].split()
        rows = [words[at - 3 : at + 1] for at, word in enumerate(words) if word == "base"]
        assert {f"{row[0]}-{row[2]}.{row[1]}" for row in rows if len(row) == 4} >= {
            choice.partition("|")[0] for choice in ours(repos, [name]) or []
        }
