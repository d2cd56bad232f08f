"""Registers in this Region the certificates that the doors of other Regions have issued or accepted, with the lobby
account's credentials: `AWS_REGION=REGION python -m lobby.doors.issued_elsewhere`.

AWS IoT knows a certificate only in the Region in which it was registered. One that a manufacturer's CA has signed is
registered when its device connects, because its CA is known there; others are refused before the lobby hears of them.
This command reads the Region's own replica, so it also works while the other Regions are down. It is paced, leaves what
is complete as it is, and can be interrupted and repeated. At the end it reads the rows again, and deactivates what was
revoked meanwhile. It lists certificates that AWS IoT refuses; the exit status is then 1.
"""

import os
import sys
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from lobby.aws.clients import LobbyClients
from lobby.aws.pacer import Pacer
from lobby.chunks import chunks
from lobby.deployment import NAMES
from lobby.domain.device import Device
from lobby.domain.identity import load_certificate
from lobby.domain.pacing import Pace
from lobby.domain.states import ADMITTED_STATES
from lobby.doors.activation import has_policy, register_here
from lobby.errors import IdentityRefused
from lobby.ledger.batch_reader import READ_SIZE
from lobby.ledger.certificates import read_pems
from lobby.ledger.connection import use_aws_region
from lobby.ledger.items import device_of
from lobby.ledger.models import LedgerRow
from lobby.ledger.reader import LedgerReader
from lobby.names import Fingerprint

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient

POLICY: Final = NAMES.name("waiting")
PER_SECOND: Final = 5.0
"""Devices per second: half of what AWS IoT allows by default, because the door registers new devices, too."""
SETTLE_SECONDS: Final = 30.0
"""How long rows that were replicated late are waited for before they are read again."""
_ACTIVE: Final = "ACTIVE"


@dataclass
class Result:
    """How many certificates were registered, and deactivated again because their rows have changed; and those that AWS
    IoT has refused, with the reason."""

    registered: int = 0
    deactivated: int = 0
    refused: dict[Fingerprint, str] = field(default_factory=dict)


class IssuedElsewhere:
    """`iot` is the client of this Region; `policy` is the IoT policy of waiting devices. `sleep` waits for seconds."""

    def __init__(
        self, iot: "IoTClient", policy: str, pacer: Pacer, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._iot, self._policy, self._pacer, self._sleep = iot, policy, pacer, sleep
        self._reader = LedgerReader()

    def register_all(self) -> Result:
        """Register what is missing. Raise `ClientError` if a list cannot be read."""
        result, done = Result(), list[Device]()
        authorities, active, holders = set(authorities_of(self._iot)), self._active(), self._holders()
        for devices in chunks(_admitted(), READ_SIZE):
            named = {each: device for device in devices for each in device.certificates}
            missing = [each for each in named if each not in active or active[each] not in holders]
            for certid, pem in foreign_pems(missing, authorities).items():
                is_complete = certid in active and has_policy(self._iot, active[certid])
                if not is_complete and self._register(named[certid], certid, pem, result):
                    done.append(named[certid])
        if done:
            self._sleep(SETTLE_SECONDS)
        for device in done:
            self._check(device, result)
        return result

    def _register(self, device: Device, certid: Fingerprint, pem: str, result: Result) -> bool:
        """Return whether the certificate is active now, or may be."""
        if device.devicename is None:
            return False
        self._pacer.wait()
        try:
            register_here(self._iot, device.devicename, certid, pem, self._policy)
        except ClientError as error:
            result.refused[certid] = str(error)
        else:
            result.registered += 1
        return True

    def _check(self, before: Device, result: Result) -> None:
        """Deactivate the certificates of a device that the ledger no longer admits."""
        device = self._reader.get(before.certid)
        usable = device.certificates if device is not None and device.devstate in ADMITTED_STATES else ()
        for certid in before.certificates:
            if certid not in usable:
                self._iot.update_certificate(certificateId=certid, newStatus="INACTIVE")
                result.deactivated += 1

    def _active(self) -> dict[str, str]:
        """Return the ARNs of the active certificates, by fingerprint."""
        pages = self._iot.get_paginator("list_certificates").paginate()
        found = (each for page in pages for each in page["certificates"] if each["status"] == _ACTIVE)
        return {each["certificateId"]: each["certificateArn"] for each in found}

    def _holders(self) -> set[str]:
        """Return the ARNs of the certificates that have the policy of waiting devices."""
        pages = self._iot.get_paginator("list_targets_for_policy").paginate(policyName=self._policy)
        return {each for page in pages for each in page["targets"]}


def _admitted() -> Iterator[Device]:
    rows = (device_of(row) for row in LedgerRow.scan())
    yield from (device for device in rows if device.devstate in ADMITTED_STATES)


def authorities_of(iot: "IoTClient") -> Iterator[bytes]:
    """Yield the names of the CAs that are registered in a Region."""
    for page in iot.get_paginator("list_ca_certificates").paginate():
        for each in page["certificates"]:
            found = iot.describe_ca_certificate(certificateId=each["certificateId"])
            yield load_certificate(found["certificateDescription"]["certificatePem"]).subject.public_bytes()


def foreign_pems(certids: Collection[Fingerprint], authorities: Collection[bytes]) -> dict[Fingerprint, str]:
    """Return certificates in PEM, without those that the ledger does not have or that a CA registered here has signed.
    At most 100 are read with one call."""
    stored = read_pems(certids)
    return {
        certid: stored[certid] for certid in certids if certid in stored and _is_foreign(stored[certid], authorities)
    }


def _is_foreign(pem: str, authorities: Collection[bytes]) -> bool:
    try:
        return load_certificate(pem).issuer.public_bytes() not in authorities
    except IdentityRefused:
        return False


if __name__ == "__main__":
    use_aws_region()
    done = IssuedElsewhere(LobbyClients().iot, POLICY, Pacer(Pace(PER_SECOND))).register_all()
    print(f"registered in {os.environ['AWS_REGION']}: {done.registered}, deactivated again: {done.deactivated}")
    for certificate, why in done.refused.items():
        print(f"  {certificate}: {why}", file=sys.stderr)
    sys.exit(1 if done.refused else 0)
