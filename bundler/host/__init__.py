"""Changes to the host that this program runs on: steps that can be shown, repeated and undone.

Owns how a step is taken and recorded, and the journal by which it is undone; refuses to know which steps there are and
what for: `mirror.service` does. Begin with `apply`.
"""
