"""Rendering of targets and campaigns: devices that are away from their target, and the size of a canary."""

from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from admin_api.cli.render import campaigns, tables

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
STANDBY = {
    "target": {"account": "333333333333", "region": "ap-southeast-2"},
    "certificates": "active",
    "placed": 4,
    "prepared": 3,
    "evacuatedAt": None,
    "away": 2,
    "left": 2,
    "askedBy": None,
}


def rendered(content: Any) -> str:
    console = Console(width=400, markup=False, highlight=False, emoji=False, color_system=None)
    with console.capture() as captured:
        console.print(content)
    return captured.get()


def target(campaign: str | None) -> dict[str, Any]:
    return {
        "account": "222222222222",
        "region": "eu-west-1",
        "name": "Plant Porto",
        "profiles": ["default"],
        "rate": 10,
        "lane": {"waiting": 0, "pausedAt": None, "silentSince": None},
        "standby": {**STANDBY, "campaign": campaign},
        "createdBy": "user:ann",
        "createdAt": "2026-11-22T11:00:00.000Z",
    }


@pytest.mark.parametrize(
    ("campaign", "text"),
    [
        ("drill-222222222222-eu-west-1-t2", "3 of 4 active, 2 there for a drill"),
        ("return-222222222222-eu-west-1-t2", "3 of 4 active, 2 return"),
        (None, "3 of 4 active, 2 return"),
    ],
)
def test_devices_of_a_drill_are_not_said_to_return(campaign: str | None, text: str) -> None:
    assert text in rendered(tables.targets([target(campaign)], NOW))


def campaign(total: int) -> dict[str, Any]:
    absent = "stoppedBecause target profile config why expectedEnd waitsFor approvedBy takenOverBy startedAt endedAt"
    return dict.fromkeys([*absent.split(), "undoes", "undoneBy", "sourceCampaign"]) | {
        "name": "all-pumps",
        "state": "running",
        "operation": "MOVE",
        "source": "list",
        "total": total,
        "canary": 50,
        "canaryArrived": 2,
        "maxFailureRate": 0.1,
        "seconds": 1,
        "refusals": [],
        "failures": [],
        "createdAt": "2026-11-22T11:00:00.000Z",
        "createdBy": "user:ann",
        "counts": dict.fromkeys(
            ("done", "awaited", "waiting", "failed", "refused", "unchanged", "superseded", "pending"), 0
        ),
    }


@pytest.mark.parametrize(("total", "text"), [(3, "2 of 3 arrived"), (80, "2 of 50 arrived"), (0, "2 of 50 arrived")])
def test_a_canary_is_not_larger_than_its_campaign(total: int, text: str) -> None:
    assert text in rendered(campaigns.details(campaign(total), []))
