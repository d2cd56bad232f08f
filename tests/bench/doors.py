"""What each door costs until a device waits in the lobby: `python -m tests.bench.doors [--json]`.

Counts AWS calls, DynamoDB units, and what AWS bills, not time: every Lambda of a door runs once, warm, on moto, for a
device without an allocation. The steps of AWS IoT and API Gateway themselves (connections, messages, registry
operations) are added as documented. What follows, from the first hello to the arrival, is the same for all doors
(`python -m tests.bench.onboarding_cost`). With `--json` the last line is one object with `goal`, which is true if no
door needs more than 15 AWS calls.

Exit status: 0 the goal is met, 1 it is not, or a door could not be run.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

import typer

from lobby.ledger.store import Ledger
from tests import aws
from tests import certificates as make
from tests.aws import REGION, Clock
from tests.bench import prices, report
from tests.bench.onboarding_count import Bill
from tests.bench.outcome import outcome
from tests.bench.report import Section
from tests.bench.warm_lambdas import Lambdas
from tests.functional.lobby.claim_door import ClaimDoor
from tests.functional.lobby.vending_door import VendingLobby

MOST_CALLS: Final = 15
ONBOARDINGS: Final = 1_000_000
_BILLED: Final = (
    "write_units",
    "read_units",
    "messages",
    "registry",
    "rules",
    "actions",
    "runs",
    "queue_requests",
    "api_requests",
)
app = typer.Typer(add_completion=False)


def registration(bill: Bill, calls: aws.Calls, clock: Clock) -> Callable[[], None]:
    """A refused connection, whose event goes through a rule and a queue to the bouncer."""
    admit = Lambdas(calls, clock).onboarding()["bouncer"]

    def run() -> None:
        bill.run("bouncer", admit, rules=1, actions=1, messages=1, queue_requests=3)

    return run


def claim(bill: Bill, calls: aws.Calls, clock: Clock) -> Callable[[], None]:
    """A connection, four subscriptions, two requests with their answers; thing and attachment by the template."""
    door = ClaimDoor(calls, clock)
    door.enrol(limit=3)
    claimed = door.add_claim()
    _require(door.provision(claimed, "pump-0", 1))
    pem = make.pem_of(make.device(make.authority(number=11), "pump-1", number=2, serial=12))
    door.issue(pem)
    billed = {"messages": 1 + 4 + 2 + 2, "registry": 2}
    allowed: list[bool] = []
    event = door.event(claimed, pem, "pump-1")

    def run() -> None:
        bill.run("provisioning", lambda: allowed.append(_hook(door, event)), **billed)
        _require(allowed == [True])

    return run


def _hook(door: ClaimDoor, event: dict[str, Any]) -> bool:
    from lobby.doors import provisioning  # noqa: PLC0415  # next to its only use

    return bool(provisioning.handler(event, None, door.hook)["allowProvisioning"])


def token(bill: Bill, calls: aws.Calls, clock: Clock) -> Callable[[], None]:
    """An HTTPS request through the authorizer to the vending Lambda."""
    lobby = VendingLobby(calls, clock, Ledger(REGION, clock, pause=lambda _attempt: None))
    lobby.enrol_pumps()
    lobby.register(lobby.token(), "pump-0", 1)
    credentials = lobby.token()

    def run() -> None:
        body = {"thingName": "pump-1", "version": "1.0", "csr": make.signing_request("pump-1", 0)}
        header = f"{credentials.id} {credentials.secret}"
        bill.run("vending-authorizer", lambda: _require(lobby.authorize(header)), api_requests=1)
        bill.run("vending", lambda: _require(lobby.send(credentials, body).status == 200))

    return run


DOORS: Final = {"registration": registration, "claim": claim, "token": token}
Door = Callable[[Bill, aws.Calls, Clock], Callable[[], None]]


def _require(done: bool) -> None:
    if not done:
        raise AssertionError("got a device that its door did not admit, want it admitted")


def count(door: Door) -> dict[str, Any]:
    """Return the counts of a door's Lambdas, their sum, and its price for `ONBOARDINGS` devices in USD."""
    with aws.aws() as calls:
        clock = Clock()
        bill = Bill(clock)
        run = door(bill, calls, clock)
        with bill.counting():
            run()
    total = sum(bill.steps.values(), Counter[str]())
    quantities = {name: float(total.get(name, 0)) for name in _BILLED}
    quantities["gb_seconds"] = prices.billed_seconds(total["runs"], total["calls"]) * prices.MEMORY_GB
    quantities["log_bytes"] = float(total["log_line_bytes"] + total["log_lines"] * prices.BYTES_PER_LINE)
    costs = {name: round(ONBOARDINGS * usd, 4) for name, usd in prices.cost(quantities).items()}
    steps = {name: dict(counts) for name, counts in bill.steps.items()}
    return {"steps": steps, "total": dict(total), "costs": costs, "usd": round(sum(costs.values()), 2)}


@app.command(help=__doc__)
def main(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on the last line.")] = False,
) -> None:
    with outcome(as_json=as_json) as result:
        found = {name: count(door) for name, door in DOORS.items()}
        result.figures = {"onboardings": ONBOARDINGS, "most_calls": MOST_CALLS, "doors": found}
        result.goal = all(each["total"]["calls"] <= MOST_CALLS for each in found.values())
        print(report.section(section(found)))


def section(found: Mapping[str, Any]) -> Section:
    columns = ("calls", "read_units", "write_units", "runs", "messages", "registry")
    lines = tuple(
        (name, *(f"{each['total'].get(column, 0):g}" for column in columns), f"{each['usd']:.2f}")
        for name, each in found.items()
    )
    titles = ("door", *(column.replace("_", " ") for column in columns), f"USD for {ONBOARDINGS:,}")
    notes = ("Until the device waits in the lobby. Durations are assumed (tests/bench/prices.py).",)
    return Section("One device by each door", titles, lines, notes)


if __name__ == "__main__":
    app()
