"""The state of a target's comparisons with the ledger: the one in progress, the last complete one, and the failure of a
later one. The reconciler writes the state, and the admin API shows it. Only a complete comparison has a result. A
stopped comparison has a reason and never a number of differences.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Work:
    """A comparison in progress. `step` names the list that is read, or the comparison of the lists' content; `token` is
    the next page of the list, `flushes` when records were stored, `partition` and `done` what is compared. `days`
    is the number of days in which each device is examined once; with `by_device` there are no lists. `first` is the
    partition of certificates that is compared first, and `left_from` the first one in which devices were left out. The
    rest are counts: `runs` counts the Lambda's runs, `silent_runs` the runs at whose end the target did not answer."""

    began: str
    step: str = "ledger"
    token: str | None = None
    flushes: tuple[str, ...] = ()
    partition: int = 0
    done: int = 0
    days: int = 1
    runs: int = 0
    silent_runs: int = 0
    listed: int = 0
    compared: int = 0
    examined: int = 0
    suspects: int = 0
    differences: int = 0
    unexamined: int = 0
    missing: int = 0
    by_device: bool = False
    first: int = 0
    left_from: int | None = None

    def result(self, completed: str) -> "Result":
        return Result(
            self.began,
            completed,
            self.compared,
            self.examined,
            self.differences,
            self.unexamined,
            1 if self.by_device else self.days,
            self.by_device,
            self.missing,
            self.first if self.left_from is None else self.left_from,
        )


@dataclass(frozen=True)
class Result:
    """A complete comparison. `compared` devices were searched in the target's lists. `examined` counts the lookups of
    single devices and of active certificates without a claim; each device is looked up once within `days` days.
    `unexamined` counts the differences between lists and ledger that were left for the next comparison because there
    were too many: it begins with the partition `resumes`, where they start. With `by_device` there were no lists,
    because the target's role does not allow them. `missing` counts the devices that have no registration in the
    target."""

    began: str
    completed: str
    compared: int
    examined: int
    differences: int
    unexamined: int
    days: int
    by_device: bool = False
    missing: int = 0
    resumes: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether the target contains none of its devices, for example after it was rebuilt."""
        return 0 < self.compared == self.missing and self.differences > 0


@dataclass(frozen=True)
class Failure:
    """Why the last comparison was not completed."""

    at: str
    code: str
    message: str


@dataclass(frozen=True)
class ComparisonState:
    """All of it for one target. A `failure` is later than `last`."""

    work: Work | None = None
    last: Result | None = None
    failure: Failure | None = None

    def encode(self) -> dict[str, Any]:
        return {name: asdict(value) for name, value in vars(self).items() if value is not None}

    @classmethod
    def decode(cls, stored: dict[str, Any]) -> "ComparisonState":
        """Return what `encode` returned. A part that another version wrote is dropped; a result of an earlier version
        is kept."""
        work = stored.get("work")
        is_of_this_version = isinstance(work, dict) and work.keys() == {each.name for each in fields(Work)}
        return cls(
            _part(Work, work) if is_of_this_version else None,
            _part(Result, stored.get("last")),
            _part(Failure, stored.get("failure")),
        )


def _part(kind: Callable[..., T], stored: Any) -> T | None:
    """Return a dataclass from its fields, or None if they are not those of `kind`."""
    if not isinstance(stored, dict):
        return None
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()}
    try:
        return kind(**values)
    except TypeError:
        return None
