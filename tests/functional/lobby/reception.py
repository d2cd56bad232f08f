"""A lobby with one admitted device, and the receptionist that reads its hellos."""

import json
from pathlib import Path
from typing import Any

from lobby import receptionist
from lobby.contracts.targets import ArrivalMark
from lobby.domain.device import Device
from lobby.domain.identity import Identity
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, ThingName, parse_target
from lobby.receptionist import Receptionist
from tests import aws
from tests.aws import Calls

GOLDEN = Path(__file__).parents[2] / "events" / "hello.json"
CERTID, NAME = Fingerprint("1a" * 32), ThingName("sensor-1")
TARGET = parse_target("1" * 12, "eu-west-1")


class Reception:
    """A lobby with one admitted device, and the receptionist."""

    def __init__(self, calls: Calls, ledger: Ledger) -> None:
        self.calls, self.ledger = calls, ledger
        self.marks: list[ArrivalMark] = []
        self.receptionist = Receptionist(aws.client("iot-data"), ledger, mark=self.marks.append)
        with calls.uncounted():
            self.device = ledger.admit(Identity(CERTID, NAME, "PEM"), "service:bouncer")

    def hello(self, **fields: Any) -> str:
        event = json.loads(GOLDEN.read_text().replace("CERTIFICATE_ID", CERTID)) | fields
        return receptionist.handler(event, None, self.receptionist)["outcome"]

    def commission(self, iotep: str = "a.example") -> Device:
        with self.calls.uncounted():
            claimed = self.ledger.claim(CERTID, ClaimRequest(TARGET, "default", {"a": 1}), "user:ann")
            return self.ledger.commission(claimed, iotep, "service:commissioner")


def device(certid: Fingerprint = CERTID) -> dict[str, Any]:
    return aws.item(certid) or {}


def starts_the_commissioner(row: dict[str, Any]) -> bool:
    """Return whether the event filter matches: `dynamodb.NewImage.turn.S` is the commissioner."""
    return bool(row.get("turn"))
