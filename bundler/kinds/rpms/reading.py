"""Reads one item of `rpms:` into an `RpmEntry`. Owns its keys and the rules between them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.kinds.rpms.entry import PLATFORMS, InstalledList, RpmEntry
from bundler.manifest.fields import Fields
from bundler.manifest.node_text import node_name, shown
from bundler.model.bundle_path import BundlePath, reserved_problem
from bundler.model.client_config import section_name
from bundler.model.rpm.nevra import Nevra
from bundler.model.rpm.repo import CLIENT_VARIABLES, DEFAULT_COST, DEFAULT_PATH, DEFAULT_PRIORITY, RepoSpec
from bundler.model.source_text import Scalar
from bundler.model.source_url import url_problem
from bundler.rpm.solve.request import PackageSpec
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.model.scope import Scope
    from bundler.model.source_text import Node

KEYS = (
    "path", "release", "arch", "repos", "packages", "installed", "weak_dependencies", "multilib", "roles",
)  # fmt: skip
REPO_KEYS = (
    "id", "baseurl", "mirrorlist", "metalink", "gpgkey", "gpgcheck", "repo_gpgcheck", "priority", "cost", "include",
    "exclude", "modules",
)  # fmt: skip
ADDRESS_KEYS = ("baseurl", "mirrorlist", "metalink")
MAX_COST = 1_000_000
# a full desktop has some thousands of packages
MAX_INSTALLED_BYTES = 4 * 1024 * 1024
# what `rpm -qa` prints of imported keys: they are no packages
KEY_PREFIX = "gpg-pubkey-"
_PLAIN_PATH = re.compile(r"[A-Za-z0-9._/-]+")
_OWN_DIRECTORY = re.compile(r"yum(-.+)?")
_STREAM = re.compile(r"[^\s:]+:[^\s:]+")
# as dnf reads them, and with the second dollar that a manifest wants
_CLIENT_VARIABLE = re.compile(r"\$\$?(?:({0})(?!\w)|\{{({0})\}})".format("|".join(CLIENT_VARIABLES)))


def read_rpm_entry(node: Node, scope: Scope) -> RpmEntry | None:
    """Read one item; report every problem to the scope, return None when there is any error."""
    fields = Fields(node, scope, known=KEYS, what=tr("an rpms entry"))
    written = fields.text("path")
    path = _directory(written, scope)
    arch = _arch(fields)
    repos = _read_repos(fields, scope)
    specs = tuple(
        PackageSpec(scope.expand(scalar), scalar.position) for scalar in fields.texts("packages", required=True)
    )
    installed = _read_installed(fields, scope)
    entry_release = _release(fields, scope)
    weak = fields.flag("weak_dependencies", default=False)
    multilib = fields.flag("multilib", default=False)
    roles = fields.roles("roles")
    if path is None or not fields.ok:
        return None
    entry_id = DEFAULT_PATH if written is None else str(written.value)
    return RpmEntry(
        id=entry_id,
        position=node.position,
        path=path,
        release=entry_release,
        arch=arch,
        repos=repos,
        packages=specs,
        installed=installed,
        weak_dependencies=weak,
        multilib=multilib,
        roles=roles,
    )


def check_rpm_entries(entries: Sequence[RpmEntry], scope: Scope) -> None:
    """Report repositories inside each other or of one name for clients; warn of those for another platform."""
    for number, entry in enumerate(entries):
        for other in entries[:number]:
            if _within(entry.path, other.path) or _within(other.path, entry.path):
                wrong = tr(
                    "{path} and {other_path} ({position}) lie inside each other; give them other paths",
                    path=entry.path,
                    other_path=other.path,
                    position=other.position,
                )
                scope.problems.error(entry.position, wrong)
            elif section_name(entry.path) == section_name(other.path) and entry.path != other.path:
                wrong = tr(
                    "{path} and {other_path} ({position}) are both called {entry_path} by",
                    path=entry.path,
                    other_path=other.path,
                    position=other.position,
                    entry_path=section_name(entry.path),
                )
                scope.problems.error(entry.position, tr("{wrong} clients; give one of them another path", wrong=wrong))
        if not any(entry.platform.matches(platform) for platform in scope.platforms):
            scope.problems.warn(
                entry.position,
                tr(
                    "{path}: {arch} is {platform}, which is not among the manifest's platforms",
                    path=entry.path,
                    arch=entry.arch,
                    platform=entry.platform,
                ),
            )


def _within(path: BundlePath, directory: BundlePath) -> bool:
    return path.collision_key.startswith(f"{directory.collision_key}/")


def _directory(written: Scalar | None, scope: Scope) -> BundlePath | None:
    if written is None:
        return BundlePath(DEFAULT_PATH)
    try:
        path = BundlePath(scope.expand(written).removesuffix("/"))
    except ValueError as error:
        scope.problems.error(written.position, f"'path': {error}")
        return None
    if not _PLAIN_PATH.fullmatch(path):
        wrong = tr("stands in URLs and names of client configuration: want letters, digits, . _ - and / only")
        scope.problems.error(written.position, f"'path': {shown(path)} {wrong}")
    own = _OWN_DIRECTORY.fullmatch(path.partition("/")[0])
    if not own and (problem := reserved_problem(path)):
        scope.problems.error(written.position, f"'path': {str(path)!r}: {problem}")
    return path


def _arch(fields: Fields) -> str:
    if not fields.has("arch"):
        fields.node("arch", required=True)
        return ""
    return fields.choice("arch", tuple(PLATFORMS), default="")


def _release(fields: Fields, scope: Scope) -> str:
    """Return the release as it is written: 7 and "7" are the same to a person."""
    node = fields.node("release")
    if isinstance(node, Scalar) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return node.text
    scalar = fields.text("release")
    return "" if scalar is None else scope.expand(scalar)


def _read_repos(fields: Fields, scope: Scope) -> tuple[RepoSpec, ...]:
    repos: dict[str, RepoSpec] = {}
    for node in fields.items("repos", required=True):
        repo = _read_repo(node, scope)
        if repo is None:
            continue
        if repo.id in repos:
            scope.problems.error(node.position, tr("'repos': two repositories are called {id!r}", id=repo.id))
        repos.setdefault(repo.id, repo)
    return tuple(repos.values())


def _read_repo(node: Node, scope: Scope) -> RepoSpec | None:
    fields = Fields(node, scope, known=REPO_KEYS, what="a repository")
    repo_id = fields.text("id", required=True)
    fields.exclusive(*ADDRESS_KEYS, required=True)
    baseurls = _urls(fields, "baseurl", scope)
    mirrorlist, metalink = (_single_url(fields, key, scope) for key in ("mirrorlist", "metalink"))
    keys = _urls(fields, "gpgkey", scope)
    gpgcheck = fields.flag("gpgcheck", default=True)
    repo_gpgcheck = fields.flag("repo_gpgcheck", default=False)
    if not fields.has("gpgkey"):
        _want_key(fields, scope, gpgcheck=gpgcheck, repo_gpgcheck=repo_gpgcheck)
    priority = _number(fields, "priority", 1, DEFAULT_PRIORITY, default=DEFAULT_PRIORITY)
    cost = _number(fields, "cost", 0, MAX_COST, default=DEFAULT_COST)
    include, exclude = _words(fields, "include", scope), _words(fields, "exclude", scope)
    modules = _modules(fields, scope)
    if repo_id is None or not fields.ok:
        return None
    try:
        return RepoSpec(
            scope.expand(repo_id),
            baseurls=baseurls,
            mirrorlist=mirrorlist,
            metalink=metalink,
            gpgkeys=keys,
            gpgcheck=gpgcheck,
            repo_gpgcheck=repo_gpgcheck,
            priority=priority,
            cost=cost,
            include=include,
            exclude=exclude,
            modules=modules,
        )
    except ValueError as error:
        fields.error("id", str(error))
        return None


def _want_key(fields: Fields, scope: Scope, *, gpgcheck: bool, repo_gpgcheck: bool) -> None:
    if gpgcheck:
        text = tr("a repository needs 'gpgkey': its packages' signatures are checked unless it says 'gpgcheck: false'")
        scope.problems.error(fields.position, text)
    elif repo_gpgcheck:
        fields.error("repo_gpgcheck", tr("needs 'gpgkey': the keys that the metadata may be signed with"))


def _urls(fields: Fields, key: str, scope: Scope) -> tuple[str, ...]:
    """Return one URL or a list of them."""
    return tuple(_url(scalar, scope) for scalar in _one_or_more(fields, key))


def _single_url(fields: Fields, key: str, scope: Scope) -> str:
    scalar = fields.text(key)
    return "" if scalar is None else _url(scalar, scope)


def _one_or_more(fields: Fields, key: str) -> tuple[Scalar, ...]:
    if isinstance(fields.node(key), Scalar):
        single = fields.text(key)
        return () if single is None else (single,)
    return fields.texts(key)


def _url(scalar: Scalar, scope: Scope) -> str:
    if client_variable := _client_variable(scalar, scope):
        scope.problems.error(
            scalar.position,
            tr(
                "{client_variable} is not expanded: only the machine that reads a .repo file knows it, and a bundle is "
                "for another; write out what it stands for there, such as 7 or x86_64",
                client_variable=client_variable,
            ),
        )
        return str(scalar.value)
    url = scope.expand(scalar)
    # a repository is a directory, whose URL may end with a slash
    if problem := url_problem(url.rstrip("/") or url):
        scope.problems.error(scalar.position, f"{url!r} {problem}")
    return url


def _client_variable(scalar: Scalar, scope: Scope) -> str:
    """Return the first variable of dnf's in a URL, as it is written there, or "".

    `${name}` is a manifest's own variable where it declares one of that name.
    """
    for match in _CLIENT_VARIABLE.finditer(str(scalar.value)):
        if match[2] not in scope.variables:
            return match[0].replace("$$", "$")
    return ""


def _words(fields: Fields, key: str, scope: Scope) -> tuple[str, ...]:
    return tuple(scope.expand(scalar) for scalar in fields.texts(key))


def _modules(fields: Fields, scope: Scope) -> tuple[str, ...]:
    streams: dict[str, str] = {}
    for scalar in fields.texts("modules"):
        text = scope.expand(scalar)
        if not _STREAM.fullmatch(text):
            scope.problems.error(scalar.position, tr("'modules': {text} is not NAME:STREAM", text=shown(text)))
            continue
        name = text.partition(":")[0]
        if name in streams:
            wrong = tr(
                "'modules': {text} beside {streams}; only one stream of a module can be enabled",
                text=text,
                streams=streams[name],
            )
            scope.problems.error(scalar.position, wrong)
        streams[name] = text
    return tuple(streams.values())


def _number(fields: Fields, key: str, lowest: int, highest: int, *, default: int) -> int:
    node = fields.node(key)
    if node is None:
        return default
    value = node.value if isinstance(node, Scalar) else None
    if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
        fields.error(
            key,
            tr(
                "want a whole number from {lowest} to {highest}, got {node}",
                lowest=lowest,
                highest=highest,
                node=node_name(node),
            ),
        )
        return default
    return value


def _read_installed(fields: Fields, scope: Scope) -> InstalledList | None:
    written = fields.text("installed")
    if written is None:
        return None
    try:
        path = BundlePath(scope.expand(written))
    except ValueError as error:
        # it travels in the bundle beside the manifest, which can so be built again there
        fields.error("installed", tr("{error}; it has to be a file beside the manifest, or below it", error=error))
        return None
    if problem := reserved_problem(path):
        fields.error("installed", problem)
        return None
    file = Path(written.position.file).parent / path
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_INSTALLED_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        fields.error("installed", tr("{file} cannot be read: {reason}", file=file, reason=reason))
        return None
    if len(data) > MAX_INSTALLED_BYTES:
        fields.error(
            "installed",
            tr("{file} is larger than {max_installed_bytes} bytes", file=file, max_installed_bytes=MAX_INSTALLED_BYTES),
        )
        return None
    return _installed_list(path, data, file, fields)


def _installed_list(path: BundlePath, data: bytes, file: Path, fields: Fields) -> InstalledList | None:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        fields.error("installed", tr("{file} is not UTF-8", file=file))
        return None
    packages: dict[Nevra, None] = {}
    for number, line in enumerate(text.split("\n"), 1):
        word = line.partition("#")[0].strip()
        if not word or word.startswith(KEY_PREFIX):
            continue
        try:
            packages.setdefault(Nevra.parse(word))
        except ValueError as error:
            fields.error(
                "installed",
                tr(
                    "{file}:{number}: {error}; write one package per line, as `rpm -qa` prints it",
                    file=file,
                    number=number,
                    error=error,
                ),
            )
            return None
    if not packages:
        fields.error("installed", tr("{file} names no package", file=file))
        return None
    return InstalledList(path, text, tuple(packages))
