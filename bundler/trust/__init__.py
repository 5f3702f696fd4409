"""Who has signed a bundle, and whether this host believes them.

Bytes in, a decision out: `signature_verdict` tells whose signatures hold, `admission` what a bundle has to be,
`seen_releases` which one is older than what was here, `rotation` which keys take the place of others. The edges are
few: `trusted_directory` and `seen_file` read what this host keeps, `key_pair` and `rotating` write, `sign_command`
runs a program that signs.

Owns keys, signatures and the policy; refuses to know what a bundle is and where its signatures lie, which `archive`,
`source` and `mirror` do. Nothing here opens a connection, and no date has a say: a signature counts until its key is
taken away.
"""
