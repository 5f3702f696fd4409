"""One report of the whole site as seen from this host: what is there, what is wrong, and what to do next.

Owns what is looked at (a file per subject), and the bundle of it for whoever helps, without secrets. Changes nothing;
refuses to repair: `bundler site apply` does. Begin with `report`.
"""
