"""Calls over loopback count as encrypted.

The gateway speaks plain HTTP to this machine alone. Bucket policies that refuse unencrypted transport
(`aws:SecureTransport`), CDK's bootstrap bucket first, would refuse every call here and test nothing.
"""

from collections.abc import Callable
from typing import Final

from infra.local.seams import Seam

ORIGIN: Final = Seam("ministack.app", "pin_request_origin", ("source_ip", "secure_transport"))
SEAMS: Final = (ORIGIN,)


def apply() -> None:
    ORIGIN.wrap(_secure)


def _secure(original: Callable[[str, bool], None]) -> Callable[[str, bool], None]:
    def pin(source_ip: str, secure_transport: bool) -> None:  # noqa: ARG001 - the emulator's signature
        original(source_ip, True)

    return pin
