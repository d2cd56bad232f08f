"""Indexes of the ledger that only version 0.2.0 has, for deployments that replace them one by one.

CloudFormation creates or deletes one index of a table in an update ("Cannot perform more than one GSI creation or
deletion in a single update"), so an upgrade deploys intermediate sets of indexes (`infra.cloud.index_upgrade`).
"""

from typing import Any, Final

from lobby.ledger.indexes import LISTED


def _index(name: str, partition: str, sort: str) -> dict[str, Any]:
    return {
        "index_name": name,
        "key_schema": [
            {"AttributeName": partition, "KeyType": "HASH"},
            {"AttributeName": sort, "KeyType": "RANGE"},
        ],
        "projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": [each for each in LISTED if each != sort]},
    }


RETIRED: Final = (
    _index("by-name", "namehead", "devicename"),
    _index("by-print", "printhead", "certid"),
    _index("by-time", "kind", "enteredat"),
)
RETIRED_NAMES: Final = frozenset(str(index["index_name"]) for index in RETIRED)
