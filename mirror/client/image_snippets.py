"""Images without a registry: a script that fetches what this machine lacks and loads it with the bundle's load.sh."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from mirror.client.reach import Snippet
from mirror.client.wording import CLIENT_URL, curl, curl_remarks, root_url, schemes, word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mirror.client.offer import Offer
    from mirror.client.reach import Reach

SCRIPT = "fetch-images.sh"
_EXAMPLE = "'*pause*'"
# tool -> what it is called, the script's argument for it
_ENGINES = {"docker": ("Docker", ""), "containerd": ("containerd", " --containerd")}


def image_snippets(offer: Offer, reach: Reach) -> Iterator[Snippet]:
    """Yield the script and the commands that run it, when the bundle has images."""
    if not schemes(reach) or not offer.loads_images:
        return
    # the mirror hands the script out over HTTP; the script itself takes the bundle from wherever it can
    scheme = schemes(reach)[0]
    for tool, (title, argument) in _ENGINES.items():
        if scheme == "http":
            yield _commands(reach, tool, title, argument)
    yield Snippet(
        name=SCRIPT,
        tool="docker",
        title="Script: load images of the bundle into Docker or containerd, without a registry",
        title_zh="脚本：不经镜像仓库，将离线包中的镜像装入 Docker 或 containerd",
        text=_script(reach, scheme),
        commands=False,
    )


def _script(reach: Reach, scheme: str) -> str:
    text = (resources.files("mirror.client") / "data" / SCRIPT).read_text(encoding="utf-8")
    explicit_tls = "--ssl-reqd " if reach.tls and scheme == "ftp" else ""
    return text.replace("@URL@", word(root_url(reach, scheme))).replace("@CURL_OPTIONS@ ", explicit_tls)


def _commands(reach: Reach, tool: str, title: str, argument: str) -> Snippet:
    begin = f"{curl(reach, 'http')} {word(f'{reach.http_url}{CLIENT_URL}/{SCRIPT}')} | sh -s --{argument}"
    remarks = curl_remarks(reach)
    if reach.tls:
        remarks.append("# and for the script: export MIRROR_CA_FILE=FILE.pem")
    lines = [
        "# what there is; then one image; then all of them",
        f"{begin} --list",
        f"{begin} --only {_EXAMPLE}",
        begin,
    ]
    return Snippet(
        name=f"{tool}-images.sh",
        tool=tool,
        title=f"Images into {title}, without a registry",
        title_zh=f"不经镜像仓库，将镜像装入 {title}",
        text="\n".join([*remarks, *lines, ""]),
        commands=True,
    )
