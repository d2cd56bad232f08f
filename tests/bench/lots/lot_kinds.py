"""The kinds of lots that `onboarding_cost` measures, and the table that compares them with a single onboarding."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.bench import prices
from tests.bench.report import Section


@dataclass(frozen=True)
class LotKind:
    """`by_rule`: the rule of an enrolment claims each device with its admission, instead of a user's list. `at_once`:
    all devices are switched on within a second, instead of at the rate of the lane."""

    name: str
    by_rule: bool
    at_once: bool


LOTS: Final = (
    LotKind("list", by_rule=False, at_once=False),
    LotKind("list, at once", by_rule=False, at_once=True),
    LotKind("rule", by_rule=True, at_once=False),
    LotKind("rule, at once", by_rule=True, at_once=True),
)


def lot_section(single: Mapping[str, Any], lots: Mapping[str, Any], devices: int) -> Section:
    """Return the table of quantities and costs, for one device at a time and for each lot."""
    found = {"one at a time": single, **lots}
    lines = [
        (prices.PRICES[name].what, *(cell for each in found.values() for cell in _cells(each, name)))
        for name in single["quantities"]
    ]
    total = ("sum", *(cell for each in found.values() for cell in ("", f"{each['usd']:.2f}")))
    return Section(
        f"A million onboardings in lots of {devices} devices",
        ("part", *(title for name in found for title in (name, "USD"))),
        (*lines, total),
        (
            "list: users claim the devices with lobbyctl, two minutes after they wait. rule: an enrolment claims each "
            "device with its admission.",
            "at once: switched on within a second; refused connections are repeated, and the bouncer's processes wait "
            "for the quota. Otherwise at the rate of the lane.",
            "One lane, at its default rate. Batches as the mappings form them: four shards of each stream; arrivals "
            "one by one, because they follow each other more slowly than they are processed.",
            "A single onboarding is counted without its refused first connection; lots only add the repeated ones.",
        ),
    )


def _cells(measured: Mapping[str, Any], name: str) -> tuple[str, str]:
    quantity = float(measured["quantities"][name])
    return f"{quantity:,.0f}" if quantity.is_integer() else f"{quantity:,.3f}", f"{measured['costs'][name]:,.2f}"
