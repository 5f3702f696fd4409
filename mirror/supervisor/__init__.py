"""The first process: binds, forks, watches, passes signals on. Owns the sockets for life; serves nothing itself.

It keeps the rights that it was started with, because it has to read certificates and reopen logs later; so it reads
nothing that a client or a bundle has written. The workers give all rights up before they do.
"""
