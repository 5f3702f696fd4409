"""OCI registries (distribution spec 1.1): `pull` and `push` are the two sides, `transport` is what both send through.

Who one is: `docker_config`, `credential_helper`, `credentials`; how that is proved: `challenge`, `token_auth`,
`token_service`. `concurrency_limit` slows down where a registry asks for it.
"""
