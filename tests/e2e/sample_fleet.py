"""Sample devices in every state, with their histories, for pages that show many devices.

They are written through the ledger's own methods, as the Lambda functions do, with times in the past. Rows, histories
and counts are therefore those of a real lobby. The commissioner is paused so that it does not process the claims.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

from lobby.domain.device import Device
from lobby.domain.identity import Identity, fingerprint, load_certificate
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.models import MODELS
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, Target, ThingName
from tests.e2e.deployment import Deployment

_BOUNCER: Final = "service:bouncer"
_COMMISSIONER: Final = "service:commissioner"


@contextmanager
def ledger_of(deployed: Deployment) -> Iterator[None]:
    """Let the ledger's code in this process use the deployment's tables, as the root user."""
    scope = deployed.lobby
    environment = {
        "AWS_ENDPOINT_URL": deployed.file.aws_endpoint_url,
        "AWS_REGION": scope.region,
        "AWS_DEFAULT_REGION": scope.region,
        "AWS_ACCESS_KEY_ID": scope.account,
        "AWS_SECRET_ACCESS_KEY": deployed.file.aws_secret_access_key,
    }
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        _reset_connections()
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        _reset_connections()


def _reset_connections() -> None:
    for model in MODELS:
        model._connection = None


@contextmanager
def paused_commissioner(deployed: Deployment) -> Iterator[None]:
    """Disable the event source mapping that starts the commissioner."""
    functions = deployed.client(deployed.lobby, "lambda")
    mapping = functions.list_event_source_mappings(FunctionName="device-lobby-bell")["EventSourceMappings"][0]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    try:
        yield
    finally:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


class SampleFleet:
    """Devices of the deployment's manufacturer. The first transition of each is `ago` before now."""

    def __init__(self, deployed: Deployment) -> None:
        self._deployed = deployed
        self._time = datetime.now(UTC)
        self._ledger = Ledger(deployed.lobby.region, clock=self._tick)

    def _tick(self) -> datetime:
        """Return a time 0.9 s after the previous one."""
        self._time += timedelta(seconds=0.9)
        return self._time

    def begin(self, ago: timedelta) -> None:
        """Set the time of the next transition."""
        self._time = datetime.now(UTC) - ago

    def waiting(self, name: str, ago: timedelta) -> Device:
        self.begin(ago)
        return self._ledger.hello(self._admitted(name), "1.4.2", "service:receptionist")

    def knocking(self, name: str, ago: timedelta) -> Device:
        self.begin(ago)
        return self._admitted(name)

    def expected(self, name: str, target: Target, ago: timedelta) -> Device:
        certid = self._make(name).certid
        self.begin(ago)
        return self._ledger.claim(certid, ClaimRequest(target), "user:operator")

    def claimed(self, name: str, target: Target, ago: timedelta) -> Device:
        device = self.waiting(name, ago)
        return self._ledger.claim(device.certid, ClaimRequest(target), "user:technician")

    def commissioned(self, name: str, target: Target, ago: timedelta) -> Device:
        device = self.claimed(name, target, ago)
        return self._ledger.commission(device, self._deployed.layout.endpoint_address(target), _COMMISSIONER)

    def arrived(self, name: str, target: Target, ago: timedelta) -> Device:
        return self._ledger.arrive(self.commissioned(name, target, ago), "service:arrivals")

    def failed(self, name: str, target: Target, code: str, message: str, ago: timedelta) -> Device:
        return self._ledger.fail(self.claimed(name, target, ago), code, message, _COMMISSIONER)

    def refused(self, name: str, code: str, message: str, ago: timedelta) -> Device:
        identity = self._make(name)
        self.begin(ago)
        return self._ledger.refuse(identity.certid, identity.name, code, message, _BOUNCER)

    def revoked(self, name: str, why: str, ago: timedelta) -> Device:
        return self._ledger.revoke(self.waiting(name, ago).certid, why, "user:admin")

    def _admitted(self, name: str) -> Device:
        return self._ledger.admit(self._make(name), _BOUNCER)

    def _make(self, name: str) -> Identity:
        pem = self._deployed.local.manufacturer.make_device(name).certificate.read_text()
        return Identity(Fingerprint(fingerprint(load_certificate(pem))), ThingName(name), pem)
