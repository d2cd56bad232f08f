"""The formats of single settings: each function returns a value of the CDK app's context, or raises `BadContext` with
the received and the expected value. `settings` checks combinations of settings. Numbers and flags are accepted as text,
because `-c name=value` is text.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from infra.errors import BadContext
from lobby.domain.claims.claim_limits import parse_limits
from lobby.domain.connections.clones import ClonePolicy
from lobby.domain.doors.vending_settings import parse_settings
from lobby.domain.signer import parse_key_arn
from lobby.names import Region, parse_region, shown
from lobby.settings import MARK, REMOVE

RETENTION_DAYS: Final = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)
"""The values that CloudWatch Logs accepts (API reference, PutRetentionPolicy)."""
_NAME: Final = re.compile(r"[a-z]+(?:-[a-z]+)*")
_EXTERNAL_ID: Final = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
"""The format that STS requires (API reference, AssumeRole: ExternalId)."""
_WHOLE_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,4}")
_LOOPBACK_URL: Final = re.compile(r"http://(127\.0\.0\.1|localhost):(?P<port>[1-9][0-9]{0,4})/")
_POOL_ID: Final = re.compile(r"[a-z0-9-]+_[0-9A-Za-z]{1,55}")
"""The format of Cognito (API reference, DescribeUserPool: UserPoolId)."""
_ORIGIN: Final = re.compile(r"https://[a-z0-9-]+(\.[a-z0-9-]+)+")
_HOST: Final = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_ADDRESS: Final = re.compile(r"[a-z0-9.-]+:[1-9][0-9]{0,4}")
_LONGEST_NAME: Final = 253
_STREAM_ARN: Final = re.compile(r"arn:aws:dynamodb:[a-z0-9-]+:[0-9]{12}:table/[a-zA-Z0-9_.-]+/stream/[0-9T:.-]+")
_STREAMS: Final = 2
MOST_REGIONS: Final = 3
"""The same limit of the policy as for `MOST_SIGNING_KEYS`."""
MOST_SIGNING_KEYS: Final = 8
"""With more, the policy of the API's role, which names each table in each Region and each key, would exceed IAM's size
limit."""
_CERTIFICATE_ARN: Final = re.compile(r"arn:aws:acm:[a-z0-9-]+:[0-9]{12}:certificate/[0-9a-f-]{36}")


def bad(got: object, want: str) -> BadContext:
    return BadContext("BAD_CONTEXT", f"got {shown(got)}, want {want}")


def flag(value: Any) -> bool:
    known = {"true": True, "false": False}
    if isinstance(value, bool | str) and str(value).lower() in known:
        return known[str(value).lower()]
    raise bad(value, "true or false")


def names(value: Any) -> tuple[str, ...]:
    """Return names that are separated by commas."""
    found = tuple(value.split(",")) if isinstance(value, str) else ()
    if not found or not all(_NAME.fullmatch(each) for each in found):
        raise bad(value, "names of lower-case letters and hyphens, separated by commas")
    return found


def regions(value: Any) -> tuple[Region, ...]:
    """Return the Regions of a lobby, which are separated by commas."""
    found = tuple(map(parse_region, value.split(","))) if isinstance(value, str) else ()
    if not found or len(set(found)) != len(found) or len(found) > MOST_REGIONS:
        raise bad(value, f"at most {MOST_REGIONS} different Regions, separated by commas")
    return found


def replica_streams(value: Any) -> tuple[str, ...]:
    """Return the ARNs of the streams of the ledger and of the history."""
    found = tuple(value.split(",")) if isinstance(value, str) else ()
    if len(found) != _STREAMS or not all(_STREAM_ARN.fullmatch(each) for each in found):
        raise bad(value, "the ARNs of the streams of the ledger and of the history, with a comma")
    return found


def left_things(value: Any) -> str:
    if isinstance(value, str) and value in (MARK, REMOVE):
        return value
    raise bad(value, f"{MARK} or {REMOVE}")


def vending(value: Any) -> str:
    """Return the settings of the vending door as JSON."""
    text = value if isinstance(value, str) else json.dumps(value, indent=1)
    parse_settings(text)
    return text


def console_url(value: Any) -> str:
    """Cognito redirects users there with an authorization code, so only loopback addresses are allowed."""
    match = _LOOPBACK_URL.fullmatch(value) if isinstance(value, str) else None
    if match is not None and int(match["port"]) < 65_536:
        return match[0]
    raise bad(value, "http://127.0.0.1:<port>/ or http://localhost:<port>/")


def path(value: Any) -> str:
    if isinstance(value, str) and Path(value).is_absolute():
        return value
    raise bad(value, "the absolute path of a file")


def days(value: Any) -> int:
    if isinstance(value, int | str) and str(value) in map(str, RETENTION_DAYS):
        return int(value)
    raise bad(value, f"one of {', '.join(map(str, RETENTION_DAYS))} days")


def _up_to(most: int, unit: str, least: int = 1) -> Callable[[Any], int]:
    """Return the function for a whole number from `least` to `most`."""

    def parse(value: Any) -> int:
        if isinstance(value, int | str) and _WHOLE_NUMBER.fullmatch(str(value)) and least <= int(value) <= most:
            return int(value)
        raise bad(value, f"{least} to {most} {unit}")

    return parse


def _matching(pattern: re.Pattern[str], want: str, longest: int | None = None) -> Callable[[Any], str]:
    """Return the function for text of a format."""

    def parse(value: Any) -> str:
        if isinstance(value, str) and (longest is None or len(value) <= longest) and pattern.fullmatch(value):
            return value
        raise bad(value, want)

    return parse


anchor_days: Final = _up_to(36_500, "days")
"""Object Lock's limit is 100 years (S3 user guide, "Configuring S3 Object Lock")."""
archive_days: Final = _up_to(36_500, "days")
rate: Final = _up_to(50, "registrations per second")
"""The upper limit of the bouncer's few processes."""
lease_seconds: Final = _up_to(300, "seconds", least=10)
campaign_size: Final = _up_to(99_999, "devices", least=0)


def clone_policy(value: Any) -> str:
    if isinstance(value, str) and value in set(ClonePolicy):
        return value
    raise bad(value, " or ".join(ClonePolicy))


def claim_limits(value: Any) -> str:
    parse_limits(str(value))
    return str(value)


user_pool_id: Final = _matching(_POOL_ID, "the id of a user pool, such as eu-west-1_AbCdEfGhI")
login_url: Final = _matching(_ORIGIN, "an https origin without a path")
host: Final = _matching(_HOST, "a host name, such as lobby.example.com", _LONGEST_NAME)
address: Final = _matching(_ADDRESS, "a host name and a port, such as lobby.localhost:8883", _LONGEST_NAME)
certificate_arn: Final = _matching(
    _CERTIFICATE_ARN, "the ARN of a certificate in ACM: arn:aws:acm:<region>:<account>:certificate/<id>"
)
external_id: Final = _matching(
    _EXTERNAL_ID, "an externalId of 2 to 1224 of the characters A-Z a-z 0-9 _ + = , . @ : / -"
)


def signing_keys(value: object) -> tuple[str, ...]:
    """Return the keys that may sign devices' certificates. Raise `InvalidInput` INVALID_SIGNER."""
    if not isinstance(value, str) or not value:
        raise bad(value, "ARNs of keys in KMS, with commas")
    keys = tuple(dict.fromkeys(parse_key_arn(each.strip()) for each in value.split(",")))
    if len(keys) > MOST_SIGNING_KEYS:
        raise bad(f"{len(keys)} keys", f"at most {MOST_SIGNING_KEYS}: the roles that use them name each one")
    return keys
