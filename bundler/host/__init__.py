"""Changes to the host that this program runs on, which can be shown, repeated and undone.

Owns how a change is made and recorded, and the journal by which it is undone; refuses to know which changes there are
and what for: `mirror.service` and `bundler.site` do. Begin with `apply`.
"""
