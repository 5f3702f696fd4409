"""One image pulled from the mirror, with each engine, under the names that its registry gives it out by. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mirror.client.reach import Snippet
from mirror.client.wording import NAME_PLACEHOLDER, word

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mirror.client.reach import Reach


class GivenName(NamedTuple):
    """A name of an image, and what the mirror's registry answers to.

    Arguments:
        original: the name that manifests have.
        on_site: `library/pause:3.5`, behind the registry's address.
        by_original: whether an engine that takes the mirror for the original registry gets it by the original name.
    """

    original: str
    on_site: str
    by_original: bool


def pull_snippets(names: Sequence[GivenName], reach: Reach) -> tuple[Snippet, ...]:
    """Return what to type for an image, for each engine; nothing for an image that is given out by no name."""
    if not names or not reach.registry_authority:
        return ()
    made = {"docker": _docker(names, reach), "containerd": _containerd(names, reach), "podman": _podman(names, reach)}
    return tuple(
        Snippet(
            name=f"pull-{tool}.sh",
            tool=tool,
            title=f"Pull it with {tool}",
            title_zh=f"用 {tool} 拉取",
            text="\n".join([*lines, ""]),
            commands=True,
        )
        for tool, lines in made.items()
    )


def _docker(names: Sequence[GivenName], reach: Reach) -> list[str]:
    lines = _login("docker", reach)
    lines.append(f"docker pull {_own(names[0], reach)}")
    # the name that manifests have; a digest cannot be given to an image
    lines += [f"docker tag {_own(names[0], reach)} {word(name.original)}" for name in names if "@" not in name.original]
    return lines


def _containerd(names: Sequence[GivenName], reach: Reach) -> list[str]:
    lines = list(_by_original("crictl pull", names))
    plain = "" if reach.tls else "--plain-http "
    user = f"--user {NAME_PLACEHOLDER} " if reach.login else ""
    return [*lines, f"ctr -n k8s.io images pull {plain}{user}{_own(names[0], reach)}"]


def _podman(names: Sequence[GivenName], reach: Reach) -> list[str]:
    lines = _login("podman", reach)
    lines += _by_original("podman pull", names)
    plain = "" if reach.tls else "--tls-verify=false "
    return [*lines, f"podman pull {plain}{_own(names[0], reach)}"]


def _by_original(command: str, names: Sequence[GivenName]) -> Iterator[str]:
    return (f"{command} {word(name.original)}" for name in names if name.by_original)


def _own(name: GivenName, reach: Reach) -> str:
    return word(f"{reach.registry_authority}/{name.on_site}")


def _login(program: str, reach: Reach) -> list[str]:
    plain = " --tls-verify=false" if program == "podman" and not reach.tls else ""
    authority = word(reach.registry_authority)
    return [f"{program} login{plain} --username {NAME_PLACEHOLDER} {authority}"] if reach.login else []
