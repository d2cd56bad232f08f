"""All of our layer around MiniStack: every seam checked first, then every part applied, in this order."""

from typing import Any, Final

from infra.local import access_log, endpoints, rules, streams, subscriptions
from infra.local.layout import Layout
from infra.local.seams import Seam, check

_APPLICATION: Final = Seam("ministack.app", "app", ("scope", "receive", "send"))
SEAMS: Final[tuple[Seam, ...]] = (
    _APPLICATION,
    *(*endpoints.SEAMS, *access_log.SEAMS, *rules.SEAMS, *streams.SEAMS, *subscriptions.SEAMS),
)


def apply(layout: Layout) -> Any:
    """MiniStack's ASGI application, with the layer in place. Raises `SeamMoved`, or `StartFailed` for a port."""
    check(SEAMS)
    access_log.apply(layout.access_log_path)
    endpoints.apply(layout)
    rules.apply()
    streams.apply()
    subscriptions.apply()
    return _APPLICATION.found()
