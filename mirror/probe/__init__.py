"""The client's side: fetch from a mirror all that it should have, as clients do, and compare. `mirror verify`.

Owns the connections of this check and their errors; refuses to know how a mirror works inside.
"""
