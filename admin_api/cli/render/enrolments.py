"""Tables and details of enrolments.

Pure functions from the API's responses to rich renderables. These responses contain no secrets of tokens.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table

from admin_api.cli.render import cells, tables
from admin_api.cli.render.details import pairs

Enrolment = Mapping[str, Any]


def table(enrolments: Iterable[Enrolment]) -> Table:
    result = tables.plain("NAME", "STATE", "ADMITTED", "REFUSED", "MATCHES", "TARGET", "ENDS")
    for each in enrolments:
        refused = sum(refusal["count"] for refusal in each["refusals"])
        result.add_row(
            cells.clean(each["name"]),
            each["state"],
            _progress(each),
            str(refused) if refused else cells.NONE,
            _conditions(each),
            _targets(each),
            cells.clean(each["ends"]),
        )
    return result


def details(enrolment: Enrolment, history: Iterable[Mapping[str, Any]]) -> RenderableType:
    allocation = enrolment["allocation"] or {}
    refusals = ", ".join(f"{each['count']} {each['reason']}" for each in enrolment["refusals"])
    fields = [
        ("name", enrolment["name"]),
        ("state", enrolment["state"]),
        ("door", enrolment["door"]),
        ("matches", _conditions(enrolment)),
        ("serial numbers", enrolment["listLength"]),
        ("admitted", _progress(enrolment)),
        ("refused", refusals or None),
        ("starts", enrolment["starts"]),
        ("ends", enrolment["ends"]),
        ("model", enrolment["model"]),
        ("second key", enrolment["repeat"]),
        ("template", enrolment["provisioningTemplate"]),
        ("renewal", _renewal(enrolment)),
        ("signer", _signer(enrolment)),
        ("attributes", ", ".join(f"{each['name']}={each['value']}" for each in enrolment["attributes"]) or None),
        ("thing groups", ", ".join(enrolment["thingGroups"]) or None),
        ("target", _targets(enrolment)),
        ("profile", allocation.get("profile")),
        ("config", allocation.get("config")),
        ("presence", "required" if allocation.get("presence") else None),
        ("created", f"{enrolment['createdAt']} by {cells.clean(enrolment['createdBy'])}"),
    ]
    claims = enrolment["claimCertificates"]
    parts: list[RenderableType] = [pairs((name, cells.clean(value)) for name, value in fields if value is not None), ""]
    if claims:
        parts += [certificates(claims), ""]
    return Group(*parts, tables.target_history(history))


def certificates(claims: Iterable[Mapping[str, Any]]) -> Table:
    """Return a table of claim certificates."""
    result = tables.plain("CLAIM CERTIFICATE", "STATE", "EXPIRES", "SOURCE", "ADDED BY")
    for each in claims:
        result.add_row(
            cells.clean(each["certificateId"]),
            each["state"],
            cells.clean(each["expires"]),
            each["source"],
            cells.clean(each["createdBy"]),
        )
    return result


def _progress(enrolment: Enrolment) -> str:
    admitted, limit = enrolment["admitted"], enrolment["limit"]
    return f"{admitted} of {limit}" if limit is not None else str(admitted)


def _renewal(enrolment: Enrolment) -> str | None:
    policy = enrolment["renewal"]
    return f"after {policy['maximumAge']} days, within {policy['grace']} more" if policy else None


def _signer(enrolment: Enrolment) -> str | None:
    signer = enrolment["signer"]
    return f"{signer['key']}, for {signer['days']} days" if signer else None


def _conditions(enrolment: Enrolment) -> str:
    match = enrolment["match"]
    parts = [f"{each['field']}={each['value']}" for each in match["subject"]]
    parts += [f"CA {match['ca'][:12]}…"] if match["ca"] else []
    parts += [match["namePattern"]] if match["namePattern"] else []
    parts += ["listed"] if match["listed"] else []
    return cells.clean(", ".join(parts))


def _targets(enrolment: Enrolment) -> str:
    allocation = enrolment["allocation"]
    if allocation is None or not (allocation["function"] or allocation["targets"]):
        return "waits for a claim"
    if allocation["function"]:
        return cells.clean(allocation["function"])
    shares = allocation["targets"]
    total = sum(each["weight"] for each in shares)
    names = (f"{each['account']}/{each['region']}" for each in shares)
    if len(shares) == 1:
        return next(iter(names))
    return ", ".join(f"{name} {100 * each['weight'] / total:.0f} %" for name, each in zip(names, shares, strict=True))


def tokens(found: Iterable[Mapping[str, Any]]) -> Table:
    """Return a table of enrolment tokens."""
    result = tables.plain("TOKEN", "STATE", "USES", "FOR", "EXPIRES", "LAST USE", "CREATED BY")
    for each in found:
        result.add_row(
            cells.clean(each["identifier"]),
            each["state"],
            f"{each['uses']} of {each['maxUses']}",
            cells.clean(each["thingName"] or "any name"),
            cells.clean(each["expires"]),
            cells.clean(each["lastUse"]),
            cells.clean(each["createdBy"]),
        )
    return result
