"""Harbor's own API (v2.0): `projects` and `robots`. What is requested, and when, is decided in `bundler.push`."""
