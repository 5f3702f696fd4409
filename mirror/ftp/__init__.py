"""FTP and FTPS (RFC 959, 2228, 2428, 3659, 4217) on pyftpdlib: read-only, one process, the same tree as HTTP.

Owns the protocol and its limits; refuses to touch the disk but through `mirror.tree`. pyftpdlib brings the event loop,
the session and what is common to all servers (`pyftpdlib_adapter`); transfers are our own (`transfer`).

Begin with `interface`: what a command sees. `commands` names every command's function, `session` obeys them one by one,
`server` owns the sessions, `worker` the process.
"""
