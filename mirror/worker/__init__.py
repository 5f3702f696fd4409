"""What every worker process has, whatever it speaks: its commands from the supervisor, what it serves, users, log.

Owns nothing of HTTP or FTP; the two import from here.
"""
