"""`targets drill`: send a share of a target's devices to its standby, report how long they take, and return them.

The target itself is not evacuated. The devices also return after an error, a timeout or an interruption (Ctrl-C). If
the command is killed, the devices stay in the standby until `targets return`. They continue to work there. They also
stay if the target is evacuated during the drill.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from statistics import median
from typing import Annotated, Any, Final

import typer

from admin_api.cli.command import command
from admin_api.cli.command_context import CommandContext
from admin_api.cli.commands.campaign_waiting import ENDED, PAUSE, find
from admin_api.cli.commands.confirmation import Yes, confirm
from admin_api.cli.commands.standbys import Named
from admin_api.cli.documents import standbys as documents
from admin_api.cli.errors import ApiRefused, Unfinished, Unreachable, usage_error
from admin_api.cli.exits import Status
from admin_api.cli.render import cells
from lobby.names import Target

app = typer.Typer()
DEFAULT_WAIT: Final = 900.0
"""Longer than the reference client takes to fall back to the lobby."""
_PAGE: Final = 500
_SHARE: Final = re.compile(r"(?P<number>[0-9]{1,3}(\.[0-9]+)?)%")
_SETTLED: Final = ("done", "failed", "refused", "unchanged", "superseded")


@command(app, "drill")
def drill(
    context: CommandContext,
    target: Named,
    share: Annotated[str, typer.Option(metavar="PERCENT", help="The share of the prepared devices, such as 5%.")],
    timeout: Annotated[
        float, typer.Option("--timeout", min=0, metavar="SECONDS", help="Maximum time to wait for arrivals.")
    ] = DEFAULT_WAIT,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the devices in the standby.")] = False,
    yes: Yes = False,
) -> Status:
    """Send a share of a target's devices to its standby, report when they arrive, and return them. Exits with status 1
    if a device did not arrive, or if the share contains no device.
    """
    found, part = context.targets.find(target), _share_of(share)
    effect = f"{share} of the devices of {found.target} ({cells.clean(found.name)}) go to its standby and then return."
    confirm(context, [effect], yes)
    where = {"account": found.target.account, "region": found.target.region}
    try:
        started = context.execute(documents.DRILL, **where, share=part)["drillTarget"]
    except Unreachable as error:
        if error.sent:
            context.screen.note(f"It is unknown whether the drill has started. {_by_hand(found.target)}")
        raise
    name = started["standby"]["campaign"]
    try:
        _wait(context, name, timeout)
        campaign = find(context, name)
        report = _report_of(campaign, _results(context, name))
        _show(context, report)
    finally:
        if not keep:
            _return(context, found.target, name)
    return Status.DONE if report["devices"] and not report["missing"] else Status.REFUSED


def _by_hand(target: Target) -> str:
    return f"If `lobbyctl targets list` shows devices in the standby, return them: lobbyctl targets return {target}"


def _return(context: CommandContext, target: Target, name: str) -> None:
    """Return the devices, unless the target was evacuated during the drill: only an admin ends an evacuation."""
    try:
        context.execute(documents.END_DRILL, account=target.account, region=target.region, why=f"end of {name}")
    except Unreachable as error:
        what = "It is unknown whether the devices return." if error.sent else "The devices do not return."
        context.screen.note(f"{what} {_by_hand(target)}")
        raise
    except ApiRefused as refused:
        if refused.code != "TARGET_EVACUATED":
            raise
        context.screen.note("The target was evacuated during the drill: the devices stay in its standby")
    else:
        context.screen.note("The devices return: lobbyctl targets list")


def _share_of(text: str) -> float:
    """Return a percentage as a number from 0 to 1. Raise `InvalidInput` WRONG_USE."""
    match = _SHARE.fullmatch(text)
    if match is None or not 0 < float(match["number"]) <= 100:  # per cent
        raise usage_error(f"got --share {text}, want a percentage such as 5%, more than 0% and at most 100%")
    return float(match["number"]) / 100


def _wait(context: CommandContext, name: str, timeout: float) -> None:
    """Wait until every device has arrived or failed, or for this many seconds. Raise `Unfinished` CAMPAIGN_STOPPED."""
    environment = context.environment
    began = environment.monotonic()
    while True:
        campaign = find(context, name)
        settled = sum(campaign["counts"][outcome] for outcome in _SETTLED)
        if campaign["state"] == "stopped":
            raise Unfinished("CAMPAIGN_STOPPED", f"{name} has stopped: {campaign['stoppedBecause']}")
        prepared = campaign["state"] != "preparing"
        if campaign["state"] in ENDED or (prepared and settled == campaign["total"]):
            return
        if environment.monotonic() - began >= timeout:
            return
        environment.sleep(PAUSE)


def _results(context: CommandContext, name: str) -> list[dict[str, Any]]:
    pages = context.pages(documents.DRILL_RESULTS, "campaignResults", name=name, first=_PAGE)
    return [each for page in pages for each in page["nodes"]]


def _report_of(campaign: dict[str, Any], results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the report: seconds from the start to the first, median and last arrival, and devices that have not
    arrived. A campaign that has not started has no times, and all its devices are missing."""
    started = campaign["startedAt"]
    began = None if started is None else datetime.fromisoformat(started)
    devices = [each["device"] for each in results if began and each["outcome"] == "done" and each["device"]]
    seconds = [(datetime.fromisoformat(each["enteredAt"]) - began).total_seconds() for each in devices if began]
    missing = [each for each in results if began is None or each["outcome"] not in ("done", "unchanged")]
    return {
        "campaign": campaign["name"],
        "state": campaign["state"],
        "devices": len(results),
        "arrived": len(seconds),
        "first": round(min(seconds), 1) if seconds else None,
        "median": round(median(seconds), 1) if seconds else None,
        "last": round(max(seconds), 1) if seconds else None,
        "missing": [_missing(each) for each in missing],
    }


def _missing(result: dict[str, Any]) -> dict[str, Any]:
    device = result["device"] or {}
    return {
        "certid": result["certid"],
        "devicename": device.get("devicename"),
        "outcome": result["outcome"],
        "code": result["code"],
    }


def _show(context: CommandContext, report: dict[str, Any]) -> None:
    if context.screen.as_json:
        context.screen.record(report)
        return
    if report["state"] == "preparing":
        context.screen.line(f"{report['campaign']} has not started: it is preparing")
    context.screen.line(f"{report['arrived']} of {report['devices']} devices have arrived in the standby")
    if not report["devices"] and report["state"] != "preparing":
        context.screen.line("the share contains no device: use a larger one")
    if report["arrived"]:
        times = ", ".join(f"{name} after {report[name]:g} s" for name in ("first", "median", "last"))
        context.screen.line(times)
    for each in report["missing"]:
        name, code = cells.clean(each["devicename"] or each["certid"]), each["code"]
        context.screen.line(f"not arrived: {name} ({each['outcome']}{f', {code}' if code else ''})")
