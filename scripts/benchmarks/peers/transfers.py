"""A cold build, and fetching the images alone: what each program is asked to do, and the site that it asks."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from scripts.benchmarks.peers.content import IMAGES, file_digest, repository
from scripts.benchmarks.peers.pushes import fill_as_before, pushed_rows
from scripts.benchmarks.peers.rows import BUNDLER, OURS, PeerCommand, Timed, time_row
from tests.integration.nginx import nginx
from tests.integration.registries import plain_registry

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from scripts.benchmarks.peers.content import PeersContent


def timed_rows(content: PeersContent, directory: Path, wanted: Sequence[str], rounds: int) -> list[Timed]:
    """Measure those of `build`, `fetch` and `push` that are wanted.

    Arguments:
        directory: where the registry and the results lie.
    """
    rows: list[Timed] = []
    with plain_registry(directory / "registry") as registry, nginx(content.upstream, directory) as site:
        fill_as_before(content, registry)
        images = [f"{registry.host}/bench/{repository(number)}:1" for number in range(IMAGES)]
        work = directory / "work"
        if "build" in wanted:
            rows.append(time_row("cold build", _build(content, work, site.url, images), rounds))
        if "fetch" in wanted:
            rows.append(time_row(f"{IMAGES} images, cold", _fetch(work, images), rounds))
        if "push" in wanted:
            rows += pushed_rows(content, registry, rounds)
    return rows


def _emptied(work: Path) -> None:
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()


def _ours(work: Path, manifest: Path) -> PeerCommand:
    build = f"{BUNDLER} build {manifest} --store {work}/store -o {work}/out.tar.gz"

    def clean() -> None:
        _emptied(work)
        manifest.with_name(f"{manifest.stem}.lock.json").unlink(missing_ok=True)

    return PeerCommand(OURS, (), build, clean)


def _build(content: PeersContent, work: Path, url: str, images: Sequence[str]) -> list[PeerCommand]:
    """Return ours, and the same by hand as a shell script that somebody would write, packed and not packed."""
    needs = ("crane", "curl", "createrepo_c")
    fetch = (
        f"cd {work}\nmkdir -p tree/files tree/yum\ncd tree\n"
        f"$crane pull --insecure --format=oci {' '.join(images)} images\n"
        "for place in files yum; do $curl --silent --fail --parallel --config ../../$place.curl; done\n"
        "$createrepo_c --quiet --no-database yum\nfind . -type f -print0 | xargs -0 sha256sum >../SHA256SUMS\n"
    )
    for place, paths in (("files", content.files), ("yum", content.rpms)):
        text = (f'url = "{url}/{path.parent.name}/{path.name}"\noutput = "{place}/{path.name}"\n' for path in paths)
        work.with_name(f"{place}.curl").write_text("".join(text))

    def by_hand(name: str, needs: tuple[str, ...], pack: str) -> PeerCommand:
        return PeerCommand(name, needs, fetch + pack, lambda: _emptied(work))

    return [
        _ours(work, _manifest(content, work, url, images)),
        by_hand(
            "crane, curl, createrepo_c, sha256sum, tar \\| pigz -6 -p2",
            (*needs, "pigz"),
            "tar -cf - . | $pigz -6 -p2 >../out.tar.gz\n",
        ),
        by_hand("the same, tar alone", needs, "tar -cf ../out.tar .\n"),
    ]


def _manifest(content: PeersContent, work: Path, url: str, images: Sequence[str]) -> Path:
    """Write the manifest of everything, files held to their digests."""
    files = "".join(
        f"  - path: files/{file.name}\n    url: {url}/files/{file.name}\n    sha256: {file_digest(file)}\n"
        for file in content.files
    )
    rpms = (
        "  - path: yum\n    release: '8'\n    arch: x86_64\n    packages: ['package*']\n"
        f"    repos:\n      - {{id: peers, baseurl: '{url}/rpms/', gpgcheck: false}}\n"
    )
    named = "".join(f"  - {image}\n" for image in images)
    manifest = work.with_name("all.yaml")
    manifest.write_text(f"version: 1\nname: all\nfiles:\n{files}rpms:\n{rpms}images:\n{named}")
    return manifest


def _fetch(work: Path, images: Sequence[str]) -> list[PeerCommand]:
    """Return ours, which also writes the archive, and those that write an OCI layout."""
    manifest = work.with_name("images.yaml")
    manifest.write_text("version: 1\nname: images\nimages:\n" + "".join(f"  - {image}\n" for image in images))
    host = images[0].partition("/")[0]
    regctl = f"$regctl --host reg={host},tls=disabled image copy"
    skopeo = "$skopeo --insecure-policy copy --quiet --src-tls-verify=false"
    scripts = {
        "crane pull": ("crane", f"$crane pull --insecure --format=oci {' '.join(images)} {work}/out\n"),
        "regctl image copy, one by one": (
            "regctl",
            "".join(f"{regctl} {image} ocidir://{work}/out:{number}\n" for number, image in enumerate(images)),
        ),
        "skopeo copy, one by one": (
            "skopeo",
            "".join(f"{skopeo} docker://{image} oci:{work}/out:{number}\n" for number, image in enumerate(images)),
        ),
    }
    peers = [PeerCommand(name, (need,), script, lambda: _emptied(work)) for name, (need, script) in scripts.items()]
    return [_ours(work, manifest), *peers]
