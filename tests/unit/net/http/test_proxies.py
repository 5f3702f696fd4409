"""Faults of the environment are not faults of the manifest."""

from __future__ import annotations

import pytest

from bundler.errors import ErrorId, SourceError
from bundler.net.http.proxies import require_usable

URL = "https://dl.example/a?token=s3cret"


@pytest.mark.parametrize("proxy", ["", "http://p.example:3128", "https://u:s3cret@p.example", "p.example:3128", "p"])
def test_a_proxy_that_can_be_used(proxy: str) -> None:
    require_usable(proxy, URL, {"https_proxy": proxy})


@pytest.mark.parametrize("scheme", ["socks", "socks4a", "socks5", "socks5h", "SOCKS5"])
@pytest.mark.parametrize("variable", ["all_proxy", "ALL_PROXY", "https_proxy", "HTTPS_PROXY"])
def test_socks_is_named_with_its_variable(scheme: str, variable: str) -> None:
    proxy = f"{scheme}://u:s3cret@127.0.0.1:7890"
    with pytest.raises(SourceError, match="speaks SOCKS") as raised:
        require_usable(proxy, URL, {"http_proxy": proxy, variable: proxy})
    error = raised.value
    assert (error.id, error.retryable) == (ErrorId.SOURCE_UNREACHABLE, False)
    assert f"the proxy in {variable}, " in error.what
    assert "HTTPS_PROXY=http://" in error.remedy
    assert "s3cret" not in error.text()


@pytest.mark.parametrize(
    "proxy", [" http://p.example:3128", "http://p.example:3128\n", "http://", "http://p:port", "ftp://p", "http://[::1"]
)
def test_what_is_no_proxy_is_told_as_the_variables_fault(proxy: str) -> None:
    with pytest.raises(SourceError, match=r"the proxy in https_proxy, .* is not http://HOST:PORT") as raised:
        require_usable(proxy, URL, {"https_proxy": proxy})
    assert raised.value.id == ErrorId.SOURCE_UNREACHABLE
