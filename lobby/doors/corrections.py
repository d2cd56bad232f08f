"""What the registrar's rounds share (`elsewhere_round`, `unfinished_acceptances`): they compare certificates in AWS IoT
with the ledger, and correct them. A certificate that cannot be corrected does not stop a round.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from lobby.doors.activation import has_policy
from lobby.errors import InvalidInput
from lobby.names import Fingerprint

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient

_NOT_FOUND: Final = "ResourceNotFoundException"
_ACTIVE: Final = "ACTIVE"
_INCOMPLETE: Final = ("ACTIVE", "INACTIVE")
"""The statuses of a certificate whose registration was interrupted."""
logger = Logger(service="registrar")


def differs(iot: "IoTClient", certid: Fingerprint, *, is_wanted: bool) -> bool:
    """Return whether the state of a certificate in AWS IoT differs from what is required: `is_wanted`: registered
    completely; otherwise: not active."""
    try:
        known = iot.describe_certificate(certificateId=certid)["certificateDescription"]
    except ClientError as error:
        if error.response["Error"]["Code"] != _NOT_FOUND:
            raise
        return is_wanted
    if not is_wanted:
        return known["status"] == _ACTIVE
    # An interrupted registration has no policy yet. An inactive certificate with a policy was deactivated.
    return known["status"] in _INCOMPLETE and not has_policy(iot, known["certificateArn"])


def attempted(certid: Fingerprint, work: Callable[[], bool]) -> bool:
    """Return the result of `work` on a certificate. A refusal of AWS, or a row that cannot be read, is logged and
    returns False."""
    try:
        return work()
    except (BotoCoreError, ClientError, PynamoDBException, InvalidInput, ValueError, TypeError) as error:
        why = f"{type(error).__name__}: {error}"[:300]
        logger.warning("certificate not changed here", extra={"certid": certid, "why": why})
        return False
