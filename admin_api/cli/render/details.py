"""Detail views: a device with its route, certificate and history; the overview; the result of a verification.

Pure functions from the API's responses to rich renderables. An empty field has a dash. A problem is shown with its fix.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from admin_api.cli.render import cells, tables

_BAR_LENGTH: Final = 30


def device_details(device: Mapping[str, Any], now: datetime) -> RenderableType:
    """Render the output of `devices show`."""
    heading = Text.assemble(
        (cells.device_name(device), "bold"),
        "  ",
        cells.state(device["devstate"]),
        f"  for {cells.age(device['enteredAt'], now)}",
    )
    fields = pairs((label, value) for label, value in _fields(device) if value is not None)
    return Group(heading, fields, Text(), history_heading(device), tables.history(device["history"] or ()))


def history_heading(device: Mapping[str, Any]) -> Text:
    """Render the heading of a history, which states whether its hash chain is valid."""
    if device["historyIntact"]:
        return Text("history (hash chain valid)", "bold")
    return Text("history: HASH CHAIN INVALID: an entry was changed, removed or reordered", "bold red")


def history_check(check: Mapping[str, Any]) -> Text:
    """Render the result of verifying one history on one line."""
    line = Text.assemble(tables.mark(check["ok"]), f"  {cells.clean(check['certid'])}  ")
    if not check["ok"]:
        entry = "" if check["seq"] is None else f"entry {check['seq']}: "
        return line.append(f"{entry}{cells.clean(check['code'])}: {cells.clean(check['message'])}", "red")
    pending = f", {check['pending']} not anchored yet" if check["pending"] else ""
    return line.append(f"History verified ({check['anchored']} of {check['entries']}){pending}")


def pairs(fields: Iterable[tuple[str, object]]) -> Table:
    """Render labels and values in two columns."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, value in fields:
        grid.add_row(f"  {label}", value if isinstance(value, Text) else cells.clean(value))
    return grid


def _fields(device: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    claimed = device["targetaccount"] is not None
    yield "fingerprint", device["certid"]
    yield "label", device["labelCode"]
    yield "expected name", _expected_name(device)
    yield "reason", Text(cells.clean(device["reason"]), "red") if device["reason"] else None
    yield "what to do", device["message"]
    yield "target", f"{cells.target(device)}, profile {device['profile']}" if claimed else None
    yield "claim", f"{device['generation']}, by {device['claimedBy']} at {device['claimedAt']}" if claimed else None
    yield "code", _code(device)
    yield "enrolment", device.get("enrolment")
    yield "campaign", device.get("campaign")
    yield "standby", _standby(device.get("standby"))
    yield "model", device.get("model")
    yield "route", device["endpoint"]
    yield "config", device["config"] if claimed else None
    yield "waits for", device.get("waitsFor")
    yield "expected", device.get("expectedAt")
    yield "targets to clear", _targets(device["previousTargets"])
    yield "connection", _connection(device)
    yield "suspicion", _suspicion(device.get("suspicion"))
    for problem in device["connectionProblems"] or ():
        yield "problem", Text(f"{cells.clean(problem['code'])}: {cells.clean(problem['message'])}", "red")
    yield "first seen", device["firstSeen"]
    yield "last hello", device["lastSeen"]
    yield "client", device["clientVersion"]
    yield "lobby", device["lobbyRegion"]
    yield from _certificate(device.get("certificate"))
    actions = [cells.COMMANDS.get(action, action) for action in device["allowedActions"]]
    yield "actions", ", ".join(actions) or "none"


def _standby(standby: Mapping[str, Any] | None) -> Text | None:
    """Return the standby of the device, and whether the device is registered there."""
    if standby is None:
        return None
    place = cells.clean(f"{standby['target']['account']}/{standby['target']['region']}")
    if standby["evacuated"]:
        return Text(f"evacuated from {place}")
    if standby["reason"]:
        return Text(f"{place}: refused, {cells.clean(standby['reason'])}", "red")
    if standby["visited"]:
        return Text(f"{place}: the device connected there without an evacuation", "yellow")
    status = "to be prepared" if standby["pending"] or standby["status"] == "none" else standby["status"]
    return Text(f"{place}: {cells.clean(status)}")


def _suspicion(suspicion: Mapping[str, Any] | None) -> Text | None:
    """Return why the certificate seems to be in use twice, or when a user dismissed the suspicion."""
    if suspicion is None:
        return None
    if suspicion["dismissedAt"]:
        return Text(f"dismissed at {cells.clean(suspicion['dismissedAt'])}")
    return Text(f"since {cells.clean(suspicion['at'])}: {cells.clean(suspicion['message'])}", "red")


def _expected_name(device: Mapping[str, Any]) -> Text | None:
    """Return the expected name of the claim, and whether the device has another name."""
    expected = device.get("expectedName")
    if not expected:
        return None
    differs = f", but the certificate has the name {cells.clean(device['devicename'])}" if device["devicename"] else ""
    return Text(f"{cells.clean(expected)}{differs}", "red" if differs else "")


def _connection(device: Mapping[str, Any]) -> str | None:
    """Return the device's connection to the lobby, if it is known."""
    if device["online"] is None:
        return None
    return f"{'online' if device['online'] else 'offline'} in the lobby since {cells.clean(device['onlineSince'])}"


def _code(device: Mapping[str, Any]) -> str | None:
    """Return the next step while the device waits for its presence code."""
    attempts = device.get("triesLeft")
    if attempts is None:
        return None
    if device.get("showsCode") is False:
        return f"the client cannot show a code; lobbyctl release {device['certid'][:12]}, or update the client"
    status = "shown on the device" if device.get("showsCode") else "the device has not sent a hello yet"
    return f"{status}; lobbyctl confirm {cells.digits(device['certid'])} CODE ({attempts} attempts left)"


def _targets(targets: Sequence[Mapping[str, Any]]) -> str | None:
    return ", ".join(f"{each['account']}/{each['region']}" for each in targets) or None


def _certificate(certificate: Mapping[str, Any] | None) -> Iterator[tuple[str, object]]:
    if certificate:
        yield "certificate", certificate["subject"]
        yield "  issued by", certificate["issuer"]
        yield "  serial", certificate["serialNumber"]
        yield "  valid", f"{certificate['notBefore']} to {certificate['notAfter']}"
        yield "  key", f"{certificate['key']}, {certificate['signature']}"


def overview(counts: Mapping[str, Any]) -> RenderableType:
    """Render the number of devices per state, target and reason."""
    parts: list[RenderableType] = [Text(f"{counts['total']} devices", "bold"), _states(counts["states"])]
    if counts["targets"]:
        table = tables.plain("TARGET", "DEVICES", "STATES")
        for each in counts["targets"]:
            states = ", ".join(f"{state['count']} {state['state']}" for state in each["states"])
            table.add_row(cells.clean(f"{each['account']}/{each['region']}"), str(each["count"]), cells.clean(states))
        parts += [Text(), table]
    if counts["reasons"]:
        table = tables.plain("STATE", "REASON", "DEVICES")
        for each in counts["reasons"]:
            table.add_row(cells.state(each["state"]), cells.clean(each["reason"]), str(each["count"]))
        parts += [Text(), table]
    if counts["renewals"]:
        parts += [Text(), *_renewals(counts["renewals"])]
    return Group(*parts)


def _renewals(found: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Render the results of the last daily round of renewals."""
    due = f"{found['due']} devices due, {found['overdue']} overdue, {found['unable']} with a client that cannot renew"
    yield Text(f"certificates: {due}; {found['expiringCertificates']} expire within 90 days")
    if found["due"]:
        yield Text("lobbyctl devices list --renewal due lists them, --renewal overdue only the overdue ones", "dim")
    for each in found["expiringAuthorities"]:
        what = "CA" if each["kind"] == "CA" else "revocation list of"
        ends = each["problem"] or f"ends {each['ends']}"
        yield Text(f"{what} {cells.clean(each['name'] or each['ca'])}: {cells.clean(ends)}", "yellow")


def _states(states: Sequence[Mapping[str, Any]]) -> Table:
    highest = max((each["count"] for each in states), default=0)
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column()
    grid.add_column(justify="right")
    grid.add_column()
    for each in states:
        grid.add_row(cells.state(each["state"]), str(each["count"]), bar(each["count"], highest))
    return grid


def bar(count: int, highest: int) -> Text:
    """Render a count as a bar relative to the highest count; every count above 0 is visible."""
    length = round(_BAR_LENGTH * count / highest) if highest else 0
    return Text("█" * max(length, 1 if count else 0), "dim")
