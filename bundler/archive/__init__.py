"""The bundle as a file: a deterministic tar.gz writer, and readers that trust nothing. docs/design.md, 6."""
