"""An account with registrations of the lobby and of others, and those that remain after a removal."""

from dataclasses import dataclass
from typing import Any

from infra.teardown.pacing import Pacer
from infra.teardown.registry import Registry
from lobby.names import Fingerprint, Target
from tests.aws import HOME, client, registry
from tests.certificates import authority, device, fingerprint_of, pem_of

POLICY = "device-lobby-default"


@dataclass(frozen=True)
class Registered:
    certid: Fingerprint
    thing: str

    @property
    def arn(self) -> str:
        return f"arn:aws:iot:{HOME.region}:{HOME.account}:cert/{self.certid}"


def register(
    name: str, policy: str | None = POLICY, attributes: dict[str, str] | None = None, status: str = "ACTIVE"
) -> Registered:
    """Register a device as the commissioner does: with the attribute `certid`, unless `attributes` are given."""
    pem = pem_of(device(authority(), name))
    made = Registered(fingerprint_of(pem), name)
    iot = client("iot")
    own = {"certid": made.certid} if attributes is None else attributes
    iot.create_thing(thingName=name, attributePayload={"attributes": own})
    iot.register_certificate_without_ca(certificatePem=pem, status=status)
    iot.attach_thing_principal(thingName=name, principal=made.arn)
    if policy is not None:
        iot.attach_policy(policyName=policy, target=made.arn)
    return made


def left(target: Target = HOME) -> tuple[set[str], set[str]]:
    """Return the certificates and the things that exist."""
    found: dict[str, Any] = registry(target)
    return set(found["certificates"]), set(found["things"])


def unpaced() -> Registry:
    """Return the registry of `HOME` without waiting for quotas."""
    return Registry(client("iot"), HOME, Pacer(sleep=lambda _seconds: None), sleep=lambda _seconds: None)
