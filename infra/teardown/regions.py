"""Finds a stack in all Regions of an account: the role of a target account is removed with its last target."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import get_session

from infra.teardown.stacks import Stack

_DISABLED: Final = ("InvalidClientTokenId", "UnrecognizedClientException", "OptInRequired")
"""The errors of a Region that is not enabled in the account, which has no stacks."""
_CALLS: Final = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})


@dataclass(frozen=True)
class Found:
    """The Regions that have each stack, and those that did not answer, for example because a policy denies them."""

    regions: dict[str, tuple[str, ...]]
    unknown: tuple[str, ...]


def regions_with(session: Any, names: Sequence[str], regions: Iterable[str] | None = None) -> Found:
    """Return where the account of `session`, a boto3 session, has stacks with these names. `regions` are by default all
    Regions that have AWS IoT."""
    asked = sorted(get_session().get_available_regions("iot") if regions is None else regions)
    with ThreadPoolExecutor(8, "regions") as pool:
        answers = dict(zip(asked, pool.map(lambda region: _stacks(session, region, names), asked), strict=True))
    return Found(
        {name: tuple(region for region, has in answers.items() if has and name in has) for name in names},
        tuple(region for region, has in answers.items() if has is None),
    )


def _stacks(session: Any, region: str, names: Sequence[str]) -> set[str] | None:
    try:
        client = session.client("cloudformation", region_name=region, config=_CALLS)
        return {name for name in names if Stack(client, name).status() is not None}
    except ClientError as error:
        return set() if error.response["Error"]["Code"] in _DISABLED else None
    except BotoCoreError:
        return None
