"""The jobs that need the grants of enrolments: a device in a list is claimed by the rule, a second one is refused; and
an operator's function chooses the target."""

from itertools import count
from typing import Final

from tests.bench.iam.allocation_function import allocation as by_function
from tests.bench.iam.device_jobs import named, target_input
from tests.bench.iam.fixture import JobDevice, JobFailed, JobFixture

_CREATE: Final = """
mutation($name: String!, $allocation: AllocationInput!) {
  createEnrolment(name: $name, match: {listed: true}, limit: 1, allocation: $allocation) { name }
}"""
_ADD: Final = """
mutation($name: String!, $serials: [String!]!) {
  addSerialNumbers(enrolment: $name, serialNumbers: $serials) { added }
}"""
_ROW: Final = "query($id: ID!) { device(certid: $id) { enrolment claimedBy } }"
_LIST: Final = "{ enrolments { name admitted listLength refusals { count } } }"
_HISTORY: Final = "query($name: String!) { enrolmentHistory(name: $name) { event } }"
_numbers = count(1)


def enrol_by_list(fixture: JobFixture) -> None:
    name = f"job-{next(_numbers)}"
    allocation = {"targets": [{"target": target_input(fixture.second)}]}
    fixture.request("creates", _CREATE, "admin", name=name, allocation=allocation)
    serials = [f"{name}-{number}" for number in range(60)]
    fixture.request("lists", _ADD, name=name, serials=serials)
    names = iter(serials)

    def enrolled() -> JobDevice | None:
        """Power devices on until one is enrolled, because the bouncer caches enrolments for some time."""
        device = fixture.new_device(next(names))
        fixture.connect_admitted(device).close()
        row = fixture.request("reads", _ROW, id=device.certid)["device"]
        return device if row["claimedBy"] == f"rule:{name}" else None

    device = fixture.wait_for("the rule's claim", enrolled, more=30)
    fixture.wait_for_state(device, "commissioned")
    refused = fixture.new_device(next(names))
    fixture.connect(refused)
    fixture.wait_for_state(refused, "refused", reason="ENROLMENT_FULL")
    [shown] = [each for each in fixture.request("lists", _LIST)["enrolments"] if each["name"] == name]
    if (shown["admitted"], shown["listLength"], shown["refusals"]) != (1, 60, [{"count": 1}]):
        raise JobFailed(f"counts: {shown}")
    fixture.request("history", _HISTORY, name=name)
    fixture.request("revokes", "mutation($name: String!) { revokeEnrolment(name: $name) { state } }", name=name)


def allocate_by_function(fixture: JobFixture) -> None:
    name = f"function-{next(_numbers)}"
    fixture.request("creates", _CREATE, "admin", name=name, allocation=by_function(fixture))
    serials = [f"{name}-{number}" for number in range(60)]
    fixture.request("lists", _ADD, name=name, serials=serials)
    names = iter(serials)

    def allocated() -> bool:
        """As above."""
        device = fixture.new_device(next(names))
        fixture.connect_admitted(device).close()
        row = fixture.request("reads", _ROW, id=device.certid)["device"]
        return bool(row["claimedBy"] == f"rule:{name}")

    fixture.wait_for("the function's choice", allocated, more=30)
    fixture.request("revokes", "mutation($name: String!) { revokeEnrolment(name: $name) { state } }", name=name)


ENROLMENT_JOBS: Final = named(enrol_by_list, allocate_by_function)
