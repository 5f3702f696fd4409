"""YAML text -> `Manifest`, every problem at once with its position. Knows no kind: they are handed in."""
