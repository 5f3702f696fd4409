"""Where nodes get things from: the mirror, the registry, the bundle on this host; and the engine that pulls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.model.json_value import load_foreign, objects
from bundler.site.doctor.examined import Examined
from bundler.site.kubectl import mapping
from bundler.site.step import StepFinding
from bundler.translation import tr

if TYPE_CHECKING:
    from bundler.site.step import StepContext

_HEALTHY = 200
# a registry that wants a login
_ASKS = 401


def examine_supplies(at: StepContext) -> Examined:
    """Ask mirror, registry and engine."""
    parts = (_bundle(at), _mirror(at), _registry(at), _engine(at))
    return Examined(
        "supplies", tuple(fact for fact, _ in parts), tuple(found for _, findings in parts for found in findings)
    )


_Part = tuple[tuple[str, str], list[StepFinding]]


def _bundle(at: StepContext) -> _Part:
    if not at.bundle.root:
        remedy = tr("Unpack one: `bundler unpack SOURCE --root {root} --activate`.", root=at.config.root)
        return ("bundle", "none"), [
            StepFinding("bundle-missing", tr("holds no bundle"), at.config.root, remedy, "fault")
        ]
    return (
        "bundle",
        tr("{name} {release} at {root}", name=at.bundle.name, release=at.bundle.release, root=at.bundle.root),
    ), []


def _mirror(at: StepContext) -> _Part:
    address, port = _cloud_address(at), at.config.mirror.http
    answer = at.host.http_get(address, port, "/-/health", tls=False)
    if answer is not None and answer.status == _HEALTHY:
        return ("mirror", "healthy"), []
    state = tr("does not answer") if answer is None else tr("answers {status}", status=answer.status)
    remedy = tr("On the master: `mirror service status`, then `bundler verify {root}`.", root=at.config.root)
    return ("mirror", state), [StepFinding("mirror-sick", state, f"http://{address}:{port}", remedy, "fault")]


def _registry(at: StepContext) -> _Part:
    config = at.config
    host, colon, port = config.registry_address.rpartition(":")
    if not colon or not port.isdecimal():
        host, port = config.registry_address, "443" if config.registry_https else "80"
    answer = at.host.http_get(host, int(port), "/v2/", tls=config.registry_https)
    if answer is None or answer.status not in (_HEALTHY, _ASKS):
        state = tr("does not answer") if answer is None else tr("answers {status} to /v2/", status=answer.status)
        finding = StepFinding(
            "registry-sick", state, config.registry_address, tr("Look at its containers and logs."), "fault"
        )
        return ("registry", state), [finding]
    sick = _sick_components(at, host, int(port)) if config.registry.kind == "harbor" else ""
    if not sick:
        return ("registry", "answers"), []
    remedy = tr("On the master: `docker ps -a`, and the logs of that component below /var/log/harbor.")
    return ("registry", sick), [StepFinding("harbor-sick", sick, config.registry_address, remedy, "fault")]


def _sick_components(at: StepContext, host: str, port: int) -> str:
    answer = at.host.http_get(host, port, "/api/v2.0/health", tls=at.config.registry_https)
    try:
        value = load_foreign(answer.text) if answer else {}
    except ValueError:
        return ""
    found = [
        tr("{name} is {status}", name=one.get("name"), status=one.get("status"))
        for one in objects(mapping(value).get("components"))
        if one.get("status") != "healthy"
    ]
    return ", ".join(found)


def _engine(at: StepContext) -> _Part:
    done = at.host.run(("docker", "version", "--format", "{{.Server.Version}}"), within_s=30)
    if done.code == 0:
        return ("docker", done.stdout.strip()), []
    remedy = tr("Look at `journalctl -u docker -n 50`.")
    return ("docker", tr("does not answer")), [
        StepFinding("engine-silent", tr("does not answer"), "docker", remedy, "fault")
    ]


def _cloud_address(at: StepContext) -> str:
    return at.this.address if at.this.role == "cloud" else at.config.cloud.addresses[0]
