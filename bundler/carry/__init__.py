"""An archive as files on media: parts, parity, repair. Knows nothing of what is in it."""
