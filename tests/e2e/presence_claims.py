"""Targets that require proof of presence, and confirming a claim with the code that the device shows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from infra.local.api import ApiRefused
from lobby.names import Target
from tests.e2e.deployment import Deployment

CONFIRM = "mutation($id: ID!, $code: String!) { confirmPresence(certid: $id, code: $code) { devstate } }"
TARGETS = "{ targets { account region name } }"
REGISTER = """mutation($account: String!, $region: String!, $name: String!, $presence: Boolean!) {
  registerTarget(account: $account, region: $region, name: $name, presence: $presence) { presence }
}"""


@contextmanager
def requiring_presence(deployed: Deployment, target: Target) -> Iterator[None]:
    """Let `target` require proof of presence."""
    admin = deployed.api("admin")
    (name,) = [
        each["name"]
        for each in admin.ask(TARGETS)["targets"]
        if (each["account"], each["region"]) == (target.account, target.region)
    ]
    fields: dict[str, Any] = {"account": target.account, "region": target.region, "name": name}
    assert admin.ask(REGISTER, **fields, presence=True)["registerTarget"] == {"presence": True}
    try:
        yield
    finally:
        admin.ask(REGISTER, **fields, presence=False)


def confirm(deployed: Deployment, certid: str, code: str) -> str:
    """Confirm with `code` and return the new state, or the code of the refusal."""
    try:
        return str(deployed.api().ask(CONFIRM, id=certid, code=code)["confirmPresence"]["devstate"])
    except ApiRefused as refused:
        return refused.code
