"""Metadata of RPM repositories, read and written: `repomd` is where reading begins, `repodata` writes ours."""
