"""Metadata of RPM repositories: reading begins with `repomd`; `repodata` writes those of the bundle."""
