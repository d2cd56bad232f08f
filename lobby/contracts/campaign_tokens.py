"""The messages that start the feeder of a campaign: tokens in a FIFO queue with the campaign as message group.

SQS keeps one token of a campaign in flight, so one feeder works on it at a time, and delivers the token of a killed
feeder again. A token that is sent twice costs one run and does no harm.
"""

import hashlib
import json
from typing import Any, Final

from lobby import strict_json
from lobby.deployment import NAMES
from lobby.errors import InvalidInput
from lobby.names import CampaignName, parse_campaign_name, shown

QUEUE: Final = NAMES.name("campaigns.fifo")


def token_message(campaign: CampaignName, unique: str) -> dict[str, Any]:
    """Return the parameters of SendMessage. If several tokens have the same `unique` text within five minutes, SQS
    delivers only one (API reference, SendMessage: MessageDeduplicationId)."""
    return {
        "MessageBody": json.dumps({"campaign": campaign}),
        "MessageGroupId": campaign,
        "MessageDeduplicationId": hashlib.sha256(f"{campaign}#{unique}".encode()).hexdigest(),
    }


def decode_token(body: str) -> CampaignName:
    """Return the name of the campaign in a token. Raise `InvalidInput` INVALID_TOKEN."""
    try:
        return parse_campaign_name(strict_json.loads(body)["campaign"])
    except (ValueError, KeyError, TypeError, InvalidInput):
        raise InvalidInput("INVALID_TOKEN", f"got {shown(body)}, want the token of a campaign") from None
