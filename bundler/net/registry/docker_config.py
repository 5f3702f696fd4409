"""Credentials from the files of `docker login` and `podman login`; read-only, and only when a registry wants some.

Owns where the files are, their format and how their keys match a repository (docker/cli, "cli/config"; containers-
auth.json(5)); `credential_helper.py` gets the secrets of credential helpers.
"""

from __future__ import annotations

import base64
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bundler.errors import ErrorId, SourceError
from bundler.model.json_value import REPLACED, load_foreign
from bundler.model.reference import DEFAULT_HOST
from bundler.net.registry.credentials import LoginKind, RegistryLogin
from bundler.permissions import require_protected
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Mapping

# the key that docker login writes for Docker Hub since its first protocol
HUB_KEY = "https://index.docker.io/v1/"
HTTPS_PORT = 443
_HUB_HOSTS = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})
# the user name that marks an identity token of a credential helper (docker/cli, "native_store.go")
_TOKEN_USER = "<token>"  # noqa: S105 - a marker, not a secret


@dataclass(frozen=True, slots=True)
class _Helper:
    name: str
    server: str


class DockerLogins:
    """`Logins` from the first file that has an entry for the repository.

    Arguments:
        environment: DOCKER_CONFIG, REGISTRY_AUTH_FILE, XDG_RUNTIME_DIR, XDG_CONFIG_HOME and HOME say where the files
            are; helpers are searched on its PATH and get all of it.
        default_port: of the scheme in use. Docker takes a bare word for a registry only with a port behind it, so that
            its users log in to `master:443`, which is `master`.
        user_id: numeric id for /run/containers/ID/auth.json; the running user by default.

    Safe for many threads; a helper is run once per server.
    """

    def __init__(
        self, environment: Mapping[str, str], *, user_id: int | None = None, default_port: int = HTTPS_PORT
    ) -> None:
        self._environment = environment
        self._default_port = default_port
        self._files = config_files(environment, os.getuid() if user_id is None else user_id)
        self._lock = threading.Lock()
        self._configs: dict[Path, _ConfigFile | None] = {}
        self._helper_answers: dict[_Helper, tuple[str, str] | None] = {}

    @property
    def searched(self) -> str:
        """The files that are searched."""
        return ", ".join(str(file) for file in self._files) or tr("no file (HOME is not set)")

    def login(self, host: str, path: str) -> RegistryLogin | None:
        """Return the entry of the first file that has one for the repository, a namespaced one before its host's.

        The host counts as it is given, then with or without the port that is the scheme's anyway.

        Raises SourceError (CREDENTIALS_UNREADABLE), ToolMissingError.
        """
        port = f":{self._default_port}"
        other = host.removesuffix(port) if host.endswith(port) else f"{host}{port}"
        others = () if _has_port(host) and other.endswith(port) else (other,)
        with self._lock:
            logins = (
                self._stored(name, path, file, is_other=name != host)
                for name in (host, *others)
                for file in self._files
            )
            return next((login for login in logins if login is not None), None)

    def _stored(self, host: str, path: str, file: Path, *, is_other: bool = False) -> RegistryLogin | None:
        """Return the entry of one file; a store is asked for another name of the host only where the file has it."""
        config = self._config(file)
        if config is None or (is_other and not config.names(host, path)):
            return None
        helper = config.helper(host, path)
        found = self._from_helper(helper, file) if helper else None
        return config.login(host, path) if found is None else found

    def _config(self, file: Path) -> _ConfigFile | None:
        if file not in self._configs:
            self._configs[file] = _read_config(file)
        return self._configs[file]

    def _from_helper(self, helper: _Helper, file: Path) -> RegistryLogin | None:
        if helper not in self._helper_answers:
            from bundler.net.registry.credential_helper import ask_helper  # few have one, and it starts programs

            self._helper_answers[helper] = ask_helper(
                helper.name, helper.server, self._environment, configured_in=str(file)
            )
        answer = self._helper_answers[helper]
        if answer is None:
            return None
        username, secret = answer
        kind: LoginKind = "identity-token" if username == _TOKEN_USER else "password"
        return RegistryLogin(username, secret, f"docker-credential-{helper.name}", kind)


def config_files(environment: Mapping[str, str], user_id: int) -> tuple[Path, ...]:
    """Return the files that may hold credentials, in the order in which they are searched."""
    home = environment.get("HOME", "")
    runtime = environment.get("XDG_RUNTIME_DIR") or f"/run/containers/{user_id}"
    settings = environment.get("XDG_CONFIG_HOME") or (f"{home}/.config" if home else "")
    docker = environment.get("DOCKER_CONFIG") or (f"{home}/.docker" if home else "")
    named = (
        environment.get("REGISTRY_AUTH_FILE", ""),
        f"{docker}/config.json" if docker else "",
        f"{runtime}/containers/auth.json" if environment.get("XDG_RUNTIME_DIR") else f"{runtime}/auth.json",
        f"{settings}/containers/auth.json" if settings else "",
    )
    return tuple(dict.fromkeys(Path(name) for name in named if name))


@dataclass(frozen=True, slots=True)
class _ConfigFile:
    """One file's content, its keys in normal form; entries are decoded only when they are used."""

    file: Path
    auths: Mapping[str, Any]
    helpers: Mapping[str, _Helper]
    store: str

    def names(self, host: str, path: str) -> bool:
        return any(key in self.auths or key in self.helpers for key in _keys(host, path))

    def helper(self, host: str, path: str) -> _Helper | None:
        for key in _keys(host, path):
            if key in self.helpers:
                # an empty name means that the credentials are in this file, whatever credsStore says
                return self.helpers[key] if self.helpers[key].name else None
        return _Helper(self.store, HUB_KEY if host == DEFAULT_HOST else host) if self.store else None

    def login(self, host: str, path: str) -> RegistryLogin | None:
        for key in _keys(host, path):
            if key in self.auths and (login := _decode_entry(self.auths[key], key, self.file)) is not None:
                return login
        return None


def _read_config(file: Path) -> _ConfigFile | None:
    # it also names programs that are run
    require_protected(file)
    try:
        value = load_foreign(file.read_bytes() or b"{}")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _unreadable(file, tr("cannot be read: {reason}", reason=error.strerror)) from error
    except ValueError:
        # the chained exception would hold the file's text, and with it the secrets
        raise _unreadable(file, tr("is not JSON")) from None
    if not isinstance(value, dict):
        raise _unreadable(file, tr("is not a JSON object"))
    auths, helpers = (_object(value, name, file) for name in ("auths", "credHelpers"))
    store = value.get("credsStore") or ""
    if not all(isinstance(name, str) for name in (store, *helpers.values())):
        raise _unreadable(file, tr("names a credential helper that is no text"))
    named = {key: _Helper(name, key) for key, name in helpers.items()}
    return _ConfigFile(file, _by_normal_key(auths), _by_normal_key(named), store)


def _object(value: dict[str, Any], name: str, file: Path) -> dict[str, Any]:
    found = value.get(name)
    if found is not None and not isinstance(found, dict):
        raise _unreadable(file, tr("holds {name!r} that is no object", name=name))
    return found or {}


def _by_normal_key(entries: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries by host or host/path; of two keys for the same, the one already in that form counts."""
    table: dict[str, Any] = {}
    for key, entry in entries.items():
        normal = normal_key(key)
        if normal not in table or key == normal:
            table[normal] = entry
    return table


def normal_key(key: str) -> str:
    """Return a configured key as `host` or `host/namespace`.

    `https://host/v1/` and `host/v2/` mean a host, as for Docker; `host/a/b` without a scheme is a namespace, as for
    podman; all names of Docker Hub become `docker.io`.
    """
    scheme, separator, rest = key.partition("://")
    host, _, path = (rest if separator else scheme).partition("/")
    host = DEFAULT_HOST if host in _HUB_HOSTS else host
    path = path.strip("/")
    return host if separator or path in ("", "v1", "v2") else f"{host}/{path}"


def _has_port(host: str) -> bool:
    return host.rpartition(":")[2].isdigit() and not host.endswith("]")


def _keys(host: str, path: str) -> tuple[str, ...]:
    segments = [DEFAULT_HOST if host in _HUB_HOSTS else host, *path.split("/")]
    return tuple("/".join(segments[:count]) for count in range(len(segments), 0, -1))


def _decode_entry(entry: Any, key: str, file: Path) -> RegistryLogin | None:
    """Return one entry of `auths`, or None when it is empty, as `docker login` writes it with a credsStore."""
    if not isinstance(entry, dict):
        raise _unreadable(file, tr("holds an entry for {key} that is no object", key=key))
    texts = {name: entry.get(name) or "" for name in ("auth", "username", "password", "identitytoken", "registrytoken")}
    if not all(isinstance(text, str) for text in texts.values()):
        raise _unreadable(file, tr("holds an entry for {key} with a value that is no text", key=key))
    if any(REPLACED in text for text in texts.values()):
        raise _unreadable(file, tr("holds an entry for {key} with half a character", key=key))
    username, password = texts["username"], texts["password"]
    if texts["auth"]:
        username, password = _decode_auth(texts["auth"], key, file)
    if texts["registrytoken"]:
        return RegistryLogin(username, texts["registrytoken"], str(file), "registry-token")
    if texts["identitytoken"]:
        return RegistryLogin(username, texts["identitytoken"], str(file), "identity-token")
    return RegistryLogin(username, password, str(file)) if password else None


def _decode_auth(text: str, key: str, file: Path) -> tuple[str, str]:
    try:
        username, colon, password = base64.b64decode(text, validate=True).decode().partition(":")
    except ValueError:
        raise _unreadable(file, tr("holds an auth for {key} that is not base64 of USER:PASSWORD", key=key)) from None
    if not colon:
        raise _unreadable(file, tr("holds an auth for {key} that is not base64 of USER:PASSWORD", key=key))
    return username, password.rstrip("\0")


def _unreadable(file: Path, what: str) -> SourceError:
    return SourceError(
        ErrorId.CREDENTIALS_UNREADABLE,
        what,
        where=str(file),
        remedy=tr("Mend the file, or log in anew with docker login."),
    )
