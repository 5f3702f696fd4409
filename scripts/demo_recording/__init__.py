"""The README's moving picture: its commands, really run, recorded with their times, and drawn as SVG."""
