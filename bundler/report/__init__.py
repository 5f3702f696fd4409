"""The page for whoever must approve that a bundle is carried in: `transfer_report` says what stands there, `page` how.

Both languages are in the one page, `words` has them. Refuses to read bundles: whoever opens one hands in its index.
"""
