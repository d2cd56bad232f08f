"""The custom resource that enables registry events. CloudFormation has no type for them. This file is its whole code: a
template contains it, so it imports nothing of this project and has less than 4,096 characters.

The event configuration belongs to the account and Region and may have other users. So the resource's id contains the
events that it has enabled. When it is deleted, it disables only these.
"""

import json
import urllib.request
from typing import Any

import boto3

_ID = "registry-events:"


def handler(event: dict[str, Any], _context: object) -> None:
    """Apply one request of CloudFormation, and answer it even if it fails, because the stack would otherwise wait for
    an hour."""
    answer = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    answer |= {"Status": "SUCCESS", "PhysicalResourceId": event.get("PhysicalResourceId", _ID)}
    try:
        answer["PhysicalResourceId"] = apply(boto3.client("iot"), event)
    except Exception as error:  # noqa: BLE001  # CloudFormation gets an answer to every error
        answer |= {"Status": "FAILED", "Reason": f"{type(error).__name__}: {error}"[:900]}
    print(json.dumps(answer))
    address = event["ResponseURL"]
    request = urllib.request.Request(address, json.dumps(answer).encode(), method="PUT")  # noqa: S310  # CloudFormation's
    request.add_header("Content-Type", "")  # the address is signed without a content type
    urllib.request.urlopen(request, timeout=20).close()  # noqa: S310


def apply(iot: Any, event: dict[str, Any]) -> str:
    """Enable or disable events. Return the resource's id."""
    known = str(event.get("PhysicalResourceId", ""))
    if event["RequestType"] == "Delete":
        _set(iot, [name for name in known.removeprefix(_ID).split(",") if name and known.startswith(_ID)], False)
        return known
    current = iot.describe_event_configurations()["eventConfigurations"]
    wanted = event["ResourceProperties"]["Events"]
    disabled = [name for name in wanted if not current.get(name, {}).get("Enabled")]
    _set(iot, disabled, True)
    # A new id would make CloudFormation delete the old one, and with it the events.
    return known if event["RequestType"] == "Update" else _ID + ",".join(disabled)


def _set(iot: Any, names: list[str], enabled: bool) -> None:
    if names:
        iot.update_event_configurations(eventConfigurations={name: {"Enabled": enabled} for name in names})
