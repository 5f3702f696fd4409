"""OCI registries (distribution spec 1.1): `pull` and `push` are the two sides; both send through `transport`.

Credentials: `docker_config`, `credential_helper`, `credentials`; authentication: `challenge`, `token_auth`,
`token_service`. `concurrency_limit` sends fewer requests at once to an overloaded registry.
"""
