"""Exports of the histories in `tampering`, as the lobby writes them, and the answer of S3 that lists their anchors."""

import json
from collections.abc import Callable
from typing import Any

from lobby.domain.history.history_export import Origin, digest, history_export, signed
from lobby.ledger.clock import timestamp
from lobby.names import parse_target
from tests.history_key import sign_history
from tests.unit.lobby.domain.tampering import CERTID, Case

LOBBY = parse_target("100000000001", "eu-west-1")
BUCKET = "device-lobby-notary-100000000001-eu-west-1"
Json = dict[str, Any]


def unsigned(case: Case, certid: str = CERTID) -> Json:
    """Return the export of a case, whose anchors are one object each."""
    anchors = [
        {
            "key": f"entries/{certid}/{each.seq:010d}-{each.hash}",
            "version": f"v{each.seq}",
            "at": each.at,
            "removed": each.removed,
        }
        for each in case.anchors
    ]
    origin = Origin(LOBBY, BUCKET, "user:ann", timestamp(case.now))
    return dict(history_export(CERTID, case.entries, case.row, anchors, origin))


def sealed(export: Json) -> Json:
    """Return the export with the lobby's signature, as read from the file."""
    parsed: Json = json.loads(json.dumps(signed(export, sign_history(digest(export)))))
    return parsed


def exported(case: Case) -> Json:
    return sealed(unsigned(case))


def listing(export: Json) -> Json:
    """Return S3's answer for the anchors of an export (`aws s3api list-object-versions`)."""
    versions = [{"Key": each["key"], "VersionId": each["version"], "Size": 0} for each in export["anchors"]]
    return {"Versions": versions, "RequestCharged": None, "Prefix": "entries/"}


def changed(case: Case, change: Callable[[Json], None]) -> Json:
    """Return the signed export with a change that was made after the signature."""
    export = exported(case)
    change(export)
    return export
