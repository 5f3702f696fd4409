"""How clients reach a mirror, and one thing that they can do with it. Frozen values."""

from __future__ import annotations

from dataclasses import dataclass

_HTTP_PORTS = {False: 80, True: 443}
_FTP_PORT = 21


@dataclass(frozen=True, slots=True)
class Reach:
    """How clients reach the mirror.

    Arguments:
        host: name or address, without port; an IPv6 address without brackets.
        http: port, None when HTTP is off.
        tls: whether the HTTP port speaks TLS (and the FTP port FTPS).
        ftp: port, None when FTP is off.
        login: whether a name and a password are asked for.
        registry: a port of the registry alone; None when images come from the HTTP port, if anywhere.
    """

    host: str
    http: int | None
    tls: bool
    ftp: int | None
    login: bool = False
    registry: int | None = None

    @property
    def http_url(self) -> str:
        """The bundle's root over HTTP, without a slash at its end; "" when HTTP is off."""
        if self.http is None:
            return ""
        scheme = "https" if self.tls else "http"
        return f"{scheme}://{self._host}" + ("" if self.http == _HTTP_PORTS[self.tls] else f":{self.http}")

    @property
    def ftp_url(self) -> str:
        """The bundle's root over FTP, without a slash at its end; "" when FTP is off."""
        if self.ftp is None:
            return ""
        return f"ftp://{self._host}" + ("" if self.ftp == _FTP_PORT else f":{self.ftp}")

    @property
    def registry_authority(self) -> str:
        """HOST:PORT of the registry, "" without one; with its port, or clients take a short host for a hub's name."""
        port = self.http if self.registry is None else self.registry
        return "" if port is None else f"{self._host}:{port}"

    @property
    def registry_url(self) -> str:
        """The same as a URL, without a slash at its end."""
        return f"{'https' if self.tls else 'http'}://{self.registry_authority}" if self.registry_authority else ""

    @property
    def _host(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host


@dataclass(frozen=True, slots=True)
class Snippet:
    """One thing that a client can do.

    Arguments:
        name: ends its URL, `/-/client/NAME`, and is what a script asks for: `yum-http.repo`.
        tool: whom it is for: `yum`, `docker`, `containerd`, `curl`, …; the page groups by it and has titles for it.
        title: one line for people, English.
        title_zh: the same in Chinese.
        text: the file's content, or the commands to type.
        commands: whether `text` is what to type in a shell, rather than a file.
        path: where the file belongs on the client, "" for commands.
    """

    name: str
    tool: str
    title: str
    title_zh: str
    text: str
    commands: bool
    path: str = ""
