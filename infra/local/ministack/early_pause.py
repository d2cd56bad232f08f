"""Makes `pause_reading` work for a new connection in Python 3.11.0 to 3.11.3 (Debian 12 has 3.11.2).

MiniStack's MQTT listeners pause each new connection in `connection_made`, so that the TLS ClientHello waits for
`start_tls`. In these versions, asyncio starts reading after that anyway, so the ClientHello is lost and no device can
connect (github.com/python/cpython/issues/103607, fixed in 3.11.4). Unnecessary when 3.11.4 is the oldest supported
version.
"""

import sys
from typing import Any, Final

from infra.local.ministack.patch_points import PatchPoint

FIXED_IN: Final = (3, 11, 4)
_ADD_READER: Final = PatchPoint(
    "asyncio.selector_events", "_SelectorSocketTransport._add_reader", ("self", "fd", "callback", "args")
)
PATCH_POINTS: Final = (_ADD_READER,)


def apply(version: tuple[int, ...] = tuple(sys.version_info[:3])) -> None:
    """Patch asyncio if this version needs it."""
    if version < FIXED_IN:
        _ADD_READER.wrap(_only_while_reading)


def _only_while_reading(original: Any) -> Any:
    def add_reader(self: Any, fd: int, callback: Any, *args: Any) -> None:
        if self.is_reading():
            original(self, fd, callback, *args)

    return add_reader
