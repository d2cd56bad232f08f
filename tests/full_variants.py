"""Tests that only the full tier runs, because a simpler test shows the same in the default tier. Each takes seconds of
CPU time. Tables of many small tests are in `thinned_tables.py` instead. A name is a test or one of its parameters.
`tiers.py` applies the list.
"""

from typing import Final

_VARIANTS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    # The rule or page is tested with one variant in the default tier. The others need seconds each.
    "bench/test_cold_imports.py": {
        "test_a_handler_does_not_import_modules_it_does_not_need": (
            "commissioner.lambdas.surveyor",
            "lobby.arrivals",
        ),
    },
    "functional/admin_api/test_api_activity.py": {
        "test_what_a_user_did_is_found_behind_the_thousand_devices_of_a_campaign": (),
    },
    "functional/admin_api/test_api_costs.py": {
        "test_the_largest_valid_request_has_bounded_cost": (),
    },
    "functional/admin_api/test_api_fuzz.py": {
        "test_any_document_gets_a_response_that_leaks_nothing": ("admin",),
    },
    "functional/admin_api/test_cli_campaigns.py": {
        "test_a_campaign_quarantines_devices_and_another_lifts_the_quarantine": (),
        "test_a_long_list_is_sent_in_parts_and_an_interrupted_command_continues": (),
    },
    "functional/admin_api/test_cli_claim_lists.py": {
        "test_a_lost_connection_leaves_the_remaining_rows_not_tried": (),
    },
    "functional/admin_api/test_cli_enrolments.py": {
        "test_an_enrolment_with_a_list_is_active_when_the_list_is_complete": (),
    },
    "functional/admin_api/test_cli_standbys.py": {
        "test_a_drill_whose_campaign_is_stopped_returns_the_devices": (),
        "test_a_drill_names_the_devices_that_did_not_arrive": (),
    },
    "functional/commissioner/test_campaign_faults.py": {
        "test_a_call_that_fails_once_changes_no_result": (),
        "test_two_concurrent_feeders_record_each_page_once": (),
    },
    "functional/commissioner/test_campaign_feeder.py": {
        "test_a_cancelled_campaign_changes_no_further_device_and_follows_those_that_it_has_changed": (),
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
    "infra/test_target_templates.py": {
        "test_the_template_is_valid_in_every_region": (),
    },
    "simulation/test_door_faults.py": {
        "test_no_fault_at_the_vending_door_loses_a_device_or_a_use_of_its_token": (),
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
    "simulation/test_renewal_faults.py": {
        "test_a_renewer_that_is_killed_at_any_call_renews_in_the_end": (),
    },
    "unit/device/test_device_messages.py": {
        "test_the_route_after_a_flood_of_invalid_messages_is_followed": (),
    },
    "unit/lobby/ledger/test_region_of_commands.py": {
        "test_aws_region_is_enough": (),
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
