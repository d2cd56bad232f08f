"""The settings of the API and of the pages, read from the environment once.

All missing settings are reported together. No setting weakens a check. AWS_ENDPOINT_URL changes the host of the user
pool's keys only if it is a loopback address. In Lambda, a loopback address reaches only the function's own sandbox.
LOGIN_URL is the sign-in page; an emulator has its own.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lobby.domain.claims.claim_limits import ClaimLimits, parse_limits
from lobby.errors import InvalidInput, MissingSettings
from lobby.names import AccountId, Region, parse_account, parse_region, shown
from lobby.settings import REMOVE, lease_seconds, lobby_regions, loopback

_SIGN_IN = ("AWS_REGION", "USER_POOL_ID", "USER_POOL_CLIENT_ID")
_REQUIRED = (
    *_SIGN_IN,
    "SURVEYOR_FUNCTION",
    "RECONCILER_FUNCTION",
    "REGISTRAR_FUNCTION",
    "COMMISSIONER_ROLE_ARN",
    "ARRIVALS_QUEUE_ARN",
    "LEFT_THINGS",
    "CAMPAIGNS_QUEUE",
    "CAMPAIGN_APPROVAL_ABOVE",
    "WEBHOOKS_QUEUE",
    "NOTICES_TOPIC",
    "HISTORY_KEY",
    "CLAIM_LIMITS",
)
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):role/\S+")
_QUEUE_ARN = re.compile(r"arn:aws[a-z-]*:sqs:([a-z0-9-]+):([0-9]{12}):\S+")
_NUMBER = re.compile(r"[0-9]{1,6}")
_LOGIN_URL = re.compile(r"https://[a-z0-9-]+(\.[a-z0-9-]+)+")
_POOL_ID = re.compile(r"([a-z0-9-]+)_[0-9A-Za-z]+")


@dataclass(frozen=True)
class SignInSettings:
    """How users sign in. `login_url` is the origin of the user pool's sign-in page. `emulator` is the URL of a local
    cloud on the loopback interface, or None."""

    lobby_region: Region
    user_pool_id: str
    client_id: str
    login_url: str
    emulator: str | None

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "SignInSettings":
        """Return the settings in the environment. Raise `MissingSettings`, which names every missing setting, or
        `InvalidInput` INVALID_SETTING."""
        return _read_sign_in(environment, _SIGN_IN)

    @property
    def issuer(self) -> str:
        """The issuer in tokens (Amazon Cognito developer guide, "Verifying JSON web tokens"). Emulators use it, too."""
        return f"https://cognito-idp.{self.lobby_region}.amazonaws.com/{self.user_pool_id}"

    @property
    def jwks_url(self) -> str:
        base = f"{self.emulator}/{self.user_pool_id}" if self.emulator else self.issuer
        return f"{base}/.well-known/jwks.json"


@dataclass(frozen=True)
class Settings(SignInSettings):
    """`lobby_account` and `lobby_region` are those of this lobby. `device_endpoint` is the host that devices connect
    to, None if the deployment does not know it. `removes_left_things`: the setting `LEFT_THINGS` is `REMOVE`.
    `campaigns_queue` is the URL of the queue that starts campaigns; one of more devices than `approval_above` needs the
    approval of a second user. `webhooks_queue` is the URL of the queue of webhooks' events, and
    `notices_topic` the ARN of the topic of notices.
    `history_key` is the ARN of the key that signs exported histories. `claim_limits` are those of
    technicians. `regions` are those of a lobby that has several, and `lease_seconds` is the length of its home's
    lease."""

    lobby_account: AccountId
    surveyor: str
    reconciler: str
    registrar: str
    device_endpoint: str | None
    signing_keys: tuple[str, ...]
    removes_left_things: bool
    campaigns_queue: str
    approval_above: int
    webhooks_queue: str
    notices_topic: str
    history_key: str
    claim_limits: ClaimLimits
    regions: tuple[Region, ...]
    lease_seconds: int

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Settings":
        """Return the settings in the environment. Raise `MissingSettings`, which names every missing setting, or
        `InvalidInput` INVALID_SETTING."""
        sign_in = _read_sign_in(environment, _REQUIRED)
        account, region = _match("COMMISSIONER_ROLE_ARN", _ROLE_ARN, environment)[1], sign_in.lobby_region
        queue = _match("ARRIVALS_QUEUE_ARN", _QUEUE_ARN, environment)
        if (queue[1], queue[2]) != (region, account):
            raise InvalidInput(
                "INVALID_SETTING", f"got a queue in {queue[2]}/{queue[1]}, want it in {account}/{region}"
            )
        return cls(
            **vars(sign_in),
            lobby_account=parse_account(account),
            surveyor=environment["SURVEYOR_FUNCTION"],
            reconciler=environment["RECONCILER_FUNCTION"],
            registrar=environment["REGISTRAR_FUNCTION"],
            device_endpoint=environment.get("DEVICE_ENDPOINT") or None,
            signing_keys=tuple(filter(None, environment.get("SIGNING_KEYS", "").split(","))),
            removes_left_things=environment["LEFT_THINGS"] == REMOVE,
            campaigns_queue=environment["CAMPAIGNS_QUEUE"],
            approval_above=int(_match("CAMPAIGN_APPROVAL_ABOVE", _NUMBER, environment)[0]),
            webhooks_queue=environment["WEBHOOKS_QUEUE"],
            notices_topic=environment["NOTICES_TOPIC"],
            history_key=environment["HISTORY_KEY"],
            claim_limits=parse_limits(environment["CLAIM_LIMITS"]),
            regions=lobby_regions(environment),
            lease_seconds=lease_seconds(environment),
        )


def _read_sign_in(environment: Mapping[str, str], required: tuple[str, ...]) -> SignInSettings:
    emulator = loopback(environment.get("AWS_ENDPOINT_URL"))
    required = required if emulator else (*required, "LOGIN_URL")
    missing = [name for name in required if not environment.get(name, "").strip()]
    if missing:
        raise MissingSettings("MISSING_SETTINGS", f"got no {', '.join(missing)}; want all of {', '.join(required)}")
    pool, region = _match("USER_POOL_ID", _POOL_ID, environment), parse_region(environment["AWS_REGION"])
    if pool[1] != region:
        raise InvalidInput("INVALID_SETTING", f"got a user pool in {pool[1]}, want it in {region}")
    login_url = emulator or _match("LOGIN_URL", _LOGIN_URL, environment)[0]
    return SignInSettings(region, pool[0], environment["USER_POOL_CLIENT_ID"], login_url, emulator)


def _match(name: str, pattern: re.Pattern[str], environment: Mapping[str, str]) -> re.Match[str]:
    match = pattern.fullmatch(environment[name])
    if match is None:
        raise InvalidInput("INVALID_SETTING", f"got {name} {shown(environment[name])}, want {pattern.pattern}")
    return match
