//! Before a host joins, and when somebody helps; logs of hosts.

use super::Requirement;

pub(super) const HOST_CHECKS: &[Requirement] = requirements! {
    D1 "What is wrong is told in the order in which to mend it, and what nobody looked at never passes."
        ["doctor::nothing_observed_is_nothing_passed",
         "doctor::a_check_without_its_evidence_is_unknown_and_no_other_is",
         "doctor::no_finding_is_lost_whether_or_not_somebody_looked",
         "cli::machines_that_booted_are_told_their_first_cause"];
    D2 "FIFO and Intel TXT are judged by what the machine is to run."
        ["doctor::what_an_interface_and_a_second_start_are_depends_on_the_profile",
         "cli::what_a_dynamic_launch_is_depends_on_the_profile",
         "cli::what_txt_may_be_depends_on_the_version"];
    D3 "ESXi's outputs say the same whatever terminal, encoding or file they came through; one that is absent is unknown."
        ["cli::neither_encoding_nor_colours_nor_files_change_what_is_seen",
         "cli::an_output_that_is_absent_is_unknown_with_the_command_to_run",
         "cli::outputs_that_contradict_each_other_are_no_pass",
         "cli::commands_that_no_host_has_say_nothing",
         "cli::collected_samples_say_what_they_are_of"];
    D4 "A recovery key is shown and kept nowhere, however a terminal wrapped it."
        ["redaction::a_recovery_key_is_taken_out_however_a_terminal_wrapped_it",
         "doctor::recovery_keys_are_counted_and_not_kept",
         "cli::a_sound_host_passes_and_its_recovery_key_is_shown_nowhere"];
    D5 "A TPM that cannot be asked is told with what to do; one that can is described and left as it was."
        ["cli::a_tpm_that_cannot_be_asked_is_told_with_what_to_do",
         "cli::a_tpm_describes_itself",
         "cli::what_stands_in_the_way_is_told_with_its_next_step",
         "cli::pcrs_are_shown_and_a_bank_without_measurements_is_told",
         "cli::endorsement_keys_are_shown_with_the_digest_that_a_policy_takes"];
    D6 "No secret is in a support bundle, and its manifest says what was removed and what is not in it."
        ["redaction::each_kind_of_secret_is_taken_out",
         "redaction::only_what_is_on_the_list_stays",
         "cli::no_secret_is_in_it_and_the_manifest_says_what_was_removed",
         "agent::no_secret_of_the_agent_is_in_its_bundle",
         "server::findings_and_counts_are_in_it_and_no_secret_is",
         "cli::diagnose_reads_it"];
};

pub(super) const HOST_LOGS: &[Requirement] = requirements! {
    H1 "Each text that is recognised has cause, next step, a line that hits it and lines that just miss."
        ["diagnose::each_text_of_each_signature_has_a_line_that_hits_it",
         "diagnose::a_line_that_differs_in_one_byte_of_a_text_just_misses",
         "diagnose::each_row_says_what_it_means_why_and_what_next",
         "diagnose::every_number_of_the_collected_catalogue_is_here",
         "diagnose::lines_of_other_programs_have_no_signature",
         "diagnose::each_text_of_the_table_has_a_fragment",
         "findings::codes_that_people_meet_have_a_name_a_cause_and_a_next_step"];
    H2 "The founding story's own lines give its causes, the root first."
        ["diagnose::the_founding_story_has_its_three_causes_on_one_host",
         "cli::the_founding_story_is_told_from_its_own_logs"];
    H3 "Neither the order of lines and files nor the pieces they come in change what is told."
        ["diagnose::neither_order_nor_pieces_change_a_report",
         "diagnose::hosts_are_told_apart_and_joined_by_name",
         "diagnose::rotated_files_are_put_in_order_by_their_times",
         "diagnose::in_one_file_order_tells_where_the_clock_was_set",
         "diagnose::a_file_that_begins_with_its_newest_line_is_put_in_order_by_its_times",
         "diagnose::zones_are_put_in_one_order",
         "diagnose::a_cause_that_comes_again_lasts"];
    H4 "A harmless response code is told as harmless, and another one in its place is not."
        ["diagnose::an_absent_index_on_a_sound_host_is_harmless_and_a_wrong_password_is_not",
         "findings::an_absent_nv_index_is_harmless_and_points_to_the_certificate",
         "findings::every_16_bit_code_and_every_layer_is_explained",
         "cli::a_response_code_is_told_with_cause_and_next_step"];
    H5 "Long lines, junk, cut files and many hosts cost bounded memory and hide nothing beside them."
        ["diagnose::a_line_of_a_hundred_megabytes_is_cut_and_the_next_is_read",
         "diagnose::evidence_is_bounded_and_the_earliest",
         "diagnose::more_hosts_than_are_kept_are_counted",
         "diagnose::junk_is_harmless",
         "cli::a_cut_archive_tells_what_it_had_and_that_it_is_cut",
         "cli::a_damaged_archive_tells_what_it_had_and_that_it_is_damaged",
         "cli::memory_is_bounded_whatever_is_read",
         "unpack::a_bomb_ends_at_the_limit_whatever_it_is_packed_in",
         "unpack::layers_and_members_are_counted",
         "cli::a_folder_is_read_without_following_links_out_of_it_or_in_circles"];
    H6 "That nothing was found is never said of what was not read."
        ["cli::exit_codes_say_whether_something_is_wrong",
         "cli::a_flood_of_harmless_lines_hides_nothing_without_a_word",
         "unpack::a_cut_or_changed_archive_is_never_called_whole",
         "unpack::what_is_not_opened_is_named_with_what_opens_it",
         "diagnose::words_of_an_unknown_version_are_never_called_sound"];
    H7 "Archives are read as streams, nested, and nothing of them is written anywhere."
        ["cli::support_bundles_are_read_as_they_are_nested_and_in_each_format",
         "cli::a_bundle_of_vcenter_is_a_zip_with_bundles_of_hosts_in_it",
         "cli::a_support_bundle_of_our_own_is_read",
         "unpack::zip_archives_are_read_however_they_were_made",
         "unpack::archives_stand_in_one_another",
         "cli::names_in_archives_lead_nowhere"];
    H8 "A response code is found anywhere on a line about a TPM, and no other number is taken for one."
        ["diagnose::codes_are_found_wherever_programs_write_them",
         "diagnose::other_numbers_of_such_lines_are_none",
         "diagnose::a_missing_index_is_harmless_unless_it_is_the_certificates"];
    H9 "Names, identifiers and addresses of a host are put together where lines tie them, and only there."
        ["diagnose::hosts_are_told_apart_and_joined_by_name",
         "diagnose::an_address_is_the_host_that_a_line_ties_it_to",
         "diagnose::a_name_is_learnt_from_lines_without_a_signature"];
    H10 "Logs are followed as they grow, are renamed or cut; each change is told once."
        ["cli::what_begins_and_what_is_over_is_told_once",
         "cli::files_are_followed_when_they_are_renamed_or_cut",
         "cli::a_pipe_is_followed_to_its_end_and_told_in_words"];
};
