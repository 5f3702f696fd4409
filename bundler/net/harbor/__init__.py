"""Harbor's own API (v2.0): `projects` and `robots`. What it is asked for, and when, is decided in `bundler.push`."""
