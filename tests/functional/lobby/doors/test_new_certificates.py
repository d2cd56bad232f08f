"""The walk through AWS IoT's list of certificates: the next run continues where a run out of time has stopped."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lobby.doors.new_certificates import NewCertificates
from lobby.names import Fingerprint
from tests import certificates as make

DAY = timedelta(days=1)


class FakeIot:
    """Lists certificates in pages of two, the newest first. A marker is the number of the first one of its page."""

    def __init__(self, ages: list[float], status: str = "INACTIVE") -> None:
        self.listed: list[Any] = [
            {"certificateId": f"{number}", "status": status, "creationDate": make.NOW - age * DAY}
            for number, age in enumerate(ages)
        ]
        self.calls, self.forgotten = 0, False

    def list_certificates(self, *, pageSize: int, ascendingOrder: bool, marker: str = "0") -> dict[str, Any]:  # noqa: N803
        assert (pageSize, ascendingOrder) == (250, False)
        self.calls += 1
        if self.forgotten and marker != "0":
            self.forgotten = False
            raise ClientError({"Error": {"Code": "InvalidRequestException", "Message": "marker"}}, "ListCertificates")
        first = int(marker)
        more = {"nextMarker": str(first + 2)} if first + 2 < len(self.listed) else {}
        return {"certificates": self.listed[first : first + 2], **more}


class Walk:
    """Walks with a note, as runs of the registrar do, with time for some certificates in each run."""

    def __init__(self, iot: FakeIot) -> None:
        self.iot, self.note, self.visited = iot, dict[str, Any](), list[str]()
        self.new = NewCertificates(iot, "orphans", "INACTIVE", DAY, DAY)  # type: ignore[arg-type]

    def run(self, certificates: int = 99, *, days: float = 0) -> int:
        left = iter([False] * certificates)
        return self.new.walk(self.note, make.NOW + days * DAY, self._visit, lambda: next(left, True))

    def _visit(self, certid: Fingerprint) -> bool:
        self.visited.append(certid)
        return True


@pytest.mark.parametrize("status", ["INACTIVE", "ACTIVE"])
def test_runs_without_time_for_the_whole_list_complete_it_together(status: str) -> None:
    walk = Walk(FakeIot([2, 3, 4, 5, 6, 7], status))
    for _ in range(2):
        walk.run(3)
        assert "orphans" not in walk.note
    walk.run(3)
    assert walk.note == {"orphans": "2026-11-21T12:00:00.000Z"}
    assert walk.visited == (["0", "1", "2", "2", "3", "4", "4", "5"] if status == "INACTIVE" else [])


def test_a_walk_that_is_continued_a_day_later_ends_where_it_was_to_end() -> None:
    walk = Walk(FakeIot([0.5, 2, 3, 4]))
    assert walk.run(2) == 1
    assert walk.run(days=1) == 2
    assert (walk.visited, walk.note) == (["1", "2", "3"], {"orphans": "2026-11-21T12:00:00.000Z"})
    assert walk.run(days=1) == 1
    assert walk.visited[-1] == "0"


def test_a_position_that_aws_iot_no_longer_knows_restarts_the_walk() -> None:
    walk = Walk(FakeIot([2, 3, 4, 5]))
    walk.run(3)
    walk.iot.forgotten = True
    walk.run()
    assert walk.note == {}
    walk.run()
    assert "orphans" in walk.note
    assert set(walk.visited) == {"0", "1", "2", "3"}


def test_a_walk_ends_at_the_first_certificate_that_the_last_one_has_seen() -> None:
    walk = Walk(FakeIot([2, 3, 4]))
    walk.run()
    walk.iot.calls = 0
    assert walk.run(days=0.9) == walk.iot.calls == 0, "not due"
    assert walk.run(days=1) == 0
    assert walk.iot.calls == 1
