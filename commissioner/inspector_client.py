"""Asks the inspector, which may enter targets, on behalf of the reconciler, which may not.

What comes back is read into values; a target that lets nobody look, or an inspector that does not answer, is a
`TargetRefused`, with one of the codes that a device's reason has.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from botocore.config import Config
from botocore.exceptions import BotoCoreError

from commissioner.comparison import Facts
from lobby.aws.clients import client
from lobby.names import Fingerprint, Target, ThingName

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient

_PATIENCE: Final = Config(connect_timeout=2, read_timeout=20, retries={"total_max_attempts": 1})
"""The inspector is given up before whoever asks the reconciler gives that up."""
Ask = Callable[[dict[str, Any]], dict[str, Any]]
"""Sends the inspector an event, and gives its answer."""


class TargetRefused(Exception):
    """The target cannot be looked at now."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


@dataclass(frozen=True)
class Thing:
    """A thing that names a certificate; whatever its owner may have written there."""

    name: str
    certid: str


class Inquiry:
    """Everything raises `TargetRefused`."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def facts(self, target: Target, wanted: Sequence[tuple[Fingerprint, ThingName]]) -> list[Facts]:
        """In order; fewer than were asked for where time was short, but one at least."""
        devices = [{"certid": certid, "name": name} for certid, name in wanted]
        told = self._asked(target, "devices", devices=devices)["facts"] if devices else []
        return [
            Facts(each["certid"], each["status"], tuple(each["things"]), tuple(each["policies"]), each["holder"])
            for each in told
        ]

    def things(self, target: Target, token: str | None) -> tuple[list[Thing], str | None]:
        """A page of them, and the token of the next."""
        told = self._asked(target, "things", token=token)
        return [Thing(each["name"], each["certid"]) for each in told["things"]], told["token"]

    def deactivate(self, target: Target, certid: Fingerprint) -> None:
        self._asked(target, "deactivate", certid=certid)

    def _asked(self, target: Target, what: str, **more: Any) -> dict[str, Any]:
        told = self._ask({"account": target.account, "region": target.region, "ask": what, **more})
        refused = told.get("refused")
        if refused:
            raise TargetRefused(refused["code"], refused["message"])
        return told


def by_lambda(function: str) -> Ask:
    """Asks the Lambda of this name."""

    @cache
    def made() -> "LambdaClient":
        found: LambdaClient = client("lambda", _PATIENCE)
        return found

    def ask(event: dict[str, Any]) -> dict[str, Any]:
        place = f"{event['account']}/{event['region']}"
        try:
            answer = made().invoke(FunctionName=function, Payload=json.dumps(event).encode())
        except BotoCoreError as error:
            raise TargetRefused("TARGET_UNREACHABLE", f"nobody could look at {place}: {error}"[:400]) from error
        payload = answer["Payload"].read()
        if answer.get("FunctionError"):
            raise TargetRefused("TARGET_UNREACHABLE", f"nobody could look at {place}: {payload[:300]!r}")
        told: dict[str, Any] = json.loads(payload)
        return told

    return ask
