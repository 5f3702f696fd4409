"""The only place in bundler that opens connections."""
