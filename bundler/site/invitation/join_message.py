"""What is said between an edge that joins and the master: one request, one answer, each a line of JSON. Pure.

The channel is TLS, held to the certificate that the code names. `docs/formats.md` has both forms.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bundler.model.json_value import dump_canonical, load_strict
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bundler.model.json_value import Json

REQUEST_SCHEMA = "bundler.site-join-request/1"
ANSWER_SCHEMA = "bundler.site-join-answer/1"
END = b"\n"
MAX_REQUEST_BYTES = 4096
# ten thousand hosts with their labels
MAX_ANSWER_BYTES = 16 * 1024 * 1024
_SECRET = re.compile(r"[0-9a-f]{32}")
_BUNDLE = re.compile(r"(?:[0-9a-f]{64})?")
# what can be the name of a host in a log
_HOST = re.compile(r"[a-z0-9][a-z0-9.-]{0,252}")


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """What an edge asks.

    Arguments:
        host: which host of the site it is.
        secret: of its code.
        bundle: id of the bundle that its tool is from; "" where that is unknown.
    """

    host: str
    secret: bytes = field(repr=False)
    bundle: str = ""

    def encode(self) -> bytes:
        """Return the line."""
        value: dict[str, Json] = {
            "schema": REQUEST_SCHEMA,
            "host": self.host,
            "secret": self.secret.hex(),
            "bundle": self.bundle,
        }
        return dump_canonical(value) + END

    @classmethod
    def decode(cls, line: bytes) -> JoinRequest:
        """Read a line without its end. Raises ValueError."""
        value = _object(line, REQUEST_SCHEMA)
        host, secret, bundle = (_text(value, key) for key in ("host", "secret", "bundle"))
        if not _HOST.fullmatch(host) or not _SECRET.fullmatch(secret) or not _BUNDLE.fullmatch(bundle):
            raise ValueError(tr("it is no request of an edge"))
        return cls(host, bytes.fromhex(secret), bundle)


@dataclass(frozen=True, slots=True)
class JoinAnswer:
    """What an edge gets for its code.

    Arguments:
        host: whom it is for.
        token: for keadm.
        site: the public part of site.yaml.
        registry_ca: the authority of the registry, PEM; "" where none is needed.
        docker_config: the logins of a robot that may only pull; None where everybody may.
        bundle: id of the master's bundle; "" where there is none.
    """

    host: str
    token: str = field(repr=False)
    site: Mapping[str, Json]
    registry_ca: str = ""
    docker_config: Mapping[str, Json] | None = field(default=None, repr=False)
    bundle: str = ""

    def encode(self) -> bytes:
        """Return the line."""
        value: dict[str, Json] = {
            "schema": ANSWER_SCHEMA,
            "host": self.host,
            "token": self.token,
            "site": self.site,
            "registry_ca": self.registry_ca,
            "docker_config": self.docker_config,
            "bundle": self.bundle,
        }
        return dump_canonical(value) + END


@dataclass(frozen=True, slots=True)
class JoinRefusal:
    """Why an edge gets nothing.

    Arguments:
        reason: `code` when the code does not count for this host, whatever the cause; `bundle` when the edge has
            another bundle than the master; `token` when the master could not make a token.
        what: for a person; nothing that a stranger should not know.
    """

    reason: str
    what: str

    def encode(self) -> bytes:
        """Return the line."""
        return dump_canonical({"schema": ANSWER_SCHEMA, "refused": self.reason, "what": self.what}) + END


def decode_answer(data: bytes) -> JoinAnswer | JoinRefusal:
    """Read what a master answered. Raises ValueError, with words for a person, also where it was cut."""
    if not data.endswith(END):
        raise ValueError(tr("it ends in the middle"))
    value = _object(data, ANSWER_SCHEMA)
    if "refused" in value:
        return JoinRefusal(_text(value, "refused"), _text(value, "what"))
    site, docker_config = value.get("site"), value.get("docker_config")
    if not isinstance(site, dict) or not (docker_config is None or isinstance(docker_config, dict)):
        raise ValueError(tr("it lacks the site, or its logins are none"))
    texts = {key: _text(value, key) for key in ("host", "token", "registry_ca", "bundle")}
    if not texts["token"].strip() or not texts["token"].isprintable():
        raise ValueError(tr("it holds no token"))
    return JoinAnswer(site=site, docker_config=docker_config, **texts)


def _object(line: bytes, schema: str) -> dict[str, Any]:
    value = load_strict(line)
    if not isinstance(value, dict) or value.get("schema") != schema:
        raise ValueError(tr("it is no {schema}", schema=schema))
    return value


def _text(value: Mapping[str, Any], key: str) -> str:
    text = value.get(key)
    if not isinstance(text, str):
        raise ValueError(tr("{key!r} is no text", key=key))
    return text
