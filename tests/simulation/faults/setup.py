"""The lobby of the scenarios: a registered CA, two targets, and devices in an initial state.

An initial state is reached once, without faults, and restored from a snapshot for every run that starts from it.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from moto.iot.models import iot_backends

from lobby.domain.targets.target import profile_policy
from lobby.ledger.targets.target_registry import Targets
from lobby.wire import crl_key
from tests import aws
from tests import certificates as make
from tests.aws import BUCKET, Clock
from tests.simulation.faults.devices import A, B, Fleet, SimulatedDevice
from tests.simulation.faults.injector import FaultInjector

CA: Final = make.authority()
REVOKED: Final = 666
"""The serial number on the CA's revocation list."""
InitialState = Callable[[Fleet], None]


@dataclass(frozen=True)
class Snapshot:
    """A settled lobby: all state in AWS, the time, and the devices."""

    held: Any
    clock: datetime
    ca_id: str
    devices: tuple[SimulatedDevice, ...]


class ScenarioSetup:
    """Gives every run the same state to start from."""

    def __init__(self, injector: FaultInjector) -> None:
        self._injector = injector
        self._snapshots: dict[InitialState | None, Snapshot] = {}

    def at(self, initial_state: InitialState, *, slow: bool = False) -> Fleet:
        """Return the devices in a lobby in the initial state."""
        if initial_state not in self._snapshots:
            self._injector.begin({})
            fleet = self._fleet(self._lobby(), slow=False)
            initial_state(fleet)
            fleet.cloud.settle()
            self._snapshots[initial_state] = self._snapshot(fleet)
        return self._fleet(self._snapshots[initial_state], slow=slow)

    def _lobby(self) -> Snapshot:
        if None not in self._snapshots:
            iot, clock = aws.client("iot"), Clock()
            ca_id = iot.register_ca_certificate(caCertificate=CA.pem, setAsActive=True)["certificateId"]
            publish(ca_id, make.crl(CA, [REVOKED]))
            targets = Targets(lambda: "external-id-0", clock)
            for target in (A, B):
                targets.register(target, f"target in {target.region}", (), "user:ann")
                deploy_policy(target)
            self._snapshots[None] = Snapshot(aws.snapshot(), clock(), str(ca_id), ())
        return self._snapshots[None]

    def _fleet(self, snapshot: Snapshot, *, slow: bool) -> Fleet:
        aws.restore(snapshot.held)
        clock = Clock(snapshot.clock)
        return Fleet(self._injector, clock, snapshot.ca_id, copy.deepcopy(snapshot.devices), slow=slow)

    @staticmethod
    def _snapshot(fleet: Fleet) -> Snapshot:
        return Snapshot(aws.snapshot(), fleet.clock(), fleet.ca_id, tuple(copy.deepcopy(list(fleet.devices.values()))))


def publish(ca_id: str, crl: bytes) -> None:
    aws.client("s3").put_object(Bucket=BUCKET, Key=crl_key(ca_id), Body=crl)


def deploy_policy(target: Any, profile: str = "default") -> None:
    iot_backends[target.account][target.region].create_policy(profile_policy(profile), {})
