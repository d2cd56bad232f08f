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
    "e2e/test_e2e_console_technician.py": ("test_scanning_a_badly_visible_label_claims_its_device",),
    "e2e/test_e2e_demo.py": (
        "test_a_demo_in_a_locked_state_without_a_deployment_is_refused",
        "test_the_demo_prints_every_step_with_its_duration_and_succeeds[registration]",
    ),
    "e2e/test_e2e_device_faults.py": ("test_a_device_arrives_after_a_power_cut_while_storing_its_route[write]",),
    "e2e/test_e2e_emulator_kill.py": (),
    "e2e/test_e2e_enrolments.py": (),
    "e2e/test_e2e_events.py": ("test_each_transition_of_an_onboarding_is_published",),
    "e2e/test_e2e_examples.py": (),
    "e2e/test_e2e_first_deployment.py": (),
    "e2e/test_e2e_foreign_page.py": ("test_a_page_of_another_origin_opens_no_websocket",),
    "e2e/test_e2e_forged_arrivals.py": (),
    "e2e/test_e2e_fuzz.py": (
        "test_a_request_for_another_host_is_refused",
        "test_an_attack_is_refused_without_an_aws_call",
    ),
    "e2e/test_e2e_hello_content.py": ("test_any_payload_counts_as_at_most_one_hello[binary]",),
    "e2e/test_e2e_histories.py": ("test_each_tampering_is_found_with_its_entry_and_raises_the_alarm",),
    "e2e/test_e2e_hostile.py": (
        "test_a_certificate_that_tls_refuses_leaves_no_row[one row for each code]",
        "test_each_certificate_that_tls_accepts_has_a_row_with_its_reason[one row for each code]",
        "test_no_hostile_certificate_is_ever_active[one row for each code]",
    ),
    "e2e/test_e2e_isolation.py": (
        "test_a_device_connects_with_its_own_client_id_and_no_other[lobby-clean]",
        "test_a_device_publishes_on_its_own_topics_and_no_others[target as default]",
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
    "e2e/test_e2e_revoked.py": (
        "test_a_device_revoked_in_any_state_is_refused_everywhere[arrived]",
        "test_revoking_a_device_closes_its_connection[lobby]",
    ),
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
        "infra/test_lobby_",
        "infra/test_permissions.py",
        "infra/test_resource_policies.py",
        "infra/test_role_stack.py",
        "infra/test_rule_packs.py",
        "infra/test_target_",
        "infra/test_vending_route.py",
    ),
}
"""What files share that takes seconds to create → the beginnings of their names. One worker runs all of them."""

LONGEST_FIRST: Final = ("one deployment", "one emulator", "one synthesis", "infra/test_bundles.py")
"""Groups and files in the order in which they start, the longest first. All others follow."""

_VARIANTS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    # The rule or page is tested with one variant in the default tier. The others need seconds each.
    "bench/test_cold_imports.py": {
        "test_a_handler_does_not_import_modules_it_does_not_need": (
            "commissioner.lambdas.surveyor",
            "lobby.arrivals",
        ),
    },
    "functional/admin_api/test_api_costs.py": {
        "test_the_largest_valid_request_has_bounded_cost": (),
    },
    "functional/admin_api/test_api_fuzz.py": {
        "test_any_document_gets_a_response_that_leaks_nothing": ("admin",),
    },
    "functional/commissioner/test_campaign_faults.py": {
        "test_two_feeders_at_once_record_each_page_once": (),
    },
    "functional/commissioner/test_campaign_feeder.py": {
        "test_a_campaign_stops_above_its_failure_rate": (),
        "test_pages_are_fed_while_the_lane_has_room": (),
        "test_a_pause_takes_effect_after_the_page_in_progress": (),
        "test_a_run_ends_after_its_slice_and_hands_over": (),
        "test_the_canary_must_arrive_before_the_other_devices_are_changed": (),
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
    "functional/device/test_device_provisioning.py": {
        "test_unusable_settings_end_with_status_2_before_any_connection": ("portable",),
    },
    "functional/pki/test_pki_tokens.py": {
        "test_a_ca_in_a_token_signs_devices_and_lists": (
            "ec-p384",
            "rsa-2048",
        ),
        "test_a_missing_token_or_key_is_reported": (),
    },
    "infra/local/test_local_durability.py": {
        "test_rows_streams_and_endpoints_survive_a_restart": ("stopped",),
    },
    "infra/local/test_local_ledger_upgrade.py": {
        "test_a_history_without_anchors_is_anchored_once": (),
    },
    "infra/local/test_local_role_upgrade.py": {
        "test_the_role_moves_to_its_own_stack_and_exists_all_the_time": (),
    },
    "infra/local/test_local_registry_lookups.py": {
        "test_only_a_device_that_the_lobby_waits_for_is_reported": (),
    },
    "infra/local/test_local_topic_rules.py": {
        "test_a_rule_needs_a_permission_and_failures_reach_the_destination": (),
    },
    "infra/local/test_local_role_principals.py": {
        "test_a_new_role_of_the_same_name_is_trusted_only_by_a_condition": (),
    },
    "infra/local/test_local_teardown.py": {
        "test_a_removal_can_be_repeated_after_its_end": (),
        "test_removing_a_stack_of_an_earlier_version_keeps_the_role_of_other_regions": (),
        "test_a_stack_whose_policy_is_attached_cannot_be_deleted_and_names_it": (),
        "test_kept_devices_keep_their_policies_in_the_stack": (),
        "test_the_role_stays_for_the_other_regions_of_the_account": (),
    },
    "infra/local/test_local_transport.py": {
        "test_a_queue_that_requires_encryption_receives_messages_of_callers_and_devices": (),
    },
    "infra/test_archive.py": {
        "test_the_rule_packs_find_nothing_and_every_suppression_is_needed": (),
    },
    "infra/test_lobby_ids.py": {
        "test_lobbies_with_different_ids_share_no_name": (),
    },
    "infra/test_bundles.py": {
        "test_the_same_inputs_give_the_same_bytes_and_are_built_once": (),
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
        "test_a_checkout_reached_through_a_link_keeps_its_environment": (),
        "test_a_failed_installation_does_not_discard_the_environment": (),
        "test_set_ups_at_the_same_time_install_once": (),
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
    "functional/pki/test_pki_hostile_answers.py",
    "functional/pki/test_pki_tokens.py",
    "functional/test_v01_faults.py",
    "unit/pki/test_pki_crash.py",
    "unit/pki/test_pki_labels.py",
)
"""Not in the fast tier."""
