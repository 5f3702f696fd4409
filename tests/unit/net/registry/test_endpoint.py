"""Where a registry answers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from bundler.errors import ErrorId, SourceError
from bundler.net.registry.endpoint import EndpointFinder, RegistryEndpoint, is_loopback
from tests.fakes.transport import Asked, FakeTransport, Reply, unreachable


def endpoints(answers: dict[str, Reply], *insecure: str) -> tuple[EndpointFinder, FakeTransport]:
    """Answer for `SCHEME://HOST`, be unreachable elsewhere."""

    def answer(asked: Asked) -> Reply:
        root, _, path = asked.url.rpartition("/v2/")
        assert path == ""
        if root not in answers:
            raise unreachable(asked.url)
        return answers[root]

    transport = FakeTransport(answer)
    return EndpointFinder(transport, frozenset(insecure)), transport


@pytest.mark.parametrize(
    ("host", "url"), [("docker.io", "https://registry-1.docker.io"), ("quay.io", "https://quay.io")]
)
def test_others_speak_tls_and_are_not_probed(host: str, url: str) -> None:
    found, transport = endpoints({})
    assert found.find(host) == RegistryEndpoint(host, url, insecure=False)
    assert transport.urls == []


@pytest.mark.parametrize("host", ["127.0.0.1:5000", "127.9.9.9", "localhost:5000", "LOCALHOST", "[::1]:5000"])
def test_loopback_speaks_plain_http(host: str) -> None:
    assert is_loopback(host)
    found, transport = endpoints({f"http://{host}": Reply(401)})
    assert found.find(host) == RegistryEndpoint(host, f"http://{host}", insecure=True)
    assert transport.urls == [f"http://{host}/v2/"]


@pytest.mark.parametrize("host", ["128.0.0.1", "localhost.example", "[::2]:5000", "example:80", "127.example"])
def test_what_is_not_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_loopback_with_tls() -> None:
    found, _ = endpoints({"http://127.0.0.1:5000": Reply(400), "https://127.0.0.1:5000": Reply(200)})
    assert found.find("127.0.0.1:5000").url == "https://127.0.0.1:5000"


@pytest.mark.parametrize("named", ["registry.example", "Registry.Example:5000"])
def test_a_named_host_speaks_tls_where_it_can(named: str) -> None:
    found, transport = endpoints({"https://registry.example:5000": Reply(200)}, named)
    assert found.find("registry.example:5000") == RegistryEndpoint(
        "registry.example:5000", "https://registry.example:5000", insecure=True, named=True
    )
    assert transport.urls == ["https://registry.example:5000/v2/"]


def test_a_named_host_without_tls() -> None:
    found, _ = endpoints({"http://registry.example": Reply(200)}, "registry.example")
    assert found.find("registry.example").url == "http://registry.example"


def test_another_port_is_not_named() -> None:
    found, _ = endpoints({"http://registry.example:81": Reply(200)}, "registry.example:80")
    assert found.find("registry.example:81") == RegistryEndpoint(
        "registry.example:81", "https://registry.example:81", insecure=False
    )


def test_a_redirect_to_tls_on_the_same_host_is_taken() -> None:
    redirected = Reply(401, url="https://localhost/v2/")
    found, _ = endpoints({"http://localhost": redirected})
    assert found.find("localhost").url == "https://localhost"


def test_a_redirect_elsewhere_is_not() -> None:
    found, _ = endpoints({"http://localhost": Reply(200, url="https://elsewhere.example/v2/")})
    assert found.find("localhost").url == "http://localhost"


def test_nobody_answers_and_later_somebody_does() -> None:
    answers: dict[str, Reply] = {}
    found, _ = endpoints(answers, "registry.example")
    with pytest.raises(SourceError) as caught:
        found.find("registry.example")
    assert (caught.value.id, caught.value.retryable) == (ErrorId.SOURCE_UNREACHABLE, True)
    assert caught.value.where == "https://registry.example/v2/"
    answers["http://registry.example"] = Reply(200)
    assert found.find("registry.example").url == "http://registry.example"


def test_many_threads_probe_once() -> None:
    found, transport = endpoints({"http://localhost:5000": Reply(200)})
    with ThreadPoolExecutor(8) as pool:
        urls = {endpoint.url for endpoint in pool.map(found.find, ["localhost:5000"] * 32)}
    assert urls == {"http://localhost:5000"}
    assert len(transport.asked) == 1
