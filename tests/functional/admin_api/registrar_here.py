"""The registrar in the test's process, called like by the API: with real messages as JSON, on moto."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any, cast

import boto3

from admin_api.invocations import ask_registrar
from lobby.aws.pacer import Pacer
from lobby.contracts.invocation import Request
from lobby.domain.pacing import Pace
from lobby.doors import registrar
from lobby.doors.acceptance import Acceptance
from lobby.doors.claim_registrations import ClaimRegistrations
from lobby.doors.registrar import RegistrarHandler
from lobby.doors.unfinished_acceptances import UnfinishedAcceptances
from lobby.doors.unused_certificates import UnusedCertificates
from lobby.ledger.enrolments.enrolment_register import Enrolments
from lobby.ledger.reader import LedgerReader
from lobby.ledger.store import Ledger
from lobby.names import Region
from tests.functional.admin_api.user_pool import REGION

CLAIM_POLICIES = ("device-lobby-claim", "device-lobby-claim-keys")
LOBBY_POLICY = "device-lobby-waiting"


@dataclass(frozen=True)
class _InvokedHere:
    """A Lambda client that calls a handler."""

    handle: Callable[[dict[str, Any]], Any]

    def invoke(self, **parameters: Any) -> dict[str, Any]:
        return {"Payload": BytesIO(json.dumps(self.handle(json.loads(parameters["Payload"]))).encode())}


def ask_here(request: Request[Any]) -> Any:
    """Return the registrar's response, or raise its refusal."""
    iot, reader = boto3.client("iot", region_name=REGION), LedgerReader()
    unused = UnusedCertificates(Region(REGION), iot, reader)
    acceptance = Acceptance(iot, Ledger(Region(REGION)), LOBBY_POLICY)
    unfinished = UnfinishedAcceptances(iot, reader, LOBBY_POLICY, Pacer(Pace(1000)))
    service = RegistrarHandler(
        ClaimRegistrations(iot, *CLAIM_POLICIES, reader), unused, Enrolments(), acceptance, unfinished
    )
    client = _InvokedHere(lambda event: registrar.handler(event, None, service))
    return ask_registrar(cast(Any, client), "device-lobby-registrar", request)
