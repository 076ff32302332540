//! Firmware settings through BMCs.

use super::Requirement;

pub(super) const BMC: &[Requirement] = requirements! {
    F1 "A walk asks for what is needed, whatever the layout, and ends whatever a BMC answers."
        ["firmware::a_walk_asks_for_what_is_needed_and_nothing_else",
         "firmware::loops_of_links_end",
         "firmware::no_number_of_resources_is_too_much",
         "firmware::neither_many_bytes_nor_many_values_are_kept",
         "firmware::each_layout_of_a_tree_is_understood",
         "firmware::a_tree_reads_nothing_outside_itself"];
    F2 "Dependencies of a registry are evaluated as the standard has them; what is not known locks and frees nothing."
        ["firmware::each_condition_compares_as_the_standard_says",
         "firmware::conditions_are_joined_by_their_words_and_any_will_do_without",
         "firmware::properties_of_others_are_looked_at_and_circles_end",
         "firmware::values_force_others_until_they_are_settled"];
    F3 "Settings are known by what the registry lists, and values go back in the host's own words."
        ["firmware::suffixes_that_change_with_each_release_do_not_count_and_others_do",
         "firmware::a_value_goes_back_in_the_words_that_the_host_uses",
         "firmware::only_values_that_the_registry_lists_are_ever_sent",
         "firmware::an_unknown_vendor_is_read_by_what_people_read",
         "firmware::makers_that_were_not_recorded_are_known_by_their_names"];
    F4 "Recorded trees have the findings that are known of them, and nothing passes on nothing."
        ["firmware::the_recorded_poweredge_has_old_keys_an_old_dbx_and_secure_boot_off",
         "firmware::the_recorded_supermicro_has_csm_and_no_keys_and_lists_no_tpm",
         "firmware::the_recorded_gb200_has_a_test_key_at_its_factory",
         "firmware::the_recorded_proliant_has_fifo_both_banks_and_mended_tpm_firmware",
         "firmware::a_single_file_of_settings_is_read_and_no_plan_is_guessed",
         "firmware::the_founding_story_is_in_one_dell",
         "firmware::nothing_passes_on_nothing",
         "firmware::whatever_a_property_is_made_of_nothing_passes_that_did_not"];
    F5 "A plan changes in order what unlocks and what is locked, and explains what it cannot change."
        ["firmware::dell_with_the_tpm_off_takes_two_restarts_for_the_bank",
         "firmware::legacy_video_is_turned_off_before_secure_boot",
         "firmware::hpe_says_what_greys_a_setting_out",
         "firmware::txt_that_is_wanted_comes_after_the_bank_that_it_needs",
         "firmware::what_firmware_forces_is_told_and_what_it_undoes_is_no_change"];
    F6 "No plan makes an installed host unbootable, clears a TPM or offers keys that are not shown to be fit."
        ["firmware::the_founding_story_on_dell_is_explained_and_nothing_is_made_unbootable",
         "firmware::factory_keys_are_offered_only_where_they_are_shown_to_be_fit",
         "firmware::without_a_registry_no_attribute_is_changed"];
    F7 "A plan is the same each time, and can be taken back where that is possible."
        ["firmware::a_plan_is_the_same_each_time_and_survives_being_written_down",
         "firmware::a_switch_to_tpm_2_cannot_be_taken_back"];
    F8 "A BMC is known or it is not asked; a password goes to nobody else, is tried once and shown nowhere."
        ["redfish::a_bmc_is_known_by_its_authority_or_by_its_pin_and_by_nothing_else",
         "redfish::a_wrong_password_is_tried_once_and_shown_nowhere",
         "redfish::credentials_are_named_and_their_owners_alone",
         "redfish::a_broken_file_gives_nothing_of_itself_away",
         "cli::a_bmc_that_is_not_known_is_not_asked_and_a_file_that_others_read_is_not_used"];
    F9 "BMCs that hang, lie or break end in time, and hide no other."
        ["redfish::what_strikes_everywhere_is_an_error_of_the_whole_bmc",
         "redfish::what_strikes_one_resource_is_told_of_that_one",
         "redfish::a_whole_host_has_a_limit_of_time",
         "cli::a_scan_tells_of_bmcs_that_cannot_be_asked_and_hides_no_other"];
    F10 "What a BMC says over HTTPS is judged as its saved tree is."
        ["redfish::a_real_tree_says_the_same_over_https_as_out_of_its_folder",
         "cli::a_bmc_says_the_same_as_its_saved_tree"];
    F11 "A step is in force when its settings are, nothing waits, and Secure Boot says so."
        ["redfish::each_makers_machine_comes_to_what_was_planned_with_as_many_boots_as_steps",
         "redfish::the_planners_own_plans_bring_each_makers_machine_to_its_goal",
         "redfish::faults_of_jobs",
         "redfish::faults_of_boots"];
    F12 "Each act stands in the journal before it is done; the same command goes on after whatever ended it."
        ["redfish::each_act_stands_in_the_journal_before_it_is_done",
         "redfish::a_run_that_is_stopped_at_any_moment_goes_on_and_boots_no_more_than_needed",
         "redfish::a_journal_that_was_cut_anywhere_is_enough_to_go_on",
         "cli::a_program_that_is_killed_in_the_middle_goes_on_with_the_same_command"];
    F13 "A refusal may have been taken and an acceptance forgotten; changes of others and other machines stop ours."
        ["redfish::faults_of_settings",
         "redfish::another_machine_behind_the_same_address_is_left_alone",
         "redfish::presence_that_lapsed_meanwhile_is_asserted_once_more"];
    F14 "Nobody is changed unasked, outside the window or after a failure; the values of before can be put back."
        ["cli::nobody_is_changed_unasked_or_outside_the_window",
         "cli::the_first_failure_of_a_wave_is_the_last_host_that_is_begun",
         "cli::a_wish_to_stop_is_heard_between_two_acts",
         "redfish::a_revert_puts_back_what_was_there_last_step_first"];
};
