"""The targets: accounts and Regions that devices may be sent to, each with the secret its role asks for.

The ExternalId is random per account and shared by the Regions of one account, because the role that checks it
is one per account (IAM has no Regions). It is a guard against a confused deputy and no password, but it is
shown only to those who set accounts up.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from pynamodb.exceptions import DoesNotExist, PutError
from pynamodb.models import Model

from lobby.domain.device import DEFAULT_PROFILE, Device
from lobby.domain.target import RegisteredTarget
from lobby.errors import Conflict, InvalidInput, NotFound
from lobby.ledger.connection import connection_of
from lobby.ledger.dynamodb_errors import code_of
from lobby.ledger.models import LedgerRow, TargetRow, device_of
from lobby.ledger.store import now, timestamp
from lobby.names import AccountId, Fingerprint, Target, parse_profile, parse_target_key, shown

_KIND, _ACCOUNT = "target", "account"
_MAX_NAME: Final = 64
KEPT_FOR: Final = timedelta(minutes=1)


class Targets:
    """The register of targets. `new_external_id` gives an unguessable text."""

    def __init__(self, new_external_id: Callable[[], str], clock: Callable[[], datetime] = now) -> None:
        self._new_external_id = new_external_id
        self._clock = clock

    @classmethod
    def read_only(cls) -> "Targets":
        """For those who look targets up and register none."""

        def no_new_ids() -> str:
            raise AssertionError("a reader registers no targets")

        return cls(no_new_ids)

    def get(self, target: Target) -> RegisteredTarget:
        """Raises `NotFound` UNKNOWN_TARGET."""
        try:
            return _registered(TargetRow.get(_KIND, str(target), consistent_read=True))
        except DoesNotExist:
            raise _unknown(target) from None

    def get_with_device(self, target: Target, certid: Fingerprint) -> tuple[RegisteredTarget, Device | None]:
        """A target and a device as both are now, for the price of one call: what a target asks of claims counts from
        the moment that it is told to. Raises `NotFound` UNKNOWN_TARGET."""
        keys: dict[type[Model], dict[str, str]] = {
            TargetRow: {"kind": _KIND, "target": str(target)},
            LedgerRow: {"certid": certid},
        }
        asked = {
            model.Meta.table_name: {
                "Keys": [{name: {"S": value} for name, value in key.items()}],
                "ConsistentRead": True,
            }
            for model, key in keys.items()
        }
        answer = connection_of().dispatch("BatchGetItem", {"RequestItems": asked})
        if answer.get("UnprocessedKeys"):
            return self.get(target), next((device_of(row) for row in LedgerRow.batch_get([certid], True)), None)
        targets, devices = (answer["Responses"].get(model.Meta.table_name, []) for model in (TargetRow, LedgerRow))
        if not targets:
            raise _unknown(target)
        registered = _registered(TargetRow.from_raw_data(targets[0]))
        return registered, device_of(LedgerRow.from_raw_data(devices[0])) if devices else None

    def all(self) -> list[RegisteredTarget]:
        return [_registered(row) for row in TargetRow.query(_KIND, consistent_read=True)]

    def register(
        self, target: Target, name: str, profiles: tuple[str, ...], actor: str, presence: bool | None = None
    ) -> RegisteredTarget:
        """Adds a target, or renames one, and sets its profiles and `presence` where they are given; its ExternalId
        stays."""
        if not name.strip() or len(name) > _MAX_NAME or not name.isprintable():
            raise InvalidInput("INVALID_NAME", f"got {shown(name)}, want 1 to {_MAX_NAME} printable characters")
        wanted = tuple(dict.fromkeys(parse_profile(profile) for profile in profiles))
        held = next((row for row in self.all() if row.target == target), None)
        kept = wanted or (held.profiles if held else (DEFAULT_PROFILE,))
        if held is not None:
            asks = held.presence if presence is None else presence
            TargetRow(_KIND, str(target)).update(
                actions=[TargetRow.name.set(name), TargetRow.profiles.set(list(kept)), TargetRow.presence.set(asks)],
                condition=TargetRow.target.exists(),
            )
            return RegisteredTarget(target, name, held.externalid, kept, held.createdby, held.createdat, asks)
        at = timestamp(self._clock())
        external_id = self._external_id(target.account, actor, at)
        new = RegisteredTarget(target, name, external_id, kept, actor, at, bool(presence))
        row = TargetRow(
            _KIND,
            str(target),
            name=name,
            externalid=new.externalid,
            profiles=list(kept),
            presence=new.presence,
            createdby=actor,
            createdat=at,
        )
        # The client may have put it already, and not heard so.
        if not _put_once(row) and self.get(target) != new:
            raise Conflict("CHANGED_MEANWHILE", f"got {target}, registered by another just now: look")
        return new

    def _external_id(self, account: AccountId, actor: str, at: str) -> str:
        """The account's own, made with its first target; whoever comes second at the same moment takes the first's."""
        row = TargetRow(
            _ACCOUNT,
            account,
            name=account,
            externalid=self._new_external_id(),
            profiles=[],
            createdby=actor,
            createdat=at,
        )
        if _put_once(row):
            return row.externalid
        return TargetRow.get(_ACCOUNT, account, consistent_read=True).externalid


class RecentTargets:
    """Looks targets up, and remembers what it found for a minute: warm Lambdas spare a read per device. Only
    what exists is remembered, and a lookup that needs a profile the memory lacks goes to the table."""

    def __init__(self, targets: Targets, clock: Callable[[], datetime] = now) -> None:
        self._targets, self._clock = targets, clock
        self._kept: dict[Target, tuple[datetime, RegisteredTarget]] = {}

    def get(self, target: Target, profile: str | None = None) -> RegisteredTarget:
        """Raises `NotFound` UNKNOWN_TARGET. That the profile is there is the caller's to check."""
        kept = self._kept.get(target)
        if kept is not None and kept[0] > self._clock() - KEPT_FOR and profile in (None, *kept[1].profiles):
            return kept[1]
        found = self._targets.get(target)
        self._kept[target] = (self._clock(), found)
        return found


def _put_once(row: TargetRow) -> bool:
    """False where it is there already."""
    try:
        row.save(condition=TargetRow.target.does_not_exist())
    except PutError as error:
        if code_of(error) == "ConditionalCheckFailedException":
            return False
        raise
    return True


def _unknown(target: Target) -> NotFound:
    return NotFound("UNKNOWN_TARGET", f"got {target}, want a registered target")


def _registered(row: TargetRow) -> RegisteredTarget:
    return RegisteredTarget(
        parse_target_key(row.target),
        row.name,
        row.externalid,
        tuple(row.profiles),
        row.createdby,
        row.createdat,
        bool(row.presence),
    )
