"""Files of the bundle with curl: one of them, or all, held to their digests."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from bundler.model.about import FileAbout, PackageAbout
from bundler.model.bundle import LOCK_PATH, MANIFEST_PATH, SUMS_PATH
from mirror.client.reach import Snippet
from mirror.client.wording import curl, curl_remarks, root_url, schemes, word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bundler.model.bundle import BundleIndex, IndexedFile
    from mirror.client.reach import Reach

_OWN = (MANIFEST_PATH, LOCK_PATH)
# a line of SHA256SUMS -> two lines of a curl configuration (curl(1), --config); h and g keep the plain path aside
_TO_CONFIG = (
    's/^[0-9a-f]*  //; h; s/%/%25/g; s/ /%20/g; s/#/%23/g; s/?/%3F/g; s/"/%22/g; '
    's|.*|url = "@URL@/&"|p; g; s/"/\\\\"/g; s|.*|output = "&"|p'
)


def curl_snippets(index: BundleIndex, reach: Reach) -> Iterator[Snippet]:
    """Yield for each protocol how to fetch one file, as an example, and the whole bundle."""
    example = _example(index)
    for scheme in schemes(reach):
        if example is not None:
            yield _one_file(example, reach, scheme)
        yield _whole_bundle(reach, scheme)


def _example(index: BundleIndex) -> IndexedFile | None:
    """Return what a person may well want: a plain file rather than a package, an image's blob or our own lists."""
    plain = [file for file in index.files if file.path not in _OWN and not file.path.startswith("k8simage/")]
    named = [file for file in plain if not isinstance(file.about, PackageAbout) and "/repodata/" not in file.path]
    fetched = [file for file in named if isinstance(file.about, FileAbout) and file.about.url]
    return next(iter([*fetched, *named, *plain]), None)


def _one_file(file: IndexedFile, reach: Reach, scheme: str) -> Snippet:
    name = file.path.rpartition("/")[2]
    url = f"{root_url(reach, scheme)}/{quote(file.path)}"
    lines = [
        "# -C - goes on where an interrupted download stopped",
        f"{curl(reach, scheme)} -C - -o {word(name)} {word(url)}",
        f"echo {word(f'{file.blob.digest.hex}  {name}')} | sha256sum -c -",
    ]
    return Snippet(
        name=f"file-{scheme}.sh",
        tool="curl",
        title=f"One file over {scheme.upper()}, held to its digest",
        title_zh=f"经 {scheme.upper()} 下载一个文件并校验",
        text="\n".join([*curl_remarks(reach), *lines, ""]),
        commands=True,
    )


def _whole_bundle(reach: Reach, scheme: str) -> Snippet:
    url = root_url(reach, scheme)
    begin = curl(reach, scheme)
    program = _TO_CONFIG.replace("@URL@", url)
    lines = [
        "mkdir -p bundle && cd bundle",
        f"{begin} -o {SUMS_PATH} {word(f'{url}/{SUMS_PATH}')}",
        f"sed -n {word(program)} {SUMS_PATH} | {begin} --create-dirs -K -",
        f"sha256sum -c {SUMS_PATH} && echo complete",
    ]
    return Snippet(
        name=f"bundle-{scheme}.sh",
        tool="curl",
        title=f"The whole bundle over {scheme.upper()}, held to its digests",
        title_zh=f"经 {scheme.upper()} 下载整个离线包并校验",
        text="\n".join([*curl_remarks(reach), *lines, ""]),
        commands=True,
    )
