"""The guide's steps on the hosts of a site: from an unpacked bundle to nodes that are Ready.

Owns what a site is (`config`), what each step looks at and changes (`steps`), what files become (`edits`, pure), and in
what order steps are planned, applied, checked and undone. Refuses to change a host itself: `bundler.host` does, and
records it. Begin with `roles`, which reads like the guide.
"""
