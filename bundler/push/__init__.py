"""Images of an unpacked bundle into a registry: what goes where (`plan`), and sending it (`registry`, `harbor`)."""
