"""Content by digest on disk: bytes are verified, then get their name. Begin with `blobs`. docs/design.md, 5.

`partial` are downloads under way, `index` the other names of blobs, `verified_files` what need not be hashed again,
`prune` removes what no lock needs, and `use` keeps it out while a build runs.
"""
