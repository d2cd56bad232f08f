"""The limits of one HTTP request of the commands. A client limits the wait for each packet only: a server that sends
one byte of a header after the other, or an endless body, would block a command forever.

`lobbyctl` and `lobby-pki` apply these limits, each to its own HTTP client.
"""

from typing import Final

MAX_BODY: Final = 16 * 1024 * 1024
"""Bytes of a response. The response of a Lambda has at most 6 MiB, and its JSON escapes some characters."""
CONNECT_SECONDS: Final = 5.0
RESPONSE_SECONDS: Final = 35.0
"""API Gateway times out after 30."""
REQUEST_SECONDS: Final = CONNECT_SECONDS + RESPONSE_SECONDS
"""A whole request, with its response."""
