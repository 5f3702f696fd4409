"""What a client of the mirror types or puts into a file, as text: the page, `/-/client/` and `mirror clients` show it.

Pure: the served site and how it is reached come in. The texts of .repo files are `bundler.model.client_config`' own.
"""
