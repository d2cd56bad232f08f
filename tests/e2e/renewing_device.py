"""A device that renews its certificate without the reference client: one message at a time over real TLS.

A test can send any request, with any certificate and in any order, which the reference client never would.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from tests.e2e.bare_mqtt import CONNACK, HUNG_UP, PUBLISH, SUBACK
from tests.e2e.claiming_device import Credentials, bare
from tests.e2e.deployment import Deployment, until

HELLO: Final = "$aws/rules/lobby"
REQUEST: Final = "$aws/rules/lobby_renewal"
RENEW: Final = "mutation($id: ID!) { renewDevice(certid: $id) { devstate generation } }"
ALLOWED: Final = "query($id: ID!) { device(certid: $id) { allowedActions } }"
RENEWAL: Final = "query($id: ID!) { device(certid: $id) { certid renewal { stage } } }"


@dataclass
class RenewingDevice:
    """The device `name` with these credentials in the lobby of `deployed`."""

    deployed: Deployment
    name: str
    files: Credentials

    def ask(self, topic: str, body: object, wanted: str) -> dict[str, Any]:
        """Publish in the lobby, and return the next message on the device's topic with the field `wanted`."""
        with bare(self.deployed.file, self.files) as mqtt:
            assert mqtt.connect(self.name) == (CONNACK, b"\x00\x00")
            assert mqtt.subscribe(f"lobby/{self.name}")[0] == SUBACK
            kind, content = mqtt.publish(topic, json.dumps(body).encode())
            while True:
                assert (kind, content) != HUNG_UP
                if kind == PUBLISH and wanted in (message := _message(content)):
                    return message
                kind, content = mqtt.read()

    def send(self, body: object) -> None:
        """Publish a request for a certificate that gets no answer."""
        with bare(self.deployed.file, self.files) as mqtt:
            assert mqtt.connect(self.name) == (CONNACK, b"\x00\x00")
            mqtt.publish(REQUEST, json.dumps(body).encode())


def outcomes(deployed: Deployment, outcome: str, name: str) -> int:
    """Return how often the renewer has logged this outcome for the device."""
    return sum(f'"{name}"' in line or name in line for line in deployed.log_lines("renewer", outcome))


def await_outcome(deployed: Deployment, outcome: str, name: str) -> None:
    until(lambda: outcomes(deployed, outcome, name) or None, lambda: deployed.log_lines("renewer", name)[-3:])


def stage(deployed: Deployment, certid: str) -> str | None:
    """Return how far the device's renewal is; None if there is none."""
    renewal = deployed.api().ask(RENEWAL, id=certid)["device"]["renewal"]
    return renewal and str(renewal["stage"])


def renew(deployed: Deployment, certid: str) -> None:
    """Have the device asked, as soon as its hello has said that it can renew: the device can arrive before the hello is
    processed."""
    until(lambda: "renewDevice" in deployed.api().ask(ALLOWED, id=certid)["device"]["allowedActions"] or None)
    deployed.api().ask(RENEW, id=certid)


def _message(content: bytes) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(content[content.index(b"{") :])
    return body
