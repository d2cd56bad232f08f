"""The ledger's indexes change one by one. No deployment both creates and deletes indexes."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.cloud.index_upgrade import UnknownIndex, steps
from infra.errors import BadContext
from infra.parts.earlier_indexes import RETIRED_NAMES
from infra.parts.tables import index_names
from lobby.ledger.models import LedgerRow
from tests.infra.templates import Stack, settings, synthesized

WANTED = set(index_names(LedgerRow))
KEPT = WANTED - {"by-name-keys", "by-print-keys"}
OLD = KEPT | RETIRED_NAMES


@pytest.mark.parametrize(
    "deployed",
    [OLD, KEPT | {"by-time"}, WANTED | {"by-print"}, WANTED, set()],
    ids=["0.2.0", "interrupted", "almost done", "done", "none"],
)
def test_each_deployment_creates_or_deletes_one_index(deployed: set[str]) -> None:
    before = set(deployed)
    for after in steps(deployed, WANTED, is_new=False):
        assert len(after ^ before) <= 1
        before = after
    assert before == WANTED


def test_new_indexes_exist_before_old_ones_are_deleted() -> None:
    sets = steps(OLD, WANTED, is_new=False)
    assert [len(each) for each in sets] == [len(OLD) + 1, len(OLD) + 2, len(OLD) + 1, len(OLD), len(WANTED)]
    assert sets[1] == OLD | WANTED


def test_a_retained_table_is_first_adopted_as_it_is() -> None:
    assert steps(OLD, WANTED, is_new=True)[0] == OLD
    assert steps(WANTED, WANTED, is_new=True) == [WANTED]


def test_an_index_that_no_version_has_is_an_error() -> None:
    with pytest.raises(UnknownIndex, match="UNKNOWN_INDEX: got the index by-color"):
        steps(WANTED | {"by-color"}, WANTED, is_new=False)


def indexes(stack: Stack) -> dict[str, Any]:
    table = stack.the("AWS::DynamoDB::GlobalTable", TableName="device-lobby-ledger")
    return {each["IndexName"]: each for each in table["GlobalSecondaryIndexes"]}


def test_an_intermediate_deployment_has_the_old_indexes_unchanged(tmp_path: Path) -> None:
    """A deployed index cannot change its keys or projection."""
    during = indexes(synthesized(settings(ledgerIndexes=",".join(sorted(OLD | WANTED))), tmp_path).lobby)
    assert during.keys() == OLD | WANTED
    assert json.loads(json.dumps(during["by-time"])) == {
        "IndexName": "by-time",
        "KeySchema": [
            {"AttributeName": "kind", "KeyType": "HASH"},
            {"AttributeName": "enteredat", "KeyType": "RANGE"},
        ],
        "Projection": {
            "ProjectionType": "INCLUDE",
            "NonKeyAttributes": [
                "devicename",
                "devstate",
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
            ],
        },
    }


@pytest.mark.parametrize("value", ["", "by-time,", "By-Time", 7, "a b"])
def test_an_invalid_list_of_indexes_is_rejected(value: object) -> None:
    with pytest.raises(BadContext, match="ledgerIndexes: got"):
        settings(ledgerIndexes=value)
