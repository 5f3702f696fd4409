"""Files of the bundle with curl: one of them, or all, held to their digests."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from bundler.model.bundle import SUMS_PATH
from mirror.client.reach import Snippet
from mirror.client.wording import curl, curl_remarks, root_url, schemes, word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mirror.client.offer import Offer
    from mirror.client.reach import Reach

# a line of SHA256SUMS -> two lines of a curl configuration (curl(1), --config); h and g keep the plain path aside
_TO_CONFIG = (
    's/^[0-9a-f]*  //; h; s/%/%25/g; s/ /%20/g; s/#/%23/g; s/?/%3F/g; s/"/%22/g; '
    's|.*|url = "@URL@/&"|p; g; s/"/\\\\"/g; s|.*|output = "&"|p'
)


def curl_snippets(offer: Offer, reach: Reach) -> Iterator[Snippet]:
    """Yield for each protocol how to fetch one file, as an example, and the whole bundle."""
    for scheme in schemes(reach):
        if offer.example is not None:
            yield _one_file(*offer.example, reach, scheme)
        if not offer.is_part:
            yield _whole_bundle(reach, scheme)


def _one_file(path: str, hexadecimal: str, reach: Reach, scheme: str) -> Snippet:
    name = path.rpartition("/")[2]
    url = f"{root_url(reach, scheme)}/{quote(path)}"
    lines = [
        "# -C - goes on where an interrupted download stopped",
        f"{curl(reach, scheme)} -C - -o {word(name)} {word(url)}",
        f"echo {word(f'{hexadecimal}  {name}')} | sha256sum -c -",
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
