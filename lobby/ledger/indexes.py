"""The indexes of the table of devices.

They project only the attributes that lists show, and none that changes while a device waits: each change of a projected
attribute writes the index again. A sparse index contains only the rows that have its partition key.
"""

from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection, KeysOnlyProjection

NAME_HEAD = 2
"""Length of the partition key of `by-name-keys`: the shortest name prefix that can be searched."""
PRINT_HEAD = 4
"""Length of the partition key of `by-print-keys`: the shortest fingerprint prefix that can be searched."""
RENEWING = "due"
"""The constant partition key of `by-renewal-keys`."""
LISTED = [
    "devicename",
    "devstate",
    "enteredat",
    "generation",
    "reason",
    "target",
    "profile",
    "claimedby",
    "claimedat",
    "firstseen",
    "lobbyregion",
    "previous",
    "turn",
    "version",
]


def _listed(*keys: str) -> IncludeProjection:
    return IncludeProjection([name for name in LISTED if name not in keys])


class ByState(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]  # PynamoDB's own hook
    """The devices in a state, by the time at which they entered it; the list of all devices merges the states. A
    partition takes a thousand transitions per second."""

    class Meta:
        index_name = "by-state"
        projection = _listed("devstate", "enteredat")

    devstate = UnicodeAttribute(hash_key=True)
    enteredat = UnicodeAttribute(range_key=True)


class ByTarget(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]  # PynamoDB's own hook
    """The devices claimed for a target, by the time at which they entered their current state."""

    class Meta:
        index_name = "by-target"
        projection = _listed("target", "enteredat")

    target = UnicodeAttribute(hash_key=True)
    enteredat = UnicodeAttribute(range_key=True)


class ByName(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]  # PynamoDB's own hook
    """The devices by thing name, partitioned by its first characters, so that a prefix is one query. It projects keys
    only, which never change, so it is written once for each device."""

    class Meta:
        index_name = "by-name-keys"
        projection = KeysOnlyProjection()

    namehead = UnicodeAttribute(hash_key=True)
    devicename = UnicodeAttribute(range_key=True)


class ByPrint(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]  # PynamoDB's own hook
    """The devices by fingerprint, partitioned by its first digits; keys only. The table's own key is a hash without
    order."""

    class Meta:
        index_name = "by-print-keys"
        projection = KeysOnlyProjection()

    printhead = UnicodeAttribute(hash_key=True)
    certid = UnicodeAttribute(range_key=True)


class ByTurn(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]  # PynamoDB's own hook
    """The rows that need the commissioner, by lane and priority (`domain.lanes.lane`), and by the time at which they
    entered their current state: the queue of each lane. Sparse: a row is removed when its work is done."""

    class Meta:
        index_name = "by-turn"
        projection = IncludeProjection(["devstate"])

    turn = UnicodeAttribute(hash_key=True)
    enteredat = UnicodeAttribute(range_key=True)


class ByRenewal(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]  # PynamoDB's own hook
    """The devices that are due to renew their certificates, by deadline. Sparse: a row is removed when the device has
    renewed. Keys only, so the index is written only when a renewal begins and ends."""

    class Meta:
        index_name = "by-renewal-keys"
        projection = KeysOnlyProjection()

    renewal = UnicodeAttribute(hash_key=True)
    renew_by = UnicodeAttribute(range_key=True, attr_name="renewby")


class ByTransfer(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]  # PynamoDB's own hook
    """The devices that have a transfer, by its step, and by its offer. Sparse: other devices are not in it. Keys only,
    so it is written when a transfer makes a step."""

    class Meta:
        index_name = "by-transfer-keys"
        projection = KeysOnlyProjection()

    transferring = UnicodeAttribute(hash_key=True)
    offer = UnicodeAttribute(range_key=True)
