"""Calls over loopback count as encrypted, and so do the cloud's own deliveries.

The gateway speaks plain HTTP to this machine alone. Policies that refuse unencrypted transport
(`aws:SecureTransport`), CDK's bootstrap bucket and every queue of ours, would refuse every call here and test
nothing. A delivery from the broker or a topic has no request at all, which MiniStack takes for unencrypted.
"""

import importlib
from collections.abc import Callable
from contextvars import ContextVar
from typing import Final

from infra.local.ministack.patch_points import Seam

ORIGIN: Final = Seam("ministack.app", "pin_request_origin", ("source_ip", "secure_transport"))
UNASKED: Final = Seam("ministack.core.iam_evaluator", "_request_origin")
SEAMS: Final = (ORIGIN, UNASKED)


def apply() -> None:
    unasked: ContextVar[tuple[str, bool]] = ContextVar("local_request_origin", default=(UNASKED.found().get()[0], True))
    setattr(importlib.import_module(UNASKED.module), UNASKED.name, unasked)
    ORIGIN.wrap(_secure)


def _secure(original: Callable[[str, bool], None]) -> Callable[[str, bool], None]:
    def pin(source_ip: str, secure_transport: bool) -> None:  # noqa: ARG001 - the emulator's signature
        original(source_ip, True)

    return pin
