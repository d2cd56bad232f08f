"""Tables and details of webhooks, their requests and undelivered events, and of the activity log."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich.table import Table

from admin_api.cli.render import cells, tables

Webhook = Mapping[str, Any]


def table(webhooks: Iterable[Webhook]) -> Table:
    result = tables.plain("ID", "STATE", "URL", "EVENTS", "UNDELIVERED", "FAILING SINCE")
    for each in webhooks:
        result.add_row(
            cells.clean(each["id"]),
            cells.clean(each["state"]),
            cells.clean(each["url"]),
            _events(each),
            str(each["undeliveredCount"] or cells.NONE),
            cells.clean(each["failingSince"]),
        )
    return result


def fields(webhook: Webhook) -> list[tuple[str, Any]]:
    return [
        ("id", webhook["id"]),
        ("url", webhook["url"]),
        ("events", _events(webhook)),
        ("state", webhook["state"]),
        ("reason", webhook["reason"]),
        ("failing since", webhook["failingSince"]),
        ("undelivered", webhook["undeliveredCount"] or None),
        ("previous secret until", webhook["previousSecretUntil"]),
        ("created", f"{webhook['createdBy']} at {webhook['createdAt']}"),
    ]


def deliveries(requests: Iterable[Mapping[str, Any]]) -> Table:
    result = tables.plain("AT", "TYPE", "EVENT", "ATTEMPT", "RESULT", "STATUS", "MS", "NEXT")
    for each in requests:
        result.add_row(
            cells.clean(each["at"]),
            cells.clean(each["type"]),
            cells.clean(each["event"]),
            str(each["attempt"]),
            cells.clean(each["result"]),
            str(each["status"] or cells.NONE),
            str(each["milliseconds"]),
            cells.clean(each["nextAt"]),
        )
    return result


def undelivered(events: Iterable[Mapping[str, Any]]) -> Table:
    result = tables.plain("AT", "TYPE", "EVENT", "ATTEMPTS", "RESULT")
    for each in events:
        result.add_row(*(cells.clean(each[key]) for key in ("at", "type", "event", "attempts", "result")))
    return result


def activity(entries: Iterable[Mapping[str, Any]]) -> Table:
    result = tables.plain("AT", "ACTOR", "EVENT", "DEVICE", "CHANGE", "TARGET", "REASON")
    for each in entries:
        result.add_row(
            cells.clean(each["at"]),
            cells.clean(each["actor"]),
            cells.clean(each["event"]),
            _subject(each),
            "" if each["certid"] is None else f"{cells.clean(each['before'])} → {cells.clean(each['after'])}",
            _places(each),
            cells.clean(each["reason"]),
        )
    return result


def _places(entry: Mapping[str, Any]) -> str:
    """The target; of a device that has left another one, both."""
    if entry["left"] is None:
        return cells.clean(entry["target"])
    return f"{cells.clean(entry['left'])} → {cells.clean(entry['target'] or 'the lobby')}"


def _subject(entry: Mapping[str, Any]) -> str:
    """Return the device or the user that an entry is about."""
    if entry["certid"] is None:
        return f"user {cells.clean(entry['user'])}"
    return cells.clean(entry["devicename"]) if entry["devicename"] else cells.digits(entry["certid"])


def _events(webhook: Webhook) -> str:
    return ", ".join(cells.clean(each.removeprefix("device.")) for each in webhook["events"]) or "all"
