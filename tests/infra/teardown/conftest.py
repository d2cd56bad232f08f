"""An account on moto with the policy of a profile."""

from collections.abc import Iterator

import pytest

from tests import aws
from tests.aws import Calls, client
from tests.infra.teardown.registrations import POLICY


@pytest.fixture
def calls() -> Iterator[Calls]:
    with aws.aws() as calls:
        with calls.uncounted():
            client("iot").create_policy(policyName=POLICY, policyDocument="{}")
        yield calls
