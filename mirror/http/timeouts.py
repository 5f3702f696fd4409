"""How long a connection may take, in seconds. A whole transfer has no limit.

All but HEAD_TIMEOUT_S, which bounds a request's head as a whole, begin anew with every sign of life.
"""

from __future__ import annotations

# with nothing asked or being answered
IDLE_TIMEOUT_S = 75
# for a request's head to come
HEAD_TIMEOUT_S = 30
# for the client to take more of a response
STALL_TIMEOUT_S = 60
# for a last request, once others have taken over
LAST_REQUEST_S = 5
# for the client to end its side after ours
LINGER_TIMEOUT_S = 5
