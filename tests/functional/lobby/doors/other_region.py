"""A Region of a lobby with several Regions: its AWS IoT, and a ledger with devices of another Region's door."""

from typing import Any, Final

import boto3
import pytest
from botocore.exceptions import ClientError

from lobby.domain.identity import Identity
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, ThingName
from tests import certificates as make
from tests.aws import WAITING_POLICY, Calls, CutOff

HERE: Final = "eu-north-1"
MAKER, AMAZON = make.authority("Acme CA"), make.authority("Amazon")


def client_here() -> Any:
    return boto3.client("iot", HERE)


class OtherRegion:
    """A Region in which the manufacturer's CA is registered."""

    def __init__(self, calls: Calls, ledger: Ledger) -> None:
        self.calls, self.ledger = calls, ledger
        with calls.uncounted():
            self.iot = client_here()
            self.iot.create_policy(policyName=WAITING_POLICY, policyDocument="{}")
            ca = self.iot.register_ca_certificate(caCertificate=MAKER.pem, setAsActive=True)["certificateId"]
        paginator = self.iot.get_paginator

        class Authorities:  # moto has no list of CAs
            def paginate(self) -> Any:
                return [{"certificates": [{"certificateId": ca}]}]

        self.iot.get_paginator = lambda name: Authorities() if name == "list_ca_certificates" else paginator(name)

    def admitted(self, name: str, issuer: make.Issuer = AMAZON) -> Fingerprint:
        pem = make.pem_of(make.device(issuer, name))
        certid = make.fingerprint_of(pem)
        self.ledger.admit(Identity(certid, ThingName(name), pem), "service:vending")
        return certid

    def register_inactive(self, name: str) -> Fingerprint:
        """Register a certificate here and stop, as an interrupted registration does."""
        with self.calls.uncounted():
            pem = make.pem_of(make.device(AMAZON, name))
            found = self.iot.register_certificate_without_ca(certificatePem=pem, status="INACTIVE")
        return Fingerprint(found["certificateId"])

    def refuse_policy(self, certid: Fingerprint, patch: pytest.MonkeyPatch) -> None:
        """Let AWS IoT attach no policy to this certificate."""
        attach = self.iot.attach_policy

        def refuse(policyName: str, target: str) -> Any:  # noqa: N803  # boto3's names
            if target.endswith(certid):
                raise ClientError({"Error": {"Code": "LimitExceededException", "Message": "too many"}}, "AttachPolicy")
            return attach(policyName=policyName, target=target)

        patch.setattr(self.iot, "attach_policy", refuse)

    def kill_after(self, operation: str) -> None:
        """Kill the next run after its first call of this operation."""

        def kill(_params: Any, call: Any) -> Any:
            del self.calls.instead[operation]
            call()
            raise CutOff

        self.calls.instead[operation] = kill

    def replace_policy(self, certid: Fingerprint, policy: str) -> None:
        with self.calls.uncounted():
            arn = self.iot.describe_certificate(certificateId=certid)["certificateDescription"]["certificateArn"]
            self.iot.create_policy(policyName=policy, policyDocument="{}")
            self.iot.attach_policy(policyName=policy, target=arn)
            self.iot.detach_policy(policyName=WAITING_POLICY, target=arn)

    def policies(self, certid: Fingerprint) -> list[str]:
        """Return the policies of a certificate that is registered here."""
        with self.calls.uncounted():
            arn = self.iot.describe_certificate(certificateId=certid)["certificateDescription"]["certificateArn"]
            return [each["policyName"] for each in self.iot.list_attached_policies(target=arn)["policies"]]

    def status(self, certid: Fingerprint) -> str | None:
        with self.calls.uncounted():
            found = {each["certificateId"]: each["status"] for each in self.iot.list_certificates()["certificates"]}
        return found.get(certid)
