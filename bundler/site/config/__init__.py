"""`site.yaml`: the hosts of a site and how it is set up. docs/formats.md; reads and writes no other file."""
