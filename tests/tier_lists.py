"""Tests that the fast or the default tier omits although their modules are in it: variants of other tests. A name is a
file, a test, or one of its parameters, as in `-k` of pytest but exact. The lists are in one place instead of marks in
the modules, so that a tier can be measured and shortened: `./test.sh --durations=50`. A test checks that every name
matches a test, so that a renamed test does not return to a tier unnoticed.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import pytest

_VARIANTS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    # The rule or page is tested with one variant in the default tier. The others need seconds each.
    "bench/test_cold_imports.py": {
        "test_a_handler_does_not_import_modules_it_does_not_need": (
            "commissioner.lambdas.surveyor",
            "lobby.arrivals",
        ),
    },
    "e2e/test_e2e_console_access.py": {
        "test_a_wrong_password_is_rejected": (),
        "test_each_role_starts_on_its_page_with_its_navigation": (
            "operator",
            "viewer",
        ),
    },
    "e2e/test_e2e_console_operator.py": {
        "test_a_devices_page_offers_the_actions_of_the_role": ("operator-actions1",),
    },
    "e2e/test_e2e_device_faults.py": {
        "test_a_device_arrives_after_a_power_cut_while_storing_its_route": ("rename",),
        "test_a_device_with_a_corrupt_route_file_onboards_again": (),
    },
    "e2e/test_e2e_foreign_page.py": {
        "test_a_form_of_another_origin_has_no_effect": (),
        "test_a_page_of_another_origin_has_no_effect": ("localhost",),
    },
    "e2e/test_e2e_isolation.py": {
        "test_a_device_publishes_on_its_own_topics_and_no_others": ("lobby",),
        "test_a_device_subscribes_to_its_own_topics_and_no_others": ("lobby",),
    },
    "e2e/test_e2e_lobbyctl.py": {
        "test_a_role_limits_what_a_user_sees_and_may_claim": (),
        "test_a_user_signs_in_at_the_pools_own_page_and_signs_out": (),
    },
    "e2e/test_e2e_moving.py": {
        "test_a_released_device_waits_in_the_lobby_and_can_be_claimed_again": (),
    },
    "e2e/test_e2e_presence.py": {
        "test_a_v01_device_gets_no_unknown_message_and_the_operator_sees_why_it_waits": (),
        "test_five_wrong_codes_end_a_claim_and_the_right_code_is_refused": (),
    },
    "e2e/test_e2e_reconcile.py": {
        "test_the_daily_reconciliation_compares_every_target": (),
    },
    "e2e/test_e2e_refused.py": {
        "test_a_refused_device_is_admitted_after_the_repair_and_a_retry": (),
        "test_a_second_certificate_with_the_same_name_is_refused_and_the_first_stays_active": (),
    },
    "e2e/test_e2e_revoked.py": {
        "test_a_device_revoked_in_any_state_is_refused_everywhere": ("expected",),
    },
    "e2e/test_e2e_tokens.py": {
        "test_the_gateway_alone_accepts_no_forged_token": (),
    },
    "functional/admin_api/test_api_costs.py": {
        "test_the_largest_valid_request_has_bounded_cost": (),
    },
    "functional/admin_api/test_api_fuzz.py": {
        "test_any_document_gets_a_response_that_leaks_nothing": ("admin",),
    },
    "functional/commissioner/test_profiles.py": {
        "test_an_interruption_before_any_call_does_not_change_the_thing": (
            "gateway_to_camera",
            "gateway_to_default",
        ),
    },
    "functional/device/test_device_broken_brokers.py": {
        "test_an_unresponsive_broker_is_disconnected_and_retried": (
            "a frozen connection",
            "an endless message",
        ),
    },
    "functional/pki/test_pki_tokens.py": {
        "test_a_ca_in_a_token_signs_devices_and_lists": (
            "ec-p384",
            "rsa-2048",
        ),
    },
    "infra/local/test_local_durability.py": {
        "test_rows_streams_and_endpoints_survive_a_restart": ("stopped",),
    },
    "infra/test_bundles.py": {
        "test_a_handler_imports_from_its_bundle_and_the_runtime_only": (
            "arrivals",
            "bell",
            "bouncer",
            "connections",
            "express",
            "inspector",
            "marker",
            "notary",
            "surveyor",
            "sweeper",
        ),
    },
    "infra/test_packaging.py": {
        "test_each_command_runs_from_any_folder_and_through_a_link": (
            "lobby-device",
            "lobby-pki",
        ),
    },
    "infra/test_rule_packs.py": {
        "test_cfn_lint_finds_nothing": ("local_stacks",),
    },
    "infra/test_setup_repair.py": {
        "test_a_damaged_environment_is_created_again": (
            "bin/python",
            "lib",
        ),
        "test_a_removed_package_is_installed_again": ("package-1.0.dist-info",),
    },
    "simulation/test_fault_injector.py": {
        "test_a_step_that_is_not_idempotent_is_detected": (),
    },
    "simulation/test_fault_matrix.py": {
        "test_a_killed_process_or_a_lost_response_does_not_change_the_outcome": (
            "release",
            "revocation of an arrived device",
        ),
    },
}
"""File → test → its parameters; all of the test if there are none."""

FULL: Final = tuple(
    f"{file}::{test}{parameter}"
    for file, tests in _VARIANTS.items()
    for test, parameters in tests.items()
    for parameter in [f"[{each}]" for each in parameters] or [""]
)
"""Only in the full tier."""

SLOW: Final = (
    # Their modules create an AWS, a command or a certificate for each of many tests.
    "bench/test_cold_imports.py",
    "functional/admin_api/test_api_costs.py",
    "functional/admin_api/test_api_fuzz.py",
    "functional/admin_api/test_api_lists.py",
    "functional/admin_api/test_api_presence.py",
    "functional/admin_api/test_api_roles.py",
    "functional/admin_api/test_cli_bulk_changes.py",
    "functional/admin_api/test_cli_changing.py",
    "functional/admin_api/test_cli_claim_lists.py",
    "functional/admin_api/test_cli_claiming.py",
    "functional/admin_api/test_cli_connection.py",
    "functional/admin_api/test_cli_enrolments.py",
    "functional/admin_api/test_cli_hostile_servers.py",
    "functional/admin_api/test_cli_presence.py",
    "functional/admin_api/test_cli_views.py",
    "functional/admin_api/test_list_totals.py",
    "functional/commissioner/test_interruptions.py",
    "functional/commissioner/test_lane_announcements.py",
    "functional/commissioner/test_lane_handover.py",
    "functional/commissioner/test_lane_worker.py",
    "functional/commissioner/test_profiles.py",
    "functional/commissioner/test_reconciler.py",
    "functional/commissioner/test_reconciliation.py",
    "functional/commissioner/test_target_comparison.py",
    "functional/commissioner/test_target_failures.py",
    "functional/device/test_device_broken_brokers.py",
    "functional/device/test_device_command.py",
    "functional/device/test_device_credential_files.py",
    "functional/device/test_device_over_tls.py",
    "functional/lobby/doors/test_registration_hostile.py",
    "functional/lobby/ledger/test_counts.py",
    "functional/lobby/ledger/test_listing.py",
    "functional/pki/test_pki_command_line.py",
    "functional/pki/test_pki_tokens.py",
    "functional/test_v01_faults.py",
    "unit/pki/test_pki_crash.py",
    "unit/pki/test_pki_labels.py",
)
"""Not in the fast tier."""


def mark(items: Iterable[pytest.Item], root: str = "tests/") -> None:
    """Mark the listed tests."""
    by_name: dict[str, list[pytest.Item]] = {}
    for item in items:
        for name in names_of(item.nodeid.removeprefix(root)):
            by_name.setdefault(name, []).append(item)
    for listed, added in ((FULL, pytest.mark.full), (SLOW, pytest.mark.slow)):
        for name in listed:
            for item in by_name.get(name, ()):
                item.add_marker(added)


def names_of(nodeid: str) -> Sequence[str]:
    """Return the names that match a test: its file, the test, and the test with its parameters."""
    file, _, test = nodeid.partition("::")
    function, bracket, _ = test.partition("[")
    return (file, f"{file}::{function}", f"{file}::{test}") if bracket else (file, f"{file}::{function}")
