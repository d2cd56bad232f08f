"""What the resolvers work with: the ledger, the histories, the targets, the surveyor. Made once, in one place.

Tests hand in their own. No client is made before it is used.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from admin_api.comparison import compare
from admin_api.settings import Settings
from admin_api.survey import lambda_client, run_survey
from lobby.aws.clients import LobbyClients
from lobby.contracts import Comparison, Survey
from lobby.domain.device import DEFAULT_PROFILE
from lobby.domain.target import RegisteredTarget
from lobby.ledger.anchors import Anchors
from lobby.ledger.histories import Histories
from lobby.ledger.store import Ledger
from lobby.ledger.targets import Targets
from lobby.names import AccountId, Region, Target
from lobby.wire import notary_bucket


@dataclass(frozen=True)
class Services:
    """`lobby_account` and `lobby_region` are where this lobby runs, as its targets need to know.
    `clock` gives seconds that only ever grow."""

    ledger: Ledger
    histories: Histories = field(kw_only=True)
    targets: Targets
    survey: Callable[[Target], Survey]
    compare: Callable[[Target, str | None, str | None], Comparison] = field(kw_only=True)
    """A page of a target's comparison: from a cursor on, and in whose name to mend (None: to tell only)."""
    lobby_account: AccountId
    lobby_region: Region
    clock: Callable[[], float] = time.monotonic


def services_of(settings: Settings) -> Services:
    client, clients = lambda_client(settings.lobby_region), LobbyClients()
    ledger, bucket = Ledger(settings.lobby_region), notary_bucket(settings.lobby_account, settings.lobby_region)
    return Services(
        ledger=ledger,
        histories=Histories(ledger, Anchors(lambda: clients.s3, bucket)),
        targets=Targets(new_external_id),
        survey=lambda target: run_survey(client(), settings.surveyor, target),
        compare=lambda target, cursor, mender: compare(client(), settings.reconciler, target, cursor, mender),
        lobby_account=settings.lobby_account,
        lobby_region=settings.lobby_region,
    )


def new_external_id() -> str:
    """128 random bits in hex: nothing in it that a shell or a command line could take for its own."""
    return secrets.token_hex(16)


def setup_command(
    of: RegisteredTarget, registered: Sequence[RegisteredTarget], lobby_account: AccountId, lobby_region: Region
) -> str:
    """What the owner of the target account runs, word for word. The role is one per account, so it is left to
    the stack of the Region that was `registered` first."""
    siblings = [other for other in registered if other.target.account == of.target.account]
    first = min([*siblings, of], key=lambda other: (other.createdat, other.target.region))
    words = [
        "./deploy.sh target",
        f"--account {of.target.account}",
        f"--region {of.target.region}",
        f"--external-id {of.externalid}",
        f"--lobby-account {lobby_account}",
        f"--lobby-region {lobby_region}",
    ]
    if of.profiles != (DEFAULT_PROFILE,):
        words.append(f"--profiles {','.join(of.profiles)}")
    if first.target != of.target:
        words.append("--without-role")
    return " ".join(words)
