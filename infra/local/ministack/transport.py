"""Marks every request to the emulator, and every delivery by it, as encrypted.

Difference from AWS: AWS APIs are reached over TLS, so `aws:SecureTransport` is true (IAM user guide, "AWS global
condition context keys"). The emulator serves plain HTTP on loopback, and a delivery by the MQTT broker or an SNS topic
has no request at all; MiniStack treats both as unencrypted. Policies that deny unencrypted transport (the CDK
bootstrap bucket, all queues of the lobby) would deny every call and test nothing.

The patch sets `aws:SecureTransport` to true for requests and deliveries.

Unnecessary when: MiniStack serves HTTPS, or has a setting that treats loopback as secure, and marks its own deliveries
as encrypted.
"""

import importlib
from collections.abc import Callable
from contextvars import ContextVar
from typing import Final

from infra.local.ministack.patch_points import PatchPoint

ORIGIN: Final = PatchPoint("ministack.app", "pin_request_origin", ("source_ip", "secure_transport"))
DEFAULT_ORIGIN: Final = PatchPoint("ministack.core.iam_evaluator", "_request_origin")
PATCH_POINTS: Final = (ORIGIN, DEFAULT_ORIGIN)


def apply() -> None:
    """Set `aws:SecureTransport` to true everywhere."""
    default = (DEFAULT_ORIGIN.resolve().get()[0], True)
    variable: ContextVar[tuple[str, bool]] = ContextVar("local_request_origin", default=default)
    setattr(importlib.import_module(DEFAULT_ORIGIN.module), DEFAULT_ORIGIN.name, variable)
    ORIGIN.wrap(_secure)


def _secure(original: Callable[[str, bool], None]) -> Callable[[str, bool], None]:
    def pin(source_ip: str, secure_transport: bool) -> None:  # noqa: ARG001 - the emulator's signature
        original(source_ip, True)

    return pin
