"""The bundle as a file: a deterministic tar.gz writer, and readers that trust nothing. Design section 6."""
