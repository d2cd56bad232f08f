"""Where stories take place: a lobby with a registered CA and two targets, and devices at some point of their lives.

A beginning is lived through once, undisturbed, and brought back for every run of every story that begins there.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from moto.iot.models import iot_backends

from lobby.domain.target import profile_policy
from lobby.ledger.targets import Targets
from lobby.wire import crl_key
from tests import aws
from tests import certificates as make
from tests.aws import BUCKET, Clock
from tests.simulation.faults.field import A, B, Field, FieldDevice
from tests.simulation.faults.layer import FaultLayer

CA: Final = make.authority()
REVOKED: Final = 666
"""The serial number that the CA's revocation list names."""
Beginning = Callable[[Field], None]


@dataclass(frozen=True)
class Moment:
    """A lobby at rest: all that AWS holds, the time, and the devices."""

    held: Any
    clock: datetime
    ca_id: str
    devices: tuple[FieldDevice, ...]


class Ground:
    """Gives every run the same ground to start from."""

    def __init__(self, layer: FaultLayer) -> None:
        self._layer = layer
        self._clock = Clock()
        self._moments: dict[Beginning | None, Moment] = {}

    def at(self, beginning: Beginning, *, slow: bool = False) -> Field:
        """The lobby in which `beginning` has happened."""
        if beginning not in self._moments:
            self._layer.begin({})
            field = self._field(self._lobby(), slow=False)
            beginning(field)
            field.cloud.settle()
            self._moments[beginning] = self._moment(field)
        return self._field(self._moments[beginning], slow=slow)

    def _lobby(self) -> Moment:
        if None not in self._moments:
            iot, clock = aws.client("iot"), Clock()
            ca_id = iot.register_ca_certificate(caCertificate=CA.pem, setAsActive=True)["certificateId"]
            publish(ca_id, make.crl(CA, [REVOKED]))
            targets = Targets(lambda: "external-id-0", clock)
            for target in (A, B):
                targets.register(target, f"the place in {target.region}", (), "user:ann")
                deploy_policy(target)
            self._moments[None] = Moment(aws.kept(), clock(), str(ca_id), ())
        return self._moments[None]

    def _field(self, moment: Moment, *, slow: bool) -> Field:
        aws.bring_back(moment.held)
        clock = Clock(moment.clock)
        return Field(self._layer, clock, moment.ca_id, copy.deepcopy(moment.devices), slow=slow)

    @staticmethod
    def _moment(field: Field) -> Moment:
        return Moment(aws.kept(), field.clock(), field.ca_id, tuple(copy.deepcopy(list(field.devices.values()))))


def publish(ca_id: str, crl: bytes) -> None:
    aws.client("s3").put_object(Bucket=BUCKET, Key=crl_key(ca_id), Body=crl)


def deploy_policy(target: Any, profile: str = "default") -> None:
    iot_backends[target.account][target.region].create_policy(profile_policy(profile), {})
