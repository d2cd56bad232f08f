"""Input of the API's fuzz tests: values that exist in the lobby, and the documented error codes."""

from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest
from lobby.text.label import encode_label
from tests.documented_codes import documented_codes
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby
from tests.functional.admin_api.graphql_fuzz import KnownValues
from tests.operations import CODE

EXPECTED_CODES = documented_codes()


def known_values(lobby: Lobby) -> KnownValues:
    """Return values that exist: devices in several states, targets, a cursor, times."""
    waiting, claimed, revoked = lobby.waiting(1), lobby.waiting(2), lobby.waiting(3)
    lobby.ledger.claim(claimed, ClaimRequest(HERE), "user:bob")
    lobby.ledger.revoke(revoked, "lost", "user:bob")
    proving = lobby.proving(4)
    page = lobby.ask("{ devices(first: 1) { pageInfo { endCursor } } }").data["devices"]["pageInfo"]["endCursor"]
    certids = (waiting, claimed, revoked, proving, encode_label(waiting), "AB:" * 31 + "AB", "f" * 64)
    accounts, regions = (HERE.account, THERE.account, "999999999999"), (HERE.region, THERE.region, "eu-central-1")
    return {
        **dict.fromkeys(("certid", "certids"), certids),
        **dict.fromkeys(("account", "targetaccount"), accounts),
        **dict.fromkeys(("region", "targetregion"), regions),
        **dict.fromkeys(("state", "devstate"), tuple(State)),
        **dict.fromkeys(("after", "nextToken"), (page, page[::-1], "")),
        "profile": ("default", "camera"),
        "profiles": ("default", "camera"),
        "name": ("Berlin",),
        "why": ("stolen",),
        "code": (CODE, "99999999"),
        "namePrefix": ("thing", "th", "thing-002"),
        "fingerprintPrefix": ("0000", "00:00:00"),
        "reason": ("REVOKED", "TARGET_LIMIT"),
        "enteredBefore": ("2036-11-22T07:42:28Z", "0001-01-01T00:00:00+00:00"),
    }
