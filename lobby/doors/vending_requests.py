"""Lambda: `POST /register` of the lobby's HTTP API (payload format 2.0), behind the authorizer of tokens.

The answer has the members of AWS's certificate vending machine, plus the backup root and the lobby's endpoint. A
refusal is `{"status": false, "error", "code"}`; the code is stable. No request and no answer is logged: both are
secret.
"""

import base64
import binascii
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from lobby.aws import allocation_hook
from lobby.aws.clients import LobbyClients, at_init
from lobby.aws.kms_signer import KmsKeys
from lobby.aws.parameters import Parameter
from lobby.domain.doors.vending_request import MAX_BODY, parse_request
from lobby.domain.doors.vending_settings import VendingSettings, parse_settings
from lobby.domain.enrolments.enrolment_token import TokenRefused, enrolment_of
from lobby.domain.signer import SIGNER_UNAVAILABLE
from lobby.doors.admission import EnrolmentRefused
from lobby.doors.allocating import Allocator
from lobby.doors.issuing import CertificateIssuer
from lobby.doors.vending import Vended, Vending
from lobby.errors import Conflict, InvalidInput, LobbyError, NotHome
from lobby.home_guard import everywhere
from lobby.ledger.connection import connect
from lobby.ledger.enrolments.enrolled_admission import count_refusal
from lobby.ledger.enrolments.enrolment_rows import EnrolmentRow, SerialRow, TokenRow
from lobby.ledger.models import TargetRow
from lobby.ledger.regions.routing import Access
from lobby.ledger.store import Ledger
from lobby.ledger.targets.target_registry import Targets
from lobby.names import TokenId, parse_token_id, shown
from lobby.settings import VendingSettings as Settings
from lobby.settings import read_settings
from lobby.wire import MQTT_PORT

ACTOR: Final = "service:vending"
_JSON: Final = "application/json"
_STATUS: Final[Mapping[type[LobbyError], int]] = {
    EnrolmentRefused: 403,
    TokenRefused: 403,
    InvalidInput: 400,
    Conflict: 409,
}
_STATUS_OF_CODE: Final[Mapping[str, int]] = {
    "WRONG_METHOD": 405,
    "WRONG_CONTENT_TYPE": 415,
    "INVALID_SETTINGS": 503,
    "TRY_AGAIN": 503,
    SIGNER_UNAVAILABLE: 503,
}
_BUSY: Final = (
    "ThrottlingException",
    "LimitExceededException",
    "ServiceUnavailableException",
    "KMSInternalException",
    "DependencyTimeoutException",
    "KeyUnavailableException",
)
_RETRY_AFTER: Final = "5"
"""Seconds."""
logger = Logger(service="vending")


@dataclass(frozen=True)
class Door:
    """The components of the handler. `settings` returns those of Parameter Store, or raises `InvalidInput`; `endpoint`
    returns the address for devices, with its port if that is not 8883."""

    vending: Vending
    settings: Callable[[], VendingSettings]
    endpoint: Callable[[], str]

    def respond(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return the response to a request whose token the authorizer has verified."""
        token = parse_token_id(event["requestContext"]["authorizer"]["lambda"]["token"])
        try:
            request = parse_request(_body(event))
            vended = self.vending.vend(token, request, ACTOR)
        except NotHome as error:
            logger.warning("not vended", extra={"token": token, "code": error.code, "why": error.message})
            return _busy()
        except LobbyError as error:
            return self._refuse(token, error)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _BUSY:
                raise
            return _busy()
        logger.info("vended", extra={"token": token, "certid": vended.certid, "thing": vended.name})
        return _response(200, self._answer(vended))

    def _answer(self, vended: Vended) -> dict[str, Any]:
        settings = self.settings()
        host, _, port = self.endpoint().partition(":")
        certificate: dict[str, Any] = {"pem": vended.pem}
        if vended.keys is not None:
            certificate["key_pair"] = {"public_key": vended.keys.public, "private_key": vended.keys.private}
        return {
            "certificateData": certificate,
            "certificateId": vended.certid,
            "thingName": vended.name,
            "rootCa": settings.preferred_root,
            "backupRootCa": settings.backup_root,
            "endpoint": host,
            "port": int(port) if port else MQTT_PORT,
        }

    @staticmethod
    def _refuse(token: TokenId, error: LobbyError) -> dict[str, Any]:
        """Answer with the error, and count a refusal of the token's enrolment, which operators see."""
        logger.warning("refused", extra={"token": token, "code": error.code, "reason": error.message})
        status = _STATUS_OF_CODE.get(error.code) or next(
            code for kind, code in _STATUS.items() if isinstance(error, kind)
        )
        if isinstance(error, EnrolmentRefused | TokenRefused | Conflict) or error.code == SIGNER_UNAVAILABLE:
            count_refusal(enrolment_of(token), error.code)
        if error.code == "INVALID_SETTINGS":
            return _refusal(error.code, "the lobby's settings of this door are invalid; contact its operator", status)
        if error.code == SIGNER_UNAVAILABLE:
            return _refusal(error.code, "the lobby cannot sign certificates now; contact its operator", status)
        return _refusal(error.code, error.message, status)


def _body(event: Mapping[str, Any]) -> bytes:
    """Return the body. Raise `InvalidInput` WRONG_METHOD, WRONG_CONTENT_TYPE or INVALID_BODY."""
    method, content_type = event["requestContext"]["http"]["method"], event["headers"].get("content-type", "")
    if method != "POST":
        raise InvalidInput("WRONG_METHOD", f"got {shown(method)}, want POST")
    if content_type.partition(";")[0].strip().lower() != _JSON:
        raise InvalidInput("WRONG_CONTENT_TYPE", f"got content-type {shown(content_type)}, want {_JSON}")
    text = event.get("body") or ""
    if len(text) > 2 * MAX_BODY:
        raise InvalidInput("INVALID_BODY", f"got {len(text)} characters, want at most {MAX_BODY} bytes")
    if not event.get("isBase64Encoded"):
        return str(text).encode()
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise InvalidInput("INVALID_BODY", "got a body that is not base64, want JSON") from None


def _busy() -> dict[str, Any]:
    return _refusal("TRY_AGAIN", "the lobby is busy; try again in some seconds", 503)


def _refusal(code: str, message: str, status: int) -> dict[str, Any]:
    more = {"retry-after": _RETRY_AFTER} if status == 503 else {}
    return _response(status, {"status": False, "error": message, "code": code}, more)


def _response(status: int, body: Mapping[str, Any], more: Mapping[str, str] = {}) -> dict[str, Any]:
    headers = {"content-type": _JSON, "cache-control": "no-store", **more}
    return {"statusCode": status, "headers": headers, "body": json.dumps(body)}


@at_init
def _door() -> Door:
    settings = read_settings(Settings, os.environ)
    connect(EnrolmentRow, SerialRow, TokenRow, TargetRow)
    clients = LobbyClients()
    parameter = Parameter(lambda: clients.ssm, settings.vending_parameter, parse_settings)
    allocator = Allocator(Targets.read_only().all, allocation_hook.invoke)

    @cache
    def endpoint() -> str:
        own = os.environ.get("LOBBY_ENDPOINT")
        return own or clients.iot.describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"]

    issuer = CertificateIssuer(clients.iot, KmsKeys(clients.kms_of))
    vending = Vending(clients.iot, Ledger(settings.region), allocator, parameter.value, issuer)
    return Door(vending, parameter.value, endpoint)


@everywhere(Access.DOOR)
def handler(event: dict[str, Any], _context: object, door: Door | None = None) -> dict[str, Any]:
    """Answer a request (API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs")."""
    return (door or _door()).respond(event)
