"""Images of an unpacked bundle into container engines and registries of the site."""
