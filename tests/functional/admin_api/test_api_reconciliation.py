"""`reconcileTarget` and `repairTarget`."""

from lobby.contracts.targets import Comparison, ReportedDifference
from tests.functional.admin_api.api_on_moto import HERE, Lobby, at, fingerprint

RECONCILE = """
query($account: String!, $region: String!, $after: String) {
  reconcileTarget(account: $account, region: $region, after: $after) {
    account region compared next differences { certid devicename code message repair repaired }
  }
}"""
REPAIR = RECONCILE.replace("query", "mutation").replace("reconcileTarget", "repairTarget")
ORPHAN = ReportedDifference(fingerprint(7), "thing-007", "ORPHANED", "got it, want it not", "deactivate", False)


def test_a_comparison_returns_pages_and_repairs_nothing(lobby: Lobby) -> None:
    lobby.comparisons[HERE, None] = Comparison(3, (ORPHAN,), "more")
    assert lobby.ask(RECONCILE, at(HERE)).data["reconcileTarget"] == {
        **at(HERE),
        "compared": 3,
        "next": "more",
        "differences": [
            {
                "certid": ORPHAN.certid,
                "devicename": "thing-007",
                "code": "ORPHANED",
                "message": ORPHAN.message,
                "repair": "deactivate",
                "repaired": False,
            }
        ],
    }
    assert lobby.ask(RECONCILE, at(HERE) | {"after": "more"}).data["reconcileTarget"]["next"] is None
    assert lobby.compared == [(HERE, None, None), (HERE, "more", None)]


def test_repairs_are_made_as_the_caller(lobby: Lobby) -> None:
    lobby.ask(REPAIR, at(HERE))
    assert lobby.compared == [(HERE, None, "user:alice")]


def test_a_target_that_is_not_registered_is_not_compared(lobby: Lobby) -> None:
    assert lobby.ask(RECONCILE, at("333333333333/eu-west-1")).code == "UNKNOWN_TARGET"
    assert lobby.compared == []


def test_a_request_compares_at_most_one_page(lobby: Lobby) -> None:
    page = f'reconcileTarget(account: "{HERE.account}", region: "{HERE.region}") {{ compared }}'
    assert lobby.ask(f"{{ a: {page} b: {page} }}").codes == ["INVALID_COUNT"]
    assert len(lobby.compared) == 1
