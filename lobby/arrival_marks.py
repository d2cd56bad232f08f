"""Requests to mark a device's thing in its target, which decides whether the target's rule reports its connections.

The marker carries them out. A device that has arrived and connects again is marked as arrived. A device that has left
its target without an operation, for the lobby or its standby, is marked as awaited again, and so is one that has not
arrived for long. A device without a name has no thing.
"""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from lobby.contracts.targets import ArrivalMark
from lobby.domain.device import Device
from lobby.domain.standby.standby_transitions import visit
from lobby.domain.states import State
from lobby.names import Target

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient


def marks_to(sqs: "SQSClient", queue: str) -> Callable[[ArrivalMark], object]:
    """Return a function that sends a request to the marks' queue, whose URL is `queue`."""
    return lambda mark: sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(mark.encode()))


def request_mark(
    send: Callable[[ArrivalMark], object], device: Device, target: Target, *, awaited: bool = False
) -> None:
    """Send the request for the device's present claim, which names the certificate of its next arrival."""
    if device.devicename is not None:
        certificate = None if device.awaited == device.certid else device.awaited
        claim = (device.devicename, device.generation, device.profile, certificate)
        send(ArrivalMark(target, device.certid, *claim, awaited=awaited))


def await_visitor(send: Callable[[ArrivalMark], object], device: Device, standby: Target, home: Target) -> None:
    """Request that the target's rule reports the device again in its `home`, if the ledger will record its visit to the
    standby. Call this before the visit is recorded: if the run ends between the two, the whole event is processed
    again. A mark without the record only causes one more report."""
    after = visit(device, standby, device.enteredat)
    if device.devstate is State.ARRIVED and after.devstate is State.COMMISSIONED:
        request_mark(send, device, home, awaited=True)
