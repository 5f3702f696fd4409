"""A site of a master and an edge, set up by `bundler site` on booted hosts: what `scripts/demo --site` plays."""
