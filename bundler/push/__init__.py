"""Images of an unpacked bundle into a container engine (`loading`, `docker`) or a registry (`plan`, `registry`)."""
