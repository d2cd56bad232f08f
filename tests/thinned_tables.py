"""Tables from which the default tier runs only a sample: every n-th row, from the first on. The full tier runs all
rows.

A table is listed here if its rows show the same behaviour for many inputs and take more than a second in total. If a
test has several parameters, choose an n that has no divisor in common with their numbers of values: the sample then
holds every value.
"""

from typing import Final

_TABLES: Final[dict[str, dict[str, int]]] = {
    "bench/test_cold_imports.py": {
        "test_a_handler_does_not_import_modules_it_does_not_need": 3,
    },
    "functional/admin_api/test_api_activity.py": {
        "test_entries_are_found_by_each_condition": 3,
        "test_entries_are_found_by_actor_and_kind": 3,
        "test_invalid_conditions_are_refused": 3,
    },
    "functional/admin_api/test_api_bulk.py": {
        "test_an_error_in_the_common_arguments_rejects_the_request": 3,
    },
    "functional/admin_api/test_api_bulk_change_errors.py": {
        "test_an_error_in_the_change_rejects_preview_and_change": 3,
    },
    "functional/admin_api/test_api_bulk_changes.py": {
        "test_only_roles_that_may_change_one_device_may_change_many": 3,
    },
    "functional/admin_api/test_api_campaigns.py": {
        "test_invalid_input_creates_nothing": 3,
    },
    "functional/admin_api/test_api_costs.py": {
        "test_an_attack_is_rejected_without_aws_calls_and_cheaply": 7,
    },
    "functional/admin_api/test_api_cursors.py": {
        "test_a_forged_cursor_is_rejected": 4,
    },
    "functional/admin_api/test_api_enrolments.py": {
        "test_wrong_input_is_rejected_and_changes_nothing": 3,
    },
    "functional/admin_api/test_api_fuzz.py": {
        "test_request_headers_do_not_change_the_sign_in_document": 5,
    },
    "functional/admin_api/test_api_histories.py": {
        "test_tampering_is_reported_with_the_entry": 3,
    },
    "functional/admin_api/test_api_lists.py": {
        "test_a_filter_returns_the_devices_that_match_every_field": 5,
        "test_a_malformed_filter_is_rejected": 4,
    },
    "functional/admin_api/test_api_operations.py": {
        "test_an_invalid_claim_changes_nothing": 3,
    },
    "functional/admin_api/test_api_pages.py": {
        "test_a_path_that_is_not_listed_is_not_found": 5,
    },
    "functional/admin_api/test_api_presence.py": {
        "test_a_malformed_code_is_not_an_attempt_and_is_not_quoted": 4,
    },
    "functional/admin_api/test_api_roles.py": {
        "test_a_role_permits_its_operations_and_no_others": 11,
        "test_no_document_lets_a_technician_claim_for_another_target": 3,
        "test_an_invalid_token_is_rejected_without_effect": 4,
        "test_a_technician_can_claim_only_for_named_targets": 2,
    },
    "functional/admin_api/test_api_web.py": {
        "test_an_invalid_or_too_large_query_is_rejected": 4,
        "test_no_setting_disables_authentication": 5,
    },
    "functional/admin_api/test_cli_bundle.py": {
        "test_an_interrupted_command_is_reported_and_continues_with_the_same_certificate": 3,
        "test_wrong_options_change_nothing": 3,
    },
    "functional/admin_api/test_cli_claim_certificates.py": {
        "test_wrong_options_change_nothing": 3,
    },
    "functional/admin_api/test_cli_claiming.py": {
        "test_a_refused_claim_has_a_reason_and_changes_nothing": 3,
    },
    "functional/admin_api/test_cli_enrolments.py": {
        "test_wrong_use_is_rejected": 3,
    },
    "functional/admin_api/test_cli_hostile_servers.py": {
        "test_a_response_of_another_server_ends_a_command_with_an_error": 3,
        "test_a_hostile_user_pool_is_refused": 3,
    },
    "functional/admin_api/test_cli_time_limit.py": {
        "test_a_response_without_end_is_aborted": 3,
    },
    "functional/admin_api/test_cli_views.py": {
        "test_filters_select_devices": 3,
    },
    "functional/admin_api/test_comparisons.py": {
        "test_only_a_complete_comparison_without_differences_is_a_success": 3,
    },
    "functional/admin_api/test_list_totals.py": {
        "test_a_page_has_the_number_of_all_matching_devices_or_null": 3,
    },
    "functional/commissioner/test_campaign_faults.py": {
        "test_a_call_that_fails_once_changes_no_result": 3,
        "test_a_feeder_that_is_killed_at_any_call_loses_and_repeats_nothing": 2,
    },
    "functional/commissioner/test_interruptions.py": {
        "test_an_interruption_after_any_call_does_not_change_the_outcome": 7,
    },
    "functional/commissioner/test_standby_comparison.py": {
        "test_a_difference_is_reported_and_repaired_on_request": 2,
    },
    "functional/commissioner/test_standby_drills.py": {
        "test_a_share_is_more_than_nothing_and_at_most_all": 2,
    },
    "functional/commissioner/test_standby_interruptions.py": {
        "test_an_interruption_after_any_call_does_not_change_the_outcome": 11,
    },
    "functional/commissioner/test_reconciliation.py": {
        "test_permitted_repairs_are_made_and_everything_else_is_left_unchanged": 3,
        "test_each_difference_is_reported_and_nothing_is_changed": 3,
    },
    "functional/commissioner/test_surveyor.py": {
        "test_a_missing_permission_is_named": 4,
        "test_a_failed_check_is_not_reported_as_missing": 3,
    },
    "functional/commissioner/test_target_comparison.py": {
        "test_each_difference_is_found_and_nothing_is_changed": 3,
        "test_differences_in_lists_are_found_every_day": 3,
    },
    "functional/commissioner/test_target_failures.py": {
        "test_a_temporary_failure_is_handed_back_and_completes_later": 4,
        "test_a_permanent_refusal_becomes_the_reason_with_advice": 3,
    },
    "functional/device/test_device_broken_brokers.py": {
        "test_an_unresponsive_broker_is_disconnected_and_retried": 4,
        "test_the_route_after_a_hostile_packet_is_followed": 2,
    },
    "functional/device/test_device_over_tls.py": {
        "test_a_broker_that_does_not_answer_correctly_is_retried": 2,
    },
    "functional/lobby/doors/test_allocations.py": {
        "test_an_interrupted_admission_is_completed_and_counted_once": 3,
    },
    "functional/lobby/doors/test_provisioning.py": {
        "test_a_hostile_serial_number_is_denied": 3,
    },
    "functional/lobby/doors/test_registration_hostile.py": {
        "test_a_hostile_certificate_is_never_active_and_has_a_row_with_the_reason": 7,
    },
    "functional/lobby/doors/test_registration_queue.py": {
        "test_an_attempt_whose_time_cannot_be_right_is_examined_again": 4,
        "test_an_unreadable_message_is_handed_over_immediately_and_blocks_no_other": 2,
    },
    "functional/lobby/doors/test_registration_retries.py": {
        "test_an_interrupted_admission_is_completed_by_a_retry": 3,
        "test_an_interrupted_refusal_is_completed_by_a_retry": 3,
    },
    "functional/lobby/doors/test_vending_requests.py": {
        "test_an_interrupted_request_is_completed_by_the_next_one": 3,
        "test_a_call_that_fails_leaves_nothing_active_without_a_row_and_is_repeated": 3,
    },
    "functional/lobby/ledger/test_bulk.py": {
        "test_a_thousand_take_thirty_two_calls": 2,
    },
    "functional/lobby/ledger/lists/test_listing.py": {
        "test_all_pages_together_contain_each_device_once": 11,
        "test_the_oldest_come_first_on_request_with_as_many_queries": 5,
    },
    "functional/pki/test_pki_command_line.py": {
        "test_a_failure_is_one_line_and_changes_nothing": 3,
    },
    "functional/pki/test_pki_hostile_answers.py": {
        "test_a_network_that_changes_after_the_first_answer_is_reported": 2,
        "test_an_answer_that_is_not_of_aws_is_reported_in_one_line": 5,
    },
    "functional/pki/test_pki_kills.py": {
        "test_a_command_that_was_killed_anywhere_can_be_repeated": 4,
    },
    "infra/local/test_local_certificate_requests.py": {
        "test_a_wrong_request_is_rejected": 2,
    },
    "infra/local/test_local_endpoints.py": {
        "test_a_client_without_the_endpoints_name_as_sni_is_refused": 5,
        "test_the_port_that_stands_for_443_needs_alpn": 3,
    },
    "infra/local/test_local_managed_login.py": {
        "test_a_session_does_not_bypass_the_checks_of_the_page": 5,
    },
    "infra/local/test_local_subscriptions.py": {
        "test_a_wrong_token_or_topic_confirms_nothing": 2,
    },
    "infra/local/test_local_managed_login_tokens.py": {
        "test_a_revoked_refresh_token_is_refused": 2,
        "test_a_code_is_valid_only_for_the_request_that_it_answers": 3,
        "test_an_invalid_refresh_token_is_refused": 3,
    },
    "infra/local/test_local_request_guard.py": {
        "test_a_client_with_another_secret_gets_an_error_of_the_service": 3,
        "test_no_response_has_cors_headers": 7,
    },
    "infra/local/test_local_request_signatures.py": {
        "test_a_client_with_the_secret_is_accepted_and_another_is_not": 4,
        "test_a_changed_body_is_refused": 3,
    },
    "infra/local/test_local_session.py": {
        "test_lobby_pki_reaches_the_local_cloud": 4,
        "test_the_local_session_reaches_the_local_cloud": 4,
    },
    "infra/test_bundles.py": {
        "test_a_handler_imports_from_its_bundle_and_the_runtime_only": 5,
    },
    "infra/test_deploy_help.py": {
        "test_each_command_names_deploy_sh": 5,
    },
    "infra/test_packaging.py": {
        "test_a_command_whose_packages_are_missing_names_the_extra": 3,
        "test_each_command_states_its_version": 3,
    },
    "infra/teardown/test_teardown_removal.py": {
        "test_a_removal_that_is_cut_off_anywhere_is_completed_by_a_repetition": 5,
    },
    "simulation/test_door_faults.py": {
        "test_no_fault_leaves_a_claim_certificate_that_differs_from_its_enrolment": 6,
    },
    "simulation/test_fault_matrix.py": {
        "test_a_killed_process_or_a_lost_response_does_not_change_the_outcome": 4,
    },
    "simulation/test_races.py": {
        "test_a_race_has_the_required_outcome_in_a_random_order": 4,
    },
    "simulation/test_region_faults.py": {
        "test_a_fault_of_any_call_does_not_change_the_outcome": 3,
    },
    "unit/device/test_device_failing_disk.py": {
        "test_corrupt_storage_is_logged_once_and_the_device_reaches_its_target": 5,
        "test_the_device_reaches_its_target_when_a_call_always_fails": 3,
    },
    "unit/device/test_device_faulty_brokers.py": {
        "test_a_faulty_target_makes_the_device_fall_back_to_the_lobby": 3,
        "test_a_lobby_repaired_after_hours_is_used_within_minutes": 3,
        "test_faulty_lobbies_are_tried_in_turn_at_a_limited_rate": 3,
        "test_in_a_loop_attempts_disk_writes_and_log_lines_are_limited": 3,
        "test_a_repaired_target_is_used_again": 4,
    },
    "unit/device/test_device_messages.py": {
        "test_thousands_of_resets_in_the_lobby_write_the_disk_once": 2,
    },
    "unit/device/test_provisioning_power_cuts.py": {
        "test_the_device_recovers_from_a_power_cut_at_every_call_of_the_disk": 2,
    },
    "unit/device/test_renewal_disk_errors.py": {
        "test_a_read_error_of_any_file_is_raised": 7,
    },
    "unit/pki/test_pki_labels.py": {
        "test_every_label_of_a_printed_pdf_is_readable": 4,
    },
}
"""File → table → n."""

THINNED: Final = {f"{file}::{table}": n for file, tables in _TABLES.items() for table, n in tables.items()}
"""Table → n: the default tier runs every n-th row, beginning with the first. The full tier runs all."""
