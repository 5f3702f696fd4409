"""Frozen values and pure parsing: no I/O, no clock, no environment."""
