"""Upgrades a ledger of an earlier version: counts its devices and anchors its histories.

Such a ledger has devices but no counts, or a history but no anchors; both are detected with small reads. The upgrade
runs the ledger's modules in a separate process, because they find their tables by environment variables. On AWS an
administrator runs the same modules.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from infra.local.emulator import LocalSession
from infra.local.errors import DeployFailed
from lobby.deployment import NAMES
from lobby.ledger.histories.anchors import PREFIX
from lobby.ledger.models import CountRow, HistoryRow, LedgerRow
from lobby.names import Target

_ROOT = Path(__file__).resolve().parents[2]


def is_uncounted(dynamodb: Any) -> bool:
    """Return whether there are devices but no counts. `dynamodb` is a client of the lobby's account."""
    return _has_items(dynamodb, LedgerRow.Meta.table_name) and not _has_items(dynamodb, CountRow.Meta.table_name)


def is_unanchored(dynamodb: Any, s3: Any, lobby: Target) -> bool:
    """Return whether there is a history but no anchor."""
    if not _has_items(dynamodb, HistoryRow.Meta.table_name):
        return False
    bucket = NAMES.notary_bucket(lobby.account, lobby.region)
    return not s3.list_objects_v2(Bucket=bucket, Prefix=PREFIX, MaxKeys=1)["KeyCount"]


def recount(session: LocalSession, lobby: Target) -> str:
    """Count the devices and return the output. Raise `DeployFailed` NOT_COUNTED with the error output."""
    return _run(session, lobby, "NOT_COUNTED", "lobby.ledger.recount")


def anchor(session: LocalSession, lobby: Target) -> str:
    """Anchor the histories and return the output, which lists invalid histories. Raise `DeployFailed` NOT_ANCHORED with
    the error output."""
    bucket = NAMES.notary_bucket(lobby.account, lobby.region)
    return _run(session, lobby, "NOT_ANCHORED", "lobby.ledger.anchoring", bucket)


def _has_items(dynamodb: Any, table: str) -> bool:
    return bool(dynamodb.scan(TableName=table, Limit=1)["Count"])


def _run(session: LocalSession, lobby: Target, code: str, module: str, *arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
        "AWS_ENDPOINT_URL": session.endpoint_url,
        "AWS_REGION": lobby.region,
        "AWS_DEFAULT_REGION": lobby.region,
        "AWS_ACCESS_KEY_ID": lobby.account,
        "AWS_SECRET_ACCESS_KEY": session.secret,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    command = [sys.executable, "-m", module, *arguments]
    process = subprocess.run(command, cwd=_ROOT, env=environment, capture_output=True, text=True, check=False)
    if not process.stdout:
        raise DeployFailed(code, f"{module} failed on the ledger of an earlier version:\n{process.stderr[-3000:]}")
    return process.stdout.strip()
