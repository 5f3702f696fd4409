"""A token service for registries with `auth: token`, as Harbor and Docker Hub have one.

Follows the distribution project's "Token Authentication Specification" (GET) and "OAuth2 Token Authentication" (POST).
Its tokens are ES256 JWTs whose `kid` is libtrust's key id, which is how docker-registry 2.8 finds the key.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

ISSUER = "test-issuer"
SERVICE = "test-registry"


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """One request that reached the service: `user` is "" when it was anonymous, `status` what was answered."""

    method: str
    user: str
    scopes: tuple[str, ...]
    status: int


@dataclass(slots=True)
class TokenService:
    """A running service.

    Arguments:
        users: name -> password; a user may do everything. `refresh-NAME` is a user's refresh (identity) token.
        anonymous_pull: whether a token to pull is given to anybody.
        robots: name -> secret and the projects that it may pull from, and nothing else.
        expires_in_s: lifetime written into tokens and answers; a negative one makes tokens that no registry accepts.
        lenient: give whoever has a wrong password, and asks for some scope, a token that opens nothing, as Harbor does.
        refusals: how many more requests are refused whatever their password, as by a Harbor without its database.
        on_login: called once it has accepted a login, that is: a password and no scope.
        stop: ends it early, so that nobody answers at its address.
    """

    users: Mapping[str, str]
    anonymous_pull: bool
    expires_in_s: int
    lenient: bool = False
    refusals: int = 0
    robots: dict[str, tuple[str, frozenset[str]]] = field(default_factory=dict)
    realm: str = ""
    requests: list[TokenRequest] = field(default_factory=list)
    on_login: Callable[[], None] = lambda: None
    stop: Callable[[], None] = lambda: None
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def answer(self, method: str, user: str | None, scopes: list[str]) -> tuple[int, dict[str, Any]]:
        """Return status and JSON body for a request whose credentials are checked: None where they are wrong."""
        without_database, self.refusals = self.refusals > 0, max(0, self.refusals - 1)
        stranger = user is None and not (self.lenient and scopes)
        refused = without_database or stranger or (user == "" and not self.anonymous_pull)
        status = 401 if refused else 200
        self.requests.append(TokenRequest(method, user or "", tuple(scopes), status))
        if refused:
            return status, {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}
        if user and not scopes:
            self.on_login()
        token = self.token(user or "", [grant for scope in scopes for grant in self._grant(scope, user or "")])
        return status, {"token": token, "access_token": token, "expires_in": self.expires_in_s}

    def token(self, user: str, access: list[dict[str, Any]]) -> str:
        """Return a signed JWT for these grants."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "sub": user,
            "aud": SERVICE,
            "iat": now,
            "nbf": now - 3600,
            "exp": now + self.expires_in_s,
            "access": access,
        }
        signed = f"{_segment({'typ': 'JWT', 'alg': 'ES256', 'kid': self._key_id()})}.{_segment(claims)}"
        r, s = decode_dss_signature(self.key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{_base64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    def certificate(self) -> bytes:
        """Return the PEM certificate of the signing key, for the registry's `rootcertbundle`."""
        return self_signed_certificate(self.key)

    def check(self, name: str, password: str) -> str | None:
        """Return the user's name, or None when name or password is wrong."""
        known = self.robots[name][0] if name in self.robots else self.users.get(name)
        return name if known == password else None

    def _grant(self, scope: str, user: str) -> list[dict[str, Any]]:
        if not user and not self.anonymous_pull:
            return []
        kind, _, rest = scope.partition(":")
        name, _, actions = rest.rpartition(":")
        granted = [action for action in actions.split(",") if user or action == "pull"]
        if user in self.robots:
            mine = name.partition("/")[0] in self.robots[user][1]
            granted = [action for action in granted if mine and action == "pull"]
        return [{"type": kind, "name": name, "actions": granted}] if granted else []

    def _key_id(self) -> str:
        public = self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        text = base64.b32encode(hashlib.sha256(public).digest()[:30]).decode()
        return ":".join(text[start : start + 4] for start in range(0, len(text), 4))


def self_signed_certificate(key: ec.EllipticCurvePrivateKey, *names: x509.GeneralName) -> bytes:
    """Return a PEM certificate for the key, valid for a day, with these subject alternative names."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, ISSUER)])
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(list(names)), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@contextmanager
def token_service(
    directory: Path, users: Mapping[str, str], *, anonymous_pull: bool = False, expires_in_s: int = 300
) -> Iterator[tuple[TokenService, Path]]:
    """Run a service on a free loopback port; yields it and the file for the registry's `rootcertbundle`."""
    service = TokenService(dict(users), anonymous_pull, expires_in_s)
    bundle = directory / "token-root.pem"
    bundle.write_bytes(service.certificate())
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(service)) as server:
        service.realm = f"http://127.0.0.1:{server.server_port}/token"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()

        def stop() -> None:
            server.shutdown()
            server.server_close()

        service.stop = stop
        try:
            yield service, bundle
        finally:
            server.shutdown()
            thread.join()


def _handler(service: TokenService) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            kind, _, value = self.headers.get("Authorization", "").partition(" ")
            user: str | None = "" if not kind else None
            if kind.lower() == "basic":
                name, _, password = base64.b64decode(value).decode().partition(":")
                user = service.check(name, password)
            self._send(*service.answer("GET", user, query.get("scope", [])))

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            form = {name: values[0] for name, values in parse_qs(self.rfile.read(length).decode()).items()}
            user: str | None = None
            if form.get("grant_type") == "refresh_token":
                name = form.get("refresh_token", "").removeprefix("refresh-")
                user = name if name in service.users else None
            elif form.get("grant_type") == "password":
                user = service.check(form.get("username", ""), form.get("password", ""))
            self._send(*service.answer("POST", user, form.get("scope", "").split()))

        def _send(self, status: int, value: dict[str, Any]) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    return Handler


def _segment(value: dict[str, Any]) -> str:
    return _base64url(json.dumps(value, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
