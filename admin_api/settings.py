"""The API's settings, read from the environment once.

All missing settings are reported together. No setting weakens a check. AWS_ENDPOINT_URL names another host for the user
pool's keys only if it is a loopback address, which in Lambda reaches only the function's own sandbox. LOGIN_URL is the
sign-in page; an emulator has its own.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from lobby.errors import InvalidInput, MissingSettings
from lobby.names import AccountId, Region, parse_account, parse_region, shown
from lobby.settings import loopback

_REQUIRED = (
    "AWS_REGION",
    "USER_POOL_ID",
    "USER_POOL_CLIENT_ID",
    "SURVEYOR_FUNCTION",
    "RECONCILER_FUNCTION",
    "COMMISSIONER_ROLE_ARN",
    "ARRIVALS_QUEUE_ARN",
)
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):role/\S+")
_QUEUE_ARN = re.compile(r"arn:aws[a-z-]*:sqs:([a-z0-9-]+):([0-9]{12}):\S+")
_LOGIN_URL = re.compile(r"https://[a-z0-9-]+(\.[a-z0-9-]+)+")
_POOL_ID = re.compile(r"([a-z0-9-]+)_[0-9A-Za-z]+")


@dataclass(frozen=True)
class Settings:
    """`lobby_account` and `lobby_region` are those of this lobby. `login_url` is the origin of the user pool's sign-in
    page. `emulator` is the URL of a local cloud on the loopback interface, or None."""

    lobby_account: AccountId
    lobby_region: Region
    user_pool_id: str
    client_id: str
    surveyor: str
    reconciler: str
    login_url: str
    emulator: str | None = None

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """Raise `MissingSettings`, which names every missing setting, or `InvalidInput` INVALID_SETTING."""
        emulator = loopback(environment.get("AWS_ENDPOINT_URL"))
        required = _REQUIRED if emulator else (*_REQUIRED, "LOGIN_URL")
        missing = [name for name in required if not environment.get(name, "").strip()]
        if missing:
            raise MissingSettings("MISSING_SETTINGS", f"got no {', '.join(missing)}; want all of {', '.join(required)}")
        account = _match("COMMISSIONER_ROLE_ARN", _ROLE_ARN, environment)[1]
        queue = _match("ARRIVALS_QUEUE_ARN", _QUEUE_ARN, environment)
        pool = _match("USER_POOL_ID", _POOL_ID, environment)
        region = parse_region(environment["AWS_REGION"])
        if (queue[1], queue[2], pool[1]) != (region, account, region):
            raise InvalidInput(
                "INVALID_SETTING",
                f"got a queue in {queue[2]}/{queue[1]} and a user pool in {pool[1]}, want both in {account}/{region}",
            )
        login_url = emulator or _match("LOGIN_URL", _LOGIN_URL, environment)[0]
        surveyor, reconciler = environment["SURVEYOR_FUNCTION"], environment["RECONCILER_FUNCTION"]
        client_id = environment["USER_POOL_CLIENT_ID"]
        return cls(parse_account(account), region, pool[0], client_id, surveyor, reconciler, login_url, emulator)

    @property
    def issuer(self) -> str:
        """The issuer in tokens (Amazon Cognito developer guide, "Verifying JSON web tokens"). Emulators use it, too."""
        return f"https://cognito-idp.{self.lobby_region}.amazonaws.com/{self.user_pool_id}"

    @property
    def jwks_url(self) -> str:
        base = f"{self.emulator}/{self.user_pool_id}" if self.emulator else self.issuer
        return f"{base}/.well-known/jwks.json"


def _match(name: str, pattern: re.Pattern[str], environment: Mapping[str, str]) -> re.Match[str]:
    match = pattern.fullmatch(environment[name])
    if match is None:
        raise InvalidInput("INVALID_SETTING", f"got {name} {shown(environment[name])}, want {pattern.pattern}")
    return match
