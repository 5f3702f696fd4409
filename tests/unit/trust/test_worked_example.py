"""The example of docs/formats.md is one, and a signature follows from key and text alone."""

from __future__ import annotations

import base64
import re

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from bundler.model.digest import Digest
from bundler.trust.signing_key import SigningKey
from bundler.trust.trust_policy import POLICY_KEYS, decode_policy
from bundler.trust.trusted_key import parse_public_key
from tests.contract.checkout import ROOT

# RFC 6979, A.2.5: the private key, and the signature of "sample" with SHA-256
PRIVATE = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
SAMPLE_R = 0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716
SAMPLE_S = 0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8
KEY = SigningKey(derive_private_key(PRIVATE, SECP256R1()), "example")


def test_the_nonce_is_that_of_the_rfc() -> None:
    assert decode_dss_signature(KEY.sign(Digest.sha256(b"sample"))) == (SAMPLE_R, SAMPLE_S)


def test_the_example_of_the_formats_page_holds() -> None:
    page = (ROOT / "docs/formats.md").read_text().partition("## Signatures")[2].partition("\n## ")[0]
    policy, *blocks = re.findall(r"^```\w*\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    pem, sums, signature = (block.encode() for block in blocks)
    key = parse_public_key(pem, where="the page")
    assert key == KEY.key
    assert f"`{key.id}`" in page
    assert (len(key.der), len(sums), len(base64.b64decode(signature))) == (91, 78, 71)
    assert base64.b64decode(signature) == KEY.sign(Digest.sha256(sums))
    assert decode_policy(policy.encode(), "the page").keys == (key.id,)
    assert [name for name in POLICY_KEYS if f"`{name}`" not in page] == []
