"""Connections to upstreams and registries. Begin with `interface`, the Protocols of all that is requested.

`http` sends requests, `files` downloads single files, `registry` pulls and pushes images, `harbor` is for what only a
Harbor has; `mirrors` says where a URL is asked for, `retry` how often. Other connections of bundler are to an engine
(`bundler.push.docker`) and to services of this host (`bundler.host.local_host`).
"""
