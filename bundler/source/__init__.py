"""Where a bundle is read from: one file per kind of place."""
