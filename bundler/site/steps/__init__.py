"""One file per step; `bundler.site.roles` has their order."""
