"""How long a connection may take, and how much it may hold: seconds and bytes. A whole transfer has no limit."""

from __future__ import annotations

from mirror.http.request_fields import MAX_HEAD_BYTES
from mirror.http.request_target import MAX_TARGET_BYTES

# seconds; all of them are counted anew with every sign of life but the second, which bounds the head as a whole
IDLE_S = 75
HEAD_S = 30
STALLED_S = 60
LINGER_S = 5
MAX_BODY_BYTES = 64 * 1024
# what may come of one message after the block in which it began
MAX_MESSAGE_BYTES = MAX_TARGET_BYTES + MAX_HEAD_BYTES + MAX_BODY_BYTES
# answers that a client may have coming before it has read any; one that sends more gets its connection closed
MAX_PIPELINED = 64
