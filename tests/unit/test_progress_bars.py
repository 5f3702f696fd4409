"""What stands beside a bar."""

from __future__ import annotations

import pytest

from bundler.progress_bars import fitted_label


@pytest.mark.parametrize(
    ("columns", "want"),
    [
        (120, "registry.example/a/kube-proxy:v1.22.1"),
        (80, "…xample/a/kube-proxy:v1.22.1"[-24:]),
        (20, "…y:v1.22.1"),
    ],
)
def test_labels_keep_the_end_that_tells_them_apart(columns: int, want: str) -> None:
    found = fitted_label("registry.example/a/kube-proxy:v1.22.1", columns)
    assert found[1:] == want[1:]
    assert len(found) == len(want)
    assert found.startswith("…") is (columns < 100)
