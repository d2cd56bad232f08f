"""Brings a ledger up to date that an older version kept: counts its devices, anchors its histories.

It is known by having devices and no counts at all, or a history and no anchor at all, which takes small reads to see.
The work is the ledger's own, in a process of its own, as the ledger's tables are found by the environment. On AWS an
administrator runs the same.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from infra.local.environment import ROOT_SECRET
from infra.local.errors import DeployFailed
from lobby.ledger.anchors import PREFIX
from lobby.ledger.models import CountRow, HistoryRow, LedgerRow
from lobby.names import Target
from lobby.wire import notary_bucket

_ROOT = Path(__file__).resolve().parents[2]


def is_older(dynamodb: Any) -> bool:
    """Whether there are devices, and nothing counts any. `dynamodb` is a client of the lobby's account."""
    return _has(dynamodb, LedgerRow.Meta.table_name) and not _has(dynamodb, CountRow.Meta.table_name)


def is_unanchored(dynamodb: Any, s3: Any, lobby: Target) -> bool:
    """Whether there is a history, and nothing of any is anchored."""
    if not _has(dynamodb, HistoryRow.Meta.table_name):
        return False
    bucket = notary_bucket(lobby.account, lobby.region)
    return not s3.list_objects_v2(Bucket=bucket, Prefix=PREFIX, MaxKeys=1)["KeyCount"]


def recount(endpoint_url: str, lobby: Target) -> str:
    """What the recount says. Raises `DeployFailed` NOT_COUNTED with what it said instead."""
    return _run(endpoint_url, lobby, "NOT_COUNTED", "lobby.ledger.recount")


def anchor(endpoint_url: str, lobby: Target) -> str:
    """What the anchoring says, histories that are not whole included. Raises `DeployFailed` NOT_ANCHORED likewise."""
    bucket = notary_bucket(lobby.account, lobby.region)
    return _run(endpoint_url, lobby, "NOT_ANCHORED", "lobby.ledger.anchoring", bucket)


def _has(dynamodb: Any, table: str) -> bool:
    return bool(dynamodb.scan(TableName=table, Limit=1)["Count"])


def _run(endpoint_url: str, lobby: Target, code: str, module: str, *words: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_REGION": lobby.region,
        "AWS_DEFAULT_REGION": lobby.region,
        "AWS_ACCESS_KEY_ID": lobby.account,
        "AWS_SECRET_ACCESS_KEY": ROOT_SECRET,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    command = [sys.executable, "-m", module, *words]
    done = subprocess.run(command, cwd=_ROOT, env=environment, capture_output=True, text=True, check=False)
    if not done.stdout:
        raise DeployFailed(code, f"{module} failed on an older ledger:\n{done.stderr[-3000:]}")
    return done.stdout.strip()
