"""Which tests the default and the fast tier omit, and which files run first and together. A name is a file, a test, or
one of its parameters, as in `-k` of pytest but exact. The lists are in one place instead of marks in the modules, so
that a tier can be measured and shortened: `./test.sh --durations=50`. A test checks that every name matches a test, so
that a renamed test does not return to a tier unnoticed. `tiers.py` applies the lists.
"""

from typing import Final

JOURNEYS: Final[dict[str, tuple[str, ...]]] = {
    "e2e/test_e2e_api.py": (
        "test_a_malformed_claim_changes_nothing",
        "test_a_technician_claims_for_their_own_target_only",
        "test_a_wrong_password_is_refused",
    ),
    "e2e/test_e2e_bundle.py": (),
    "e2e/test_e2e_campaigns.py": ("test_another_user_approves_a_revocation",),
    "e2e/test_e2e_claim_door.py": (
        "test_a_claim_certificate_can_do_nothing_else",
        "test_a_device_joins_by_claim_and_gets_its_route",
    ),
    "e2e/test_e2e_clones.py": (),
    "e2e/test_e2e_connections.py": (),
    "e2e/test_e2e_console_access.py": (
        "test_each_role_starts_on_its_page_with_its_navigation[admin]",
        "test_the_page_has_one_origin_and_its_files_are_cached_long",
    ),
    "e2e/test_e2e_console_browsers.py": (),
    "e2e/test_e2e_console_campaigns.py": (),
    "e2e/test_e2e_console_operator.py": (),
    "e2e/test_e2e_console_technician.py": (),
    "e2e/test_e2e_demo.py": ("test_the_demo_prints_every_step_with_its_duration_and_succeeds[registration]",),
    "e2e/test_e2e_device_faults.py": (),
    "e2e/test_e2e_emulator_kill.py": (),
    "e2e/test_e2e_enrolments.py": (),
    "e2e/test_e2e_events.py": ("test_each_transition_of_an_onboarding_is_published",),
    "e2e/test_e2e_examples.py": (),
    "e2e/test_e2e_first_deployment.py": (),
    "e2e/test_e2e_foreign_page.py": (),
    "e2e/test_e2e_forged_arrivals.py": (),
    "e2e/test_e2e_fuzz.py": (
        "test_a_request_for_another_host_is_refused",
        "test_an_attack_is_refused_without_an_aws_call",
    ),
    "e2e/test_e2e_hello_content.py": ("test_any_payload_counts_as_at_most_one_hello[binary]",),
    "e2e/test_e2e_histories.py": (),
    "e2e/test_e2e_hostile.py": (
        "test_a_certificate_that_tls_refuses_leaves_no_row[one row for each code]",
        "test_each_certificate_that_tls_accepts_has_a_row_with_its_reason[one row for each code]",
        "test_no_hostile_certificate_is_ever_active[one row for each code]",
    ),
    "e2e/test_e2e_isolation.py": (
        "test_a_device_connects_with_its_own_client_id_and_no_other[lobby-clean]",
        "test_a_device_publishes_on_its_own_topics_and_no_others[lobby]",
    ),
    "e2e/test_e2e_lobbyctl.py": (),
    "e2e/test_e2e_moving.py": ("test_a_moved_device_receives_a_reset_message_and_arrives_in_its_new_target",),
    "e2e/test_e2e_onboarding.py": (
        "test_a_device_claimed_before_its_first_connection_arrives_when_it_is_powered_on",
        "test_a_new_device_is_claimed_by_its_label_and_arrives",
        "test_a_v01_device_onboards_unchanged_and_obeys_a_reset_message",
    ),
    "e2e/test_e2e_own_ca.py": (),
    "e2e/test_e2e_permissions.py": (),
    "e2e/test_e2e_presence.py": ("test_a_claimed_device_is_not_commissioned_until_its_code_is_confirmed",),
    "e2e/test_e2e_rebuild.py": (),
    "e2e/test_e2e_reconcile.py": (),
    "e2e/test_e2e_redrive.py": (),
    "e2e/test_e2e_refused.py": ("test_a_certificate_that_its_ca_has_revoked_is_refused",),
    "e2e/test_e2e_regions.py": (),
    "e2e/test_e2e_renewal.py": ("test_a_device_in_its_target_renews_its_certificate_and_the_old_one_is_retired",),
    "e2e/test_e2e_restart.py": (),
    "e2e/test_e2e_revoked.py": ("test_a_device_revoked_in_any_state_is_refused_everywhere[arrived]",),
    "e2e/test_e2e_runbooks.py": (),
    "e2e/test_e2e_standby.py": (),
    "e2e/test_e2e_strict.py": ("test_every_device_arrives_under_quotas_delays_and_disorder",),
    "e2e/test_e2e_target_repair.py": ("test_a_role_that_does_not_trust_the_lobby_is_reported",),
    "e2e/test_e2e_tokens.py": (
        "test_every_operation_of_the_deployed_schema_has_a_row",
        "test_real_tokens_for_another_pool_or_client_are_refused_by_both",
    ),
    "e2e/test_e2e_two_lobbies.py": (),
    "e2e/test_e2e_vending.py": ("test_a_device_with_curl_and_openssl_only_is_onboarded",),
    "e2e/test_e2e_webhooks.py": (),
}
"""End-to-end test file → its tests in the default tier, in short journeys of the main features. All others are only in
the full tier. Every file is listed."""

GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "one deployment": ("e2e/",),
    "one emulator": ("infra/local/",),
    "one synthesis": (
        "infra/test_alarms.py",
        "infra/test_archive.py",
        "infra/test_claim_door.py",
        "infra/test_cloud_commands.py",
        "infra/test_front_door.py",
        "infra/test_index_upgrade.py",
        "infra/test_lobby_",
        "infra/test_permissions.py",
        "infra/test_resource_policies.py",
        "infra/test_role_stack.py",
        "infra/test_rule_packs.py",
        "infra/test_signing_keys.py",
        "infra/test_target_",
        "infra/test_vending_route.py",
    ),
}
"""What files share that takes seconds to create → the beginnings of their names. One worker runs all of them."""

LONGEST_FIRST: Final = ("one deployment", "one emulator", "one synthesis", "infra/test_bundles.py")
"""Groups and files in the order in which they start, the longest first. All others follow."""

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
    "functional/pki/test_pki_hostile_answers.py",
    "functional/pki/test_pki_tokens.py",
    "functional/test_v01_faults.py",
    "unit/pki/test_pki_crash.py",
    "unit/pki/test_pki_labels.py",
)
"""Not in the fast tier."""
