"""Counts the devices of a ledger that is older than the counts: one that was kept since version 0.1.0.

It is known by having devices and no counts at all, which takes two small reads to see. The recount is the ledger's own,
in a process of its own, as the ledger's tables are found by the environment. On AWS an administrator runs the same.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from infra.local.environment import ROOT_SECRET
from infra.local.errors import DeployFailed
from lobby.ledger.models import CountRow, LedgerRow
from lobby.names import Target

_ROOT = Path(__file__).resolve().parents[2]


def is_older(dynamodb: Any) -> bool:
    """Whether there are devices, and nothing counts any. `dynamodb` is a client of the lobby's account."""
    tables = (LedgerRow.Meta.table_name, CountRow.Meta.table_name)
    devices, counts = (dynamodb.scan(TableName=table, Limit=1)["Count"] for table in tables)
    return bool(devices and not counts)


def recount(endpoint_url: str, lobby: Target) -> str:
    """What the recount says. Raises `DeployFailed` NOT_COUNTED with what it said instead."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
        "AWS_ENDPOINT_URL": endpoint_url, "AWS_REGION": lobby.region, "AWS_DEFAULT_REGION": lobby.region,
        "AWS_ACCESS_KEY_ID": lobby.account, "AWS_SECRET_ACCESS_KEY": ROOT_SECRET, "AWS_EC2_METADATA_DISABLED": "true",
    }  # fmt: skip
    command = [sys.executable, "-m", "lobby.ledger.recount"]
    done = subprocess.run(command, cwd=_ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DeployFailed("NOT_COUNTED", f"the recount of an older ledger failed:\n{done.stderr[-3000:]}")
    return done.stdout.strip()
