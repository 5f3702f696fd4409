"""A lock in which somebody has written: whatever of it the manifest decides is held against it."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from bundler.errors import BundleFormatError, ErrorId, ManifestError
from bundler.kinds import KINDS
from bundler.kinds.base import Sources
from bundler.manifest.reader import read_manifest
from bundler.model.artifacts import DECODERS
from bundler.model.lock import decode_lock, encode_lock
from bundler.model.platform import Platform
from bundler.pipeline.agreement import disagreements, require_answers
from bundler.pipeline.locking import pin_manifest
from bundler.pipeline.narrowing import narrow_lock
from tests.fakes.build_context import build_context
from tests.fakes.downloader import MappedDownloader
from tests.fakes.registry import MemoryRegistry
from tests.fakes.small_rpms import SmallRpm, repository
from tests.unit.kinds.files.file_upstream import SHA256, TARBALL, tgz

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bundler.model.manifest import Manifest
    from bundler.pipeline.context import BuildContext

BASE = "https://x.example/7"
MANIFEST = f"""
version: 1
name: demo
platforms: [linux/amd64, linux/arm64]
vars: {{v: "1", unused: "2"}}
files:
  - {{path: "k/tool-${{arch}}", url: "https://h/tool-${{arch}}", mode: "0755", roles: [edge]}}
  - {{path: k/x.tgz, url: "https://h/x.tgz", checksum_url: "https://h/x.txt", checksum_path: k/sum.txt}}
  - members: {{"d/": "k/crds/", "d/a": k/a.yaml}}
    url: https://h/d.tgz
rpms:
  - path: yum
    release: "7"
    arch: x86_64
    repos: [{{id: base, baseurl: "{BASE}/", gpgkey: "{BASE}/key.asc"}}]
    packages: [app, "li*", old, /usr/share/other]
images:
  - {{name: "registry.k8s.io/app:${{v}}", as: ["docker.io/demo/app:1"]}}
  - registry.k8s.io/one:1
"""
BOTH = {"linux/amd64": [b"base", b"own"], "linux/arm64": [b"base64"]}
# what no manifest tells: pins themselves, dates, texts of upstreams; other bytes than these have other digests
BELIEVED = {
    "artifacts": {"digest", "size", "date", "created", "checksum", "summary", "comps", "modules", "updateinfo"},
    "upstream": {"upstream_digest", "upstream_size", "via"},
    "documents": {"config", "layers", "manifest"},
}


@dataclass(frozen=True, slots=True)
class Locked:
    """A manifest, its lock as JSON, and what can read it."""

    manifest: Manifest
    value: dict[str, Any]
    context: BuildContext

    def edited(self, edit: Callable[[Any], object]) -> Any:
        """Return a copy of the lock after an edit."""
        value = copy.deepcopy(self.value)
        edit(value)
        return value

    def problems(self, value: Any) -> tuple[str, ...]:
        """Return what is found; the lock has to be readable."""
        lock = decode_lock(json.dumps(value).encode(), DECODERS, file="m.lock.json")
        return disagreements(self.manifest, lock, KINDS)


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Locked:
    directory = tmp_path_factory.mktemp("locked")
    rpms = [SmallRpm("app", version="2", arch="x86_64", requires=("lib",)), SmallRpm("lib", epoch=1)]
    rpms += [SmallRpm("old"), SmallRpm("new", obsoletes=("old",)), SmallRpm("other")]
    registry = MemoryRegistry()
    registry.add_image("registry.k8s.io/app:1", BOTH)
    registry.add_image("registry.k8s.io/one:1", {**BOTH, "linux/arm": [b"arm"]})
    files = {
        "https://h/tool-amd64": b"amd64",
        "https://h/tool-arm64": b"arm64",
        "https://h/x.tgz": TARBALL,
        "https://h/x.txt": f"{SHA256}\n".encode(),
        "https://h/d.tgz": tgz({"d/a": b"a", "d/b": b"b"}),
        **repository(BASE, rpms),
    }
    manifest = read_manifest(MANIFEST.encode(), file="m.yaml", kinds=tuple(KINDS.values()))
    context = build_context(directory, *KINDS.values())
    sources = Sources(MappedDownloader(files), registry, context.sources.store, str(directory))
    context = replace(context, sources=sources, decoders=DECODERS)
    pinned = pin_manifest(manifest, context)
    assert pinned.failure is None
    return Locked(manifest, json.loads(encode_lock(pinned.lock)), context)


def test_the_lock_itself_answers(locked: Locked) -> None:
    assert locked.problems(locked.value) == ()


def entry(value: Any, kind: str, start: str = "") -> Any:
    """Return the first entry of a kind whose id begins so."""
    return next(item for item in value["entries"] if item["kind"] == kind and item["id"].startswith(start))


def artifact(value: Any, kind: str, **known: str) -> Any:
    """Return the one artifact of a kind that has these values."""
    found = [
        one
        for item in value["entries"]
        if item["kind"] == kind
        for one in item["artifacts"]
        if all(text in str(one.get(key)) for key, text in known.items())
    ]
    assert len(found) == 1, known
    return found[0]


def without(value: Any, kind: str, **known: str) -> None:
    """Drop that artifact."""
    gone = artifact(value, kind, **known)
    for item in value["entries"]:
        item["artifacts"] = [one for one in item["artifacts"] if one is not gone]


def twice(value: Any, kind: str, changes: dict[str, Any], **known: str) -> None:
    """Add a copy of that artifact, changed."""
    found = artifact(value, kind, **known)
    for item in value["entries"]:
        if found in item["artifacts"]:
            item["artifacts"].append({**found, **changes})


def beside(value: Any) -> Any:
    """Return the artifact of the repository."""
    return artifact(value, "rpms", type="repository")


TOOL, CRD = {"path": "k/tool-arm64"}, {"path": "k/crds/b"}
EDITS: dict[str, tuple[Callable[[Any], object], str]] = {
    "platforms cut short": (lambda lock: lock["platforms"].pop(), "the lock is for linux/amd64, and the manifest for"),
    "platforms turned round": (lambda lock: lock["platforms"].reverse(), "the lock is for linux/arm64, linux/amd64"),
    "no platform": (lambda lock: lock["platforms"].clear(), "the lock is for no platform"),
    "another value": (lambda lock: lock["vars"].update(v="9"), "made with --set v=9"),
    "another variable": (lambda lock: lock["vars"].update(w="1"), "made with --set w=1"),
    "no variable": (lambda lock: lock["vars"].pop("unused"), "made without the variable unused"),
    "no entry": (lambda lock: lock["entries"].pop(), "is not in the lock"),
    "another manifest": (lambda lock: lock.update(manifest="sha256:" + "0" * 64), "have changed since"),
    "no file": (lambda lock: without(lock, "files", **TOOL), "k/tool-arm64 is not pinned"),
    "no artifacts": (lambda lock: entry(lock, "files").update(artifacts=[]), "is not pinned"),
    "a file more": (lambda lock: twice(lock, "files", {"path": "k/evil"}, **TOOL), "k/evil is pinned and not asked"),
    "a file twice": (lambda lock: twice(lock, "files", {}, **TOOL), "k/tool-arm64 is pinned more than once"),
    "another path": (lambda lock: artifact(lock, "files", **TOOL).update(path="k/Tool-arm64"), "and not asked for"),
    "another mode": (
        lambda lock: artifact(lock, "files", **TOOL).update(mode="0644"),
        "has mode 0644, and the manifest",
    ),
    "a mode": (lambda lock: artifact(lock, "files", path="k/x.tgz").update(mode="0755"), "has mode 0755"),
    "other roles": (lambda lock: artifact(lock, "files", **TOOL).update(roles=["cloud"]), "has roles cloud"),
    "no roles": (lambda lock: artifact(lock, "files", **TOOL).update(roles=[]), "has roles none"),
    "a file for any": (lambda lock: artifact(lock, "files", **TOOL).update(platforms=[]), "has platforms none"),
    "another url": (lambda lock: artifact(lock, "files", **TOOL)["download"].update(urls=["https://e/t"]), "has urls"),
    "nobody's word": (
        lambda lock: artifact(lock, "files", path="k/x.tgz").update(held_to={"by": "first-use"}),
        "has held_to first-use, and the manifest means published-checksum https://h/x.txt",
    ),
    "no checksum file": (lambda lock: without(lock, "files", path="k/sum.txt"), "k/sum.txt is not pinned"),
    "nothing of a subtree": (
        lambda lock: entry(lock, "files", "k/crds/")["artifacts"].__delitem__(slice(1, None)),
        "k/crds/ is not pinned",
    ),
    "out of the subtree": (lambda lock: artifact(lock, "files", **CRD).update(path="k/b"), "k/b is pinned and not"),
    "another member": (lambda lock: artifact(lock, "files", **CRD).update(member="d/c"), "k/crds/b is pinned and not"),
    "one member, two contents": (
        lambda lock: artifact(lock, "files", path="k/a.yaml").update(digest="sha256:" + "1" * 64),
        "the member d/a is pinned to different contents",
    ),
    "two downloads of one url": (
        lambda lock: artifact(lock, "files", **CRD)["download"].update(digest="sha256:" + "1" * 64),
        "are pinned to different downloads of https://h/d.tgz",
    ),
    "no image": (lambda lock: entry(lock, "images").update(artifacts=[]), "0 images are pinned"),
    "an image twice": (lambda lock: twice(lock, "images", {}, reference="app:1"), "2 images are pinned"),
    "another name": (
        lambda lock: artifact(lock, "images", reference="app:1").update({"as": ["docker.io/demo/evil:1"]}),
        "has as docker.io/demo/evil:1",
    ),
    "no other name": (lambda lock: artifact(lock, "images", reference="app:1").update({"as": []}), "has as none"),
    "another image": (
        lambda lock: artifact(lock, "images", reference="one:1").update(reference="registry.k8s.io/two:1"),
        "has reference registry.k8s.io/two:1",
    ),
    "a platform less": (
        lambda lock: artifact(lock, "images", reference="app:1")["manifests"].pop(),
        "has platforms linux/amd64, and the manifest means linux/amd64, linux/arm64",
    ),
    "another platform": (
        lambda lock: artifact(lock, "images", reference="app:1")["manifests"][0].update(platform="linux/arm"),
        "has platforms linux/arm, linux/arm64",
    ),
    "a manifest as an index": (
        lambda lock: artifact(lock, "images", reference="app:1").update(
            media_type="application/vnd.oci.image.manifest.v1+json"
        ),
        "is no index, and yet its manifest is another document",
    ),
    "no package": (
        lambda lock: entry(lock, "rpms").update(artifacts=[beside(lock)]),
        "no package is pinned",
    ),
    "no repository": (lambda lock: without(lock, "rpms", type="repository"), "0 artifacts of type repository"),
    "a package less": (lambda lock: without(lock, "rpms", nevra="app-"), "no package is pinned for app"),
    "of a glob": (lambda lock: without(lock, "rpms", nevra="lib-"), "no package is pinned for li*"),
    "an obsoleter's name": (lambda lock: beside(lock).pop("otherwise"), "no package is pinned for old"),
    "what nobody asks for": (
        lambda lock: beside(lock)["otherwise"].append("x"),
        "has otherwise old, x, and the manifest means old",
    ),
    "a package twice": (lambda lock: twice(lock, "rpms", {}, nevra="app-"), "app-x86_64-2-1 is pinned 2 times"),
    "of another system": (
        lambda lock: artifact(lock, "rpms", nevra="app-").update(nevra="app-2-1.aarch64"),
        "app-2-1.aarch64 is for aarch64, and the entry is for x86_64",
    ),
    "32 bits": (lambda lock: artifact(lock, "rpms", nevra="app-").update(nevra="app-2-1.i686"), "is for i686"),
    "another directory": (
        lambda lock: artifact(lock, "rpms", nevra="app-").update(directory="k"),
        "app-2-1.x86_64 has directory k, and the manifest means yum",
    ),
    "unsigned": (lambda lock: artifact(lock, "rpms", nevra="app-").update(signed=False), "has signed false"),
    "held to nothing": (
        lambda lock: artifact(lock, "rpms", nevra="app-").update(held_to={"by": "first-use"}),
        "is held to first-use, and base has gpgcheck true",
    ),
    "another repository": (
        lambda lock: artifact(lock, "rpms", nevra="app-").update(repo="x"),
        "is of the repository x",
    ),
    "no keys": (lambda lock: beside(lock)["origins"][0].update(keys=[]), "has no key 4eed7d52414636d3"),
    "no origin": (lambda lock: beside(lock).update(origins=[]), "has origins none"),
    "gpgcheck off": (lambda lock: beside(lock)["origins"][0].update(gpgcheck=False), "has gpgcheck False"),
    "another release": (lambda lock: beside(lock).update(release="8"), "has release 8"),
    "an installed list": (
        lambda lock: beside(lock).update(installed=["bash-1-1.x86_64"], installed_path="el7.txt"),
        "has another text of el7.txt",
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_is_told(locked: Locked, name: str) -> None:
    edit, words = EDITS[name]
    problems = locked.problems(locked.edited(edit))
    assert any(words in line for line in problems), problems
    with pytest.raises(ManifestError) as caught:
        require_answers(problems, where="m.lock.json")
    assert (caught.value.id, caught.value.exit_code) == (ErrorId.LOCK_OUTDATED, 3)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of everything in a JSON value, containers included."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from leaves(item, (*path, key))


def changed(value: Any, path: tuple[Any, ...], how: str) -> bool:
    """Edit what lies at a path in place; tell whether that is an edit at all."""
    *way, last = path
    for key in way:
        value = value[key]
    found = value[last]
    match how, found:
        case "gone", _:
            del value[last]
        case "twice", _ if isinstance(value, list):
            value.insert(last, found)
        case "changed", bool():
            value[last] = not found
        case "changed", int():
            value[last] = found + 1
        case "changed", str():
            value[last] = found[:-1] + ("0" if found[-1:] != "0" else "1")
        case _:
            return False
    return True


@pytest.mark.parametrize("how", ["gone", "twice", "changed"])
def test_every_other_edit_is_of_what_only_an_upstream_knows(locked: Locked, how: str) -> None:
    believed = frozenset().union(*BELIEVED.values())
    unseen = []
    for path in leaves(locked.value):
        value = copy.deepcopy(locked.value)
        if not changed(value, path, how):
            continue
        try:
            told = locked.problems(value)
        except (ManifestError, BundleFormatError):
            continue
        in_rpms = path[0] == "entries" and locked.value["entries"][path[1]]["kind"] == "rpms"
        words = believed | ({"urls", "nevra"} if in_rpms else set()) | ({"keys"} if how == "twice" else set())
        # of a subtree and of a closure the lock alone knows how much there is
        is_artifact = len(path) == 4
        if not told and not words & set(path) and not is_artifact:
            unseen.append(path)
    assert unseen == []


def test_a_lock_that_was_narrowed_answers_for_its_platforms(locked: Locked) -> None:
    lock = decode_lock(json.dumps(locked.value).encode(), DECODERS, file="m.lock.json")
    for platform in map(Platform.parse, ("linux/amd64", "linux/arm64")):
        narrowed = narrow_lock(lock, [platform], locked.context)
        assert disagreements(locked.manifest, narrowed, KINDS, narrowed=[platform]) == ()
        assert disagreements(locked.manifest, narrowed, KINDS) != ()
        less = replace(narrowed, entries=narrowed.entries[1:])
        assert disagreements(locked.manifest, less, KINDS, narrowed=[platform]) != ()


def test_locking_again_mends_what_was_edited_and_keeps_the_rest(locked: Locked) -> None:
    edited = locked.edited(EDITS["another mode"][0])
    previous = decode_lock(json.dumps(edited).encode(), DECODERS, file="m.lock.json")
    assert (
        json.loads(encode_lock(pin_manifest(locked.manifest, locked.context, previous=previous).lock)) == locked.value
    )
