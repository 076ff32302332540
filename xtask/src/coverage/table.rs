//! The requirements, and the tests that hold them.

/// One requirement: its number, what it asks for, and the tests as `crate::test`. Without tests it
/// is open, and says why.
pub(super) struct Requirement {
    pub(super) id: &'static str,
    pub(super) text: &'static str,
    pub(super) tests: &'static [&'static str],
    pub(super) open: Option<&'static str>,
}

/// A part of the table.
pub(super) struct Part {
    pub(super) title: &'static str,
    pub(super) requirements: &'static [Requirement],
}

/// One row per requirement: `ID "text" ["crate::test", …];`, or `ID "text" open "why";`.
macro_rules! requirements {
    ($($id:ident $text:literal $([$($test:literal),* $(,)?])? $(open $why:literal)?;)*) => {
        &[$(Requirement {
            id: stringify!($id),
            text: $text,
            tests: &[$($($test),*)?],
            open: [$($why)?].first().copied(),
        }),*]
    };
}

mod bmc;
mod book;
mod client_certificates;
mod host_checks;
mod leaving;
mod pages;
mod people;
mod reports;
mod terminal;

use bmc::BMC;
use client_certificates::CLIENT_CERTIFICATES;
use host_checks::{HOST_CHECKS, HOST_LOGS};
use leaving::{EVIDENCE_STORE, TRACES};
use pages::PAGES;
use people::PEOPLE;

/// All of them, in the order of the document.
pub(super) const PARTS: &[Part] = &[
    Part { title: "Framing of logs", requirements: LOG },
    Part { title: "Replay", requirements: REPLAY },
    Part { title: "Belief in events", requirements: TRUST },
    Part { title: "Firmware that differs", requirements: VENDORS },
    Part { title: "Quotes and attestation keys", requirements: QUOTE },
    Part { title: "Endorsement keys and their certificates", requirements: ENDORSEMENT },
    Part { title: "Secure Boot", requirements: SECURE_BOOT },
    Part { title: "Boot path", requirements: BOOT_PATH },
    Part { title: "References", requirements: REFERENCES },
    Part { title: "Logs of hosts", requirements: HOST_LOGS },
    Part { title: "Before a host joins, and when somebody helps", requirements: HOST_CHECKS },
    Part { title: "Firmware settings through BMCs", requirements: BMC },
    Part { title: "Several servers on one database", requirements: SHARED_STORE },
    Part {
        title: "Thousands of hosts: when they are judged, and how they come in",
        requirements: ONBOARDING,
    },
    Part { title: "People and rights", requirements: PEOPLE },
    Part { title: "The API as a contract", requirements: CONTRACT },
    Part { title: "Data that outlive machines", requirements: DATA },
    Part { title: "Evidence outside of the database", requirements: EVIDENCE_STORE },
    Part { title: "Traces", requirements: TRACES },
    Part { title: "Faults in operation", requirements: FAULTS },
    Part { title: "Events and channels", requirements: EVENTS },
    Part { title: "Pages", requirements: PAGES },
    Part { title: "The book", requirements: book::BOOK },
    Part { title: "Terminals", requirements: terminal::TERMINAL },
    Part { title: "Client certificates for keys in TPMs", requirements: CLIENT_CERTIFICATES },
    Part { title: "Reports", requirements: reports::REPORTS },
];

const ONBOARDING: &[Requirement] = requirements! {
    N1 "Hosts are judged by the first schedule that fits their labels, and a label brings the next one forward."
        ["server::the_first_that_fits_counts_and_says_so",
         "server::a_schedule_that_became_shorter_brings_the_due_time_forward",
         "server::a_label_changes_when_a_host_is_due_and_until_when_it_counts",
         "policy::schedules_are_read_in_their_order",
         "policy::a_schedule_that_cannot_be_kept_is_none"];
    N2 "A verdict ends by the schedule of its host, and its alarm comes then."
        ["server::a_verdict_ends_by_the_schedule_of_its_host",
         "server::a_label_changes_when_a_host_is_due_and_until_when_it_counts"];
    N4 "What waits for a person is one list, with what is to be compared, and is decided once."
        ["server::hosts_wait_with_what_is_to_be_compared_until_a_person_decides",
         "server::another_tpm_is_decided_about_by_its_digest",
         "server::what_waits_is_decided_on_the_command_line",
         "server::a_decision_names_exactly_one_thing"];
    N5 "The endorsement keys of a purchase are imported with the place of each fault; who is on a list is expected and labelled, and a list lets nobody in whose TPM does not prove its key."
        ["server::a_purchase_is_imported_and_its_hosts_are_expected",
         "server::a_token_for_a_list_lets_nobody_else_in",
         "cli::what_is_wrong_is_told_with_its_line",
         "cli::columns_are_known_by_their_names",
         "api::a_name_stands_in_addresses_as_it_is"];
    N6 "Servers share the looks at hosts, and one takes over what another that was killed had claimed."
        ["store::servers_share_the_looks_and_take_over_those_of_one_that_is_gone",
         "server::alarms_of_a_server_that_is_killed_are_raised_by_the_other_once"];
    N3 "A fleet that begins, boots or comes back at once does not stay in step."
        ["server::a_judgement_that_was_due_is_followed_by_one_within_the_jitter",
         "server::what_no_schedule_asked_for_is_followed_by_one_at_any_time_of_the_interval",
         "server::a_fleet_that_begins_at_once_is_spread_from_its_second_judgement_on"];
};

const SHARED_STORE: &[Requirement] = requirements! {
    M1 "What one server used, a challenge, a join token or a TPM, is used for all; of a race one wins."
        ["store::what_one_server_used_is_used_for_the_other",
         "store::racing_servers_have_one_winner",
         "store::a_nonce_is_used_once_at_two_servers",
         "store::a_host_that_was_enrolled_at_another_server_shows_its_new_keys",
         "server::a_host_of_one_server_is_a_host_of_the_other"];
    M2 "What servers count and share together holds while they write at once."
        ["store::counts_of_a_cohort_hold_while_many_write",
         "store::shared_evidence_is_there_for_whoever_needs_it"];
    M3 "A server that is killed takes no accepted result with it, and none is there twice."
        ["server::a_server_that_is_killed_is_not_missed",
         "store::acknowledged_appraisals_survive_kill_9"];
    M4 "A database that ends, hangs or is locked fails requests as unavailable, leaves nothing half done, and is gone on with."
        ["store::a_restart_fails_requests_and_nothing_else",
         "store::a_database_that_hangs_is_unavailable_and_comes_back",
         "store::a_lock_that_stays_is_unavailable_not_broken",
         "server::a_database_that_goes_away_is_waited_for"];
    M5 "A newer schema, a foreign database and one that cannot hold every text are refused and left alone."
        ["store::a_newer_schema_is_refused",
         "store::a_foreign_database_is_refused_and_left_alone",
         "store::a_database_of_another_encoding_is_refused"];
    M6 "TLS to the database is verified or the database is on this machine; no password is shown."
        ["store::tls_is_taken_only_where_the_server_is_who_was_asked_for",
         "store::plain_is_for_this_machine_alone",
         "store::tls_is_verified_or_refused",
         "store::a_password_is_never_shown",
         "server::an_address_that_may_not_be_used_is_refused_without_its_password"];
    M7 "Who waits at one server hears of what is done at another."
        ["server::who_waits_at_one_server_hears_of_the_other"];
    M8 "A server that no host would talk to, with another authority, does not start."
        ["server::a_server_with_another_authority_does_not_start"];
    M9 "A text that one of the databases cannot hold is refused, and is no failure."
        ["store::a_text_that_cannot_be_kept_is_refused_and_no_failure"];
    M10 "What judgements of a host say again is stored once, and told with each."
        ["server::what_a_host_says_again_is_stored_once_and_told_each_time",
         "server::what_a_judgement_says_again_is_in_no_row_and_the_same_for_another_quote"];
};

const FAULTS: &[Requirement] = requirements! {
    FA1 "A server that is killed under a fleet loses no acknowledged verdict, and none is there twice."
        ["server::a_fleet_loses_no_verdict_to_kills_in_mid_run",
         "server::no_accepted_result_is_lost_and_no_host_is_stuck"];
    FA2 "A database that is restarted, or cut off for half a minute, is waited for by all hosts."
        ["server::a_fleet_goes_on_when_postgresql_is_restarted",
         "server::a_fleet_waits_while_postgresql_is_cut_off"];
    FA3 "A full disk is told as unavailable, reading goes on, and so does all when there is room."
        ["server::a_full_disk_is_told_and_got_over"];
    FA4 "A clock that jumps by an hour, ahead or back, keeps no host from being judged; what ends by time ends."
        ["server::a_clock_that_jumps_by_an_hour_costs_no_host_its_verdict",
         "server::a_token_that_ends_in_ten_minutes_ends_when_the_clock_jumps",
         "store::a_clock_that_is_set_back_is_gone_on_from"];
    FA5 "Servers on one database are restarted one after the other without a missed attestation."
        ["server::a_rolling_restart_misses_no_attestation"];
    FA6 "10,000 hosts whose server was killed come back by themselves within a minute."
        open "measured by `cargo xtask bench server --only storm`, which takes longer than a test may";
    FA7 "3,000 hosts whose server was killed come back by themselves: none is lost, judged twice or taken for an \
         untrusted one, while the server answers people and stays within its memory."
        ["server::all_hosts_come_back_at_once_to_a_server_that_was_killed"];
};

const DATA: &[Requirement] = requirements! {
    DA1 "A backup that is made while hosts are attested lacks nothing that was acknowledged before."
        ["server::nothing_that_was_acknowledged_is_missing_and_hosts_go_on"];
    DA2 "A restored server goes on: hosts need not join anew, and no challenge counts twice."
        ["server::nothing_that_was_acknowledged_is_missing_and_hosts_go_on",
         "store::join_tokens_of_an_older_state_end"];
    DA3 "A whole store moves from SQLite to PostgreSQL and back."
        ["store::a_store_moves_to_postgresql_and_back",
         "server::a_server_moves_to_postgresql_encrypted"];
    DA4 "What is no sound backup is refused, and changes nothing."
        ["backup::a_backup_that_is_cut_anywhere_is_refused",
         "backup::a_backup_with_a_changed_bit_is_refused",
         "backup::what_is_another_thing_or_of_another_version_is_told_so",
         "backup::entries_that_lead_elsewhere_are_refused",
         "backup::what_unpacks_without_end_is_refused_with_little_memory",
         "backup::an_audit_log_that_was_changed_is_neither_written_nor_read",
         "store::what_is_not_whole_takes_no_place",
         "server::what_is_no_sound_backup_changes_nothing"];
    DA5 "A full disk and kill -9 at any point leave what was there."
        ["backup::a_disk_that_is_full_at_any_point_is_an_error",
         "server::a_full_disk_leaves_what_was_there",
         "server::what_is_killed_in_the_middle_did_nothing"];
    DA6 "Backups are encrypted as age does it."
        ["backup::age_opens_what_we_encrypt_and_we_what_it_does",
         "backup::an_encrypted_backup_is_opened_by_its_recipient_alone",
         "backup::an_encrypted_backup_that_was_changed_or_cut_is_refused"];
    DA7 "History is thinned by policy, and never what somebody needs of it."
        ["server::a_server_thins_its_history_by_itself",
         "server::ages_that_contradict_each_other_are_refused"];
    DA8 "Evidence is packed, and comes back as it was; room that nothing uses goes back to the disk."
        ["store::what_gets_smaller_is_packed_and_all_comes_back",
         "store::what_unpacks_to_something_else_is_an_error",
         "store::room_that_nothing_uses_goes_back_to_the_disk"];
    DA9 "Databases of each schema that there was are brought up to date, with what is in them; newer ones are refused."
        ["store::sqlite_of_each_schema_is_brought_up_to_date",
         "store::postgresql_of_each_schema_is_brought_up_to_date",
         "store::a_newer_schema_is_refused"];
};

const REFERENCES: &[Requirement] = requirements! {
    P1 "A manifest of a vendor is used only when its signature, its signer and its model are right."
        ["manifests::a_manifest_is_nobodys_without_the_signer_that_was_named",
         "manifests::a_certificate_for_something_else_signs_no_manifest",
         "manifests::no_changed_byte_of_a_manifest_passes",
         "manifests::the_files_are_those_that_were_signed",
         "manifests::a_signature_covers_all_that_is_read_or_nothing_is",
         "manifests::algorithms_that_are_weak_or_that_no_manifest_needs_are_refused",
         "manifests::a_document_that_could_be_read_in_two_ways_or_costs_much_is_refused",
         "manifests::a_manifest_says_which_machine_it_is_for_and_stands_by_itself",
         "manifests::a_recorded_machine_fits_the_manifest_that_is_its_own_and_no_other",
         "manifests::no_changed_byte_of_a_corim_passes",
         "manifests::a_corim_that_says_something_else_is_refused",
         "cli::a_corim_holds_the_firmware_to_its_values",
         "cli::a_manifest_is_imported_only_from_the_signer_that_is_named",
         "cli::a_manifest_is_for_the_machines_that_it_names",
         "server::a_manifest_of_a_vendor_holds_the_hosts_of_its_model"];
    P2 "A boot is compared per event and per PCR; what is set aside shows in the result."
        ["references::no_change_of_an_event_passes",
         "references::an_update_of_the_kernel_is_one_change_in_words",
         "references::another_command_line_is_told_by_its_words",
         "references::something_that_is_measured_into_an_unused_pcr_is_a_change",
         "references::a_rule_sets_aside_what_was_measured_and_nothing_else",
         "references::a_hostile_log_costs_little_and_never_fits",
         "cli::every_adversarial_log_is_refused_under_the_baseline_of_the_control",
         "cli::two_boots_of_one_recorded_machine_fit_each_other"];
    P3 "What was learnt is told from what a vendor says, with who accepted it and when."
        ["server::a_document_comes_out_as_it_went_in",
         "server::a_change_is_told_accepted_and_taken_back_without_the_host",
         "server::a_manifest_of_a_vendor_holds_the_hosts_of_its_model",
         "cli::a_manifest_asks_for_more_and_accepts_nothing"];
    P4 "Nothing is learnt from a host whose quote failed or that is not accepted."
        ["cli::nothing_is_learnt_from_what_is_not_accepted",
         "server::nothing_is_learnt_from_a_boot_that_is_not_in_order",
         "server::one_boot_is_one_boot",
         "server::what_is_accepted_until_a_time_ends_then",
         "server::a_cohort_is_held_to_its_references_and_accepts_for_all"];
    P5 "A reference has a life, and one that was revoked is never accepted again."
        ["cli::each_finding_of_references_has_a_case_and_one_that_just_does_not",
         "references::words_of_states_are_read_back",
         "references::a_boot_is_known_by_its_digests_whatever_its_log_says",
         "server::a_change_is_told_accepted_and_taken_back_without_the_host"];
    P6 "What cannot be compared fails, and events of another type are other events."
        ["references::nothing_compared_is_no_agreement",
         "references::no_change_of_an_event_passes",
         "references::content_that_does_not_hold_together_is_refused"];
    P7 "A result has an end and names what it was judged by; what was not checked is told from what passed."
        ["server::a_verdict_ends_by_age",
         "server::a_relying_party_gets_what_counts_of_a_host",
         "server::a_result_is_checked_on_the_command_line"];
    P8 "Secrets stay out of logs, and enrolment has limits."
        ["server::bodies_that_are_too_large_or_not_what_they_should_be",
         "server::a_token_has_as_many_uses_as_it_says",
         "server::a_flood_of_joins_is_refused_and_disturbs_nobody"];
    P9 "Evidence is kept as it came, and judged anew when what it is judged by changes."
        ["server::a_change_is_told_accepted_and_taken_back_without_the_host",
         "server::a_cohort_is_held_to_its_references_and_accepts_for_all",
         "server::a_policy_is_tried_over_stored_evidence_and_changes_nothing"];
    P10 "Another TPM, another board or a system that is installed anew loses no history of the host."
        ["server::a_new_board_waits_for_a_person_and_keeps_the_history",
         "server::a_new_board_with_a_new_disk_joins_again_under_the_hosts_name",
         "server::a_system_that_is_installed_anew_is_the_same_host",
         "server::a_tpm_that_was_cleared_gets_a_new_key_without_a_person",
         "server::evidence_of_before_is_verified_with_its_own_key"];
};

const LOG: &[Requirement] = requirements! {
    L1 "No size or count is believed before the bytes are there, and each has a limit."
        ["event-log::sizes_over_what_is_left", "event-log::digests_over_the_declared_algorithms",
         "event-log::a_log_at_its_limits", "efi::sizes_that_do_not_fit_are_refused_once",
         "event-log::handoff_tables_of_either_width_and_revision"];
    L2 "A log file is read to its end, whatever size the file system gives it."
        ["agent::a_file_that_says_size_0_is_read_to_its_end"];
    L3 "Long logs and long events are read, up to a limit that is stated."
        ["event-log::a_log_at_its_limits"];
    L4 "A log of SHA-1 records is read, though the TPM is a 2.0."
        ["event-log::a_log_of_the_old_format_is_read_whatever_its_first_event"];
    L5 "Digests of an unknown algorithm are skipped by their declared size; undeclared ones are refused."
        ["event-log::an_unknown_algorithm_is_read_by_its_declared_size",
         "event-log::digests_over_the_declared_algorithms"];
    L6 "A Spec ID event without algorithms, or with vendor information, is sound."
        ["event-log::no_algorithm_and_vendor_information_are_sound",
         "event-log::spec_id_events_of_each_revision"];
    L7 "An event may have fewer digests than there are banks."
        ["event-log::an_event_without_a_digest_of_a_bank_is_left_out_of_that_bank"];
    L8 "Filling of 00 or FF behind the last event ends the log, and is counted."
        ["event-log::padding_is_counted_and_no_problem",
         "event-log::a_log_of_padding_alone_and_an_empty_one_are_empty"];
    L9 "The index of no PCR is allowed in EV_NO_ACTION alone; others end at 23."
        ["event-log::pcr_indices"];
    L10 "Logs of several boots in one report are told apart."
        ["event-log::logs_of_earlier_boots_are_told_apart_and_the_last_is_read",
         "event-log::recorded_logs_behind_one_another_are_those_that_they_were",
         "cli::one_of_several_logs_is_shown_and_registers_have_their_names"];
    L11 "Events that the system appended a second time are noticed and told."
        ["event-log::events_appended_twice_are_told"];
    L12 "No log, an empty log and a cut log are three answers."
        ["server::an_edited_log_is_not_accepted_and_an_absent_one_neither",
         "cli::a_log_is_read_and_replayed", "cli::each_recorded_boot_gets_its_verdict_and_reasons"];
    L13 "The log reaches the server as the host has it, byte for byte."
        ["server::evidence_comes_out_as_it_went_in"];
    L14 "Replay takes one pass over the events for all banks."
        ["event-log::a_replay_costs_one_hash_for_each_event_and_bank",
         "boot-claims::it_answers_the_same_however_often_it_is_asked",
         "boot-claims::lists_of_shim_are_looked_at_a_few_times"];
    L15 "A fault of framing has its byte, and the events before it stay readable."
        ["event-log::a_built_log_cut_at_each_length", "event-log::problems_read_as_sentences"];
    L16 "Late events, of kexec or of a second table, are an input of their own." open "Linux hands over one log; what a later kernel appended stands in it, and is replayed as any event";
    L17 "Logs of confidential guests map their registers to PCRs."
        ["event-log::registers_of_confidential_guests_stand_for_pcrs",
         "cli::one_of_several_logs_is_shown_and_registers_have_their_names"];
    L18 "A log that a full log area cut short is told as such."
        ["cli::each_finding_has_a_case_that_raises_it_and_one_that_just_does_not"];
    L19 "The first event of an old log need not be a Spec ID event."
        ["event-log::a_log_of_the_old_format_is_read_whatever_its_first_event"];
};

const REPLAY: &[Requirement] = requirements! {
    R1 "EV_NO_ACTION is never extended, wherever it stands."
        ["event-log::ev_no_action_is_never_covered", "cli::replayed_pcrs_are_those_of_the_referee"];
    R2 "PCR 0 starts at a StartupLocality of 0, 3 or 4: one, of PCR 0, before its first extend."
        ["event-log::pcr_0_starts_at_the_startup_locality",
         "event-log::only_a_sound_startup_locality_is_heeded",
         "event-log::logs_replay_to_the_pcrs_of_the_tpm_that_they_were_extended_into"];
    R3 "A StartupLocality may have padding behind it."
        ["quirks::bytes_behind_a_separator_or_a_locality_are_slots_of_fixed_size",
         "event-log::a_startup_locality_may_have_padding_and_must_have_a_locality"];
    R4 "An H-CRTM event starts PCR 0 at 4 and is its first extend."
        ["event-log::an_h_crtm_event_is_enough_for_locality_4"];
    R5 "PCRs 17 to 22 start at ones until a dynamic launch, the others at zeros."
        ["event-log::after_a_dynamic_launch_its_pcrs_are_zero",
         "event-log::each_kind_of_mismatch"];
    R6 "A PCR without events must have its reset value." ["event-log::each_kind_of_mismatch"];
    R7 "PCRs that other logs continue are told as continued, not as wrong."
        ["event-log::a_pcr_that_another_log_continued_is_not_covered"];
    R8 "Each bank is judged by itself."
        ["event-log::each_bank_is_judged_by_itself_and_facts_rest_on_strong_ones"];
    R9 "A machine whose PCR never replays can be judged by its raw value." open "a reference may hold bare values, but a PCR that must replay and does not still refuses its host";
    R10 "The first PCR that differs is named, with both values."
        ["event-log::each_kind_of_mismatch", "event-log::boots_replay_to_the_pcrs_of_their_tpm",
         "event-log::an_altered_log_differs_where_it_was_altered"];
    R11 "Nothing is accepted by trying again: a deviation is named in the result."
        ["cli::a_deviation_is_told_once_and_refused_by_its_name",
         "cli::the_word_of_a_host_eases_a_text_that_nobody_believes_and_no_policy",
         "cli::what_a_machine_is_known_for_explains_and_accepts_nothing",
         "quirks::the_word_of_a_host_accepts_nothing",
         "quirks::what_makers_leave_out_has_a_name",
         "quirks::a_separator_that_the_quote_does_not_stand_for_has_no_quirk",
         "cli::each_finding_has_a_case_that_raises_it_and_one_that_just_does_not"];
    R12 "Events of a measured launch are read and replayed."
        ["event-log::after_a_dynamic_launch_its_pcrs_are_zero",
         "event-log::types_outside_the_standard_are_shown"];
    R13 "Each digest has a hash of its own: one separator behind another is none."
        ["event-log::a_separator_is_known_by_its_digest_alone"];
};

const TRUST: &[Requirement] = requirements! {
    T1 "Types and data are the host's word; index, order and digests are what a quote proves."
        ["boot-claims::no_other_type_turns_secure_boot_on_or_makes_a_lie_verified",
         "event-log::a_sound_log_covers_each_pcr_that_it_names"];
    T2 "Where the standard has the digest over the data, it is checked; elsewhere it is told that it cannot be."
        ["event-log::types_whose_digest_must_be_of_the_data",
         "event-log::types_whose_digest_is_of_something_else",
         "event-log::an_altered_log_differs_where_it_was_altered"];
    T3 "An event under another type is found out."
        ["boot-claims::a_renamed_separator_is_still_the_fence",
         "boot-claims::a_renamed_one_is_a_problem", "boot-claims::a_retyped_event_is_unknown",
         "boot-claims::what_pcr_7_does_not_show_is_told",
         "boot-claims::a_database_is_no_authority_and_an_authority_no_database",
         "cli::what_is_missing_repeated_or_renamed_is_told",
         "cli::no_renamed_and_no_invented_event_hides_why_a_boot_is_refused"];
    T4 "What stands behind the separator of its PCR is no fact of the firmware."
        ["boot-claims::after_the_separator_anybody_could_have_written_it",
         "boot-claims::what_stands_out_of_the_firmwares_order_is_counted",
         "cli::each_finding_of_the_order_has_a_case_and_one_that_just_does_not"];
    T5 "PCRs 0 to 7 have one separator each."
        ["boot-claims::each_pcr_needs_its_own",
         "boot-claims::an_order_of_boot_entries_is_no_separator",
         "boot-claims::a_second_one_is_a_problem_in_pcr_0_to_7_only"];
    T6 "A separator that reports an error is known, with its text."
        ["boot-claims::an_error_separator_is_a_problem", "event-log::separators"];
    T7 "Zeros and ones are both sound separators."
        ["boot-claims::zeros_and_ones_are_sound", "event-log::separators_of_each_value_and_size"];
    T8 "Separators stand before the first boot application; that of PCR 7 may come earlier."
        ["cli::each_finding_of_the_order_has_a_case_and_one_that_just_does_not"];
    T9 "Firmware that measures into PCRs 8 to 15 is an alarm."
        ["boot-claims::what_stands_out_of_the_firmwares_order_is_counted",
         "cli::each_finding_of_the_order_has_a_case_and_one_that_just_does_not"];
    T10 "A log without ExitBootServices is sound."
        ["boot-claims::a_log_without_exit_boot_services_is_sound"];
    T11 "A log without the action that starts a boot entry is sound."
        ["boot-claims::a_boot_without_actions_is_told_all_the_same"];
    T12 "ExitBootServices events that are extended and not logged are a named deviation, which a policy can permit; those that are logged and not extended are refused."
        ["quirks::boot_services_that_ended_behind_the_log",
         "cli::a_log_without_the_end_of_boot_services_is_refused_unless_a_policy_permits_it"];
    T13 "Texts of either encoding are shown escaped and cut."
        ["event-log::either_kind_of_text_is_known_and_bytes_are_none",
         "event-log::long_and_steering_text_is_cut_and_escaped",
         "efi::control_characters_and_bad_bytes_are_escaped",
         "cli::a_hosts_words_cannot_steer_the_terminal"];
    T14 "Types that nobody knows are shown, and stop nothing."
        ["event-log::types_outside_the_standard_are_shown",
         "event-log::any_data_of_any_type_is_shown_and_written_back"];
    T15 "Names and numbers of types come from one table, which is tested."
        ["event-log::names_are_of_their_numbers", "event-log::numbers_and_names_are_unique"];
    T16 "A separator in a longer slot is known by its digest and its first four bytes."
        ["event-log::separators", "event-log::separators_of_each_value_and_size"];
    T17 "Of a variable, the first event of a boot counts."
        ["boot-claims::only_the_first_of_a_database_is_believed_and_only_before_the_separator",
         "boot-claims::twice_is_unknown_even_if_both_say_the_same",
         "boot-claims::what_was_never_measured_stands_in_front_of_nothing",
         "cli::what_is_missing_repeated_or_renamed_is_told"];
};

const VENDORS: &[Requirement] = requirements! {
    V1 "A CRTM version that is measured in another form than it is logged in."
        ["event-log::logs_of_machines_replay_as_recorded",
         "event-log::types_whose_digest_must_be_of_the_data",
         "cli::the_word_of_a_host_eases_a_text_that_nobody_believes_and_no_policy"];
    V2 "A StartupLocality in a log of the old format."
        ["quirks::logs_of_the_old_format",
         "quirks::recorded_logs_have_what_their_makers_are_known_for",
         "event-log::logs_of_machines_replay_as_recorded"];
    V3 "A PCR 0 that no log explains."
        ["cli::what_a_machine_is_known_for_explains_and_accepts_nothing",
         "quirks::a_machine_is_of_a_row_by_each_text_that_the_row_has"];
    V4 "A level of security that firmware lowered itself."
        ["cli::a_text_of_the_firmware_names_its_row_and_a_code_is_only_listed",
         "event-log::actions_of_the_specification_are_known"];
    V5 "Variables of the vendor among those of PCRs 1 and 7."
        ["event-log::data_of_recorded_events_is_read_and_written_back"];
    V6 "A table of final events that was appended again."
        ["cli::a_final_table_that_stands_in_the_log_twice_is_refused_by_name",
         "quirks::what_explains_a_replay_needs_something_to_explain",
         "event-log::events_appended_twice_are_told"];
    V7 "Setup variables in PCR 1, and test keys."
        ["event-log::data_of_recorded_events_is_read_and_written_back"];
    V8 "An H-CRTM and an SM3 bank."
        ["quirks::an_h_crtm_that_no_event_announces",
         "event-log::logs_of_machines_replay_as_recorded",
         "event-log::each_bank_replays_and_is_written_back"];
    V9 "Certificates that strict readers refuse."
        ["quirks::what_makers_leave_out_has_a_name",
         "quirks::what_lies_around_a_certificate",
         "verify::chips_of_several_vendors_are_told_by_their_certificates"];
    V10 "A log of SHA-1 alone beside a certificate with a header."
        ["event-log::logs_of_machines_replay_as_recorded",
         "verify::wrapper_and_padding_are_taken_off"];
    V11 "A bank that is active and that firmware never extends."
        ["event-log::a_bank_that_the_log_has_not_covers_nothing"];
    V12 "A guest that says which confidential computing it runs in, and where its reference values are."
        ["event-log::types_outside_the_standard_are_shown",
         "event-log::reference_manifests_of_each_revision"];
    V13 "A trailer of Windows that belongs to no PCR."
        ["quirks::codes_and_events_of_no_pcr_are_listed",
         "event-log::pcr_indices", "event-log::containers_of_windows_are_read_to_a_bounded_depth",
         "event-log::data_of_recorded_events_is_read_and_written_back"];
    V14 "A guest whose PCR 0 does not replay."
        ["quirks::a_machine_is_of_a_row_by_each_text_that_the_row_has"];
    V15 "A log that is there and has no byte."
        ["cli::a_log_is_read_and_replayed",
         "event-log::a_log_of_padding_alone_and_an_empty_one_are_empty"];
    V16 "Firmware with slots of fixed size."
        ["quirks::bytes_behind_a_separator_or_a_locality_are_slots_of_fixed_size",
         "cli::a_deviation_is_told_once_and_refused_by_its_name",
         "event-log::separators_of_each_value_and_size",
         "event-log::a_startup_locality_may_have_padding_and_must_have_a_locality"];
    V17 "A POST code that is a structure."
        ["event-log::post_codes_are_text_or_either_blob",
         "quirks::codes_and_events_of_no_pcr_are_listed"];
    V18 "A POST code that is a short text."
        ["event-log::post_codes_are_text_or_either_blob",
         "quirks::codes_and_events_of_no_pcr_are_listed"];
    V19 "Two CRTM versions in one log."
        ["quirks::what_explains_a_replay_needs_something_to_explain"];
    V20 "An old log whose first event is extended."
        ["quirks::logs_of_the_old_format",
         "event-log::a_log_of_the_old_format_is_read_whatever_its_first_event"];
};

const QUOTE: &[Requirement] = requirements! {
    Q1 "A structure that no TPM generated is refused." ["verify::each_problem_is_told_by_itself"];
    Q2 "Only a quote is a quote." ["verify::each_problem_is_told_by_itself"];
    Q3 "The nonce is compared whole, by length and content." ["verify::a_nonce_is_exact"];
    Q4 "Every quote has a nonce of its own challenge."
        ["server::a_challenge_works_once", "server::a_quote_of_another_challenge_is_a_finding"];
    Q5 "The selection is the one that was asked for."
        ["verify::a_selection_has_to_fulfil_its_rule", "tpm-wire::order_of_banks_is_kept"];
    Q6 "A value counts only where it is in the signed selection and fits its bank."
        ["verify::values_are_those_that_were_quoted", "api::values_must_fit_their_bank"];
    Q7 "A selection of nothing proves nothing."
        ["verify::a_selection_has_to_fulfil_its_rule",
         "tpm-wire::a_bank_without_pcrs_is_empty_and_still_named"];
    Q8 "Banks and PCRs come once each, and are counted before anything is hashed."
        ["tpm-wire::what_no_tpm_says_is_refused",
         "server::evidence_with_lists_that_cannot_be"];
    Q9 "Cheap checks come before dear ones."
        ["server::evidence_with_lists_that_cannot_be", "server::a_challenge_works_once"];
    Q10 "The digest over the PCRs uses the hash of the signature scheme."
        ["verify::the_digest_is_over_all_banks_with_the_hash_of_the_scheme"];
    Q11 "A quote may be over several banks."
        ["verify::the_digest_is_over_all_banks_with_the_hash_of_the_scheme",
         "server::two_banks_are_both_quoted_and_replayed"];
    Q12 "Decisions rest on parsed structures, never on printed text."
        ["verify::no_byte_of_a_quote_can_be_changed"];
    Q13 "A wrong value is an exit code, not only a message."
        ["cli::the_program_says_the_same_with_its_exit_code"];
    Q14 "RSASSA, RSAPSS and ECDSA are accepted; weak keys and SHA-1 are not."
        ["verify::each_kind_of_ak_proves_its_pcrs", "verify::an_ak_is_strong",
         "verify::a_signature_is_of_the_aks_own_kind"];
    Q15 "An attestation key signs only what its TPM made."
        ["verify::an_ak_can_sign_nothing_that_its_tpm_did_not_make"];
    Q16 "An attestation key is bound to its endorsement key by a credential."
        ["verify::only_the_secret_for_this_ek_and_ak_binds",
         "server::an_activation_needs_the_right_secret_and_works_once"];
    Q17 "The quote names its signer, and the name is checked."
        ["cli::a_quote_names_its_signer_where_the_parent_is_said",
         "cli::each_finding_has_a_case_that_raises_it_and_one_that_just_does_not"];
    Q18 "Clock and counters never go back; firmware that changed is told."
        ["appraise::counters_may_stand_and_grow_and_never_go_back",
         "appraise::firmware_that_changed_between_two_quotes_is_told"];
    Q19 "A reboot brings a new log; without one the log only grows."
        ["event-log::an_altered_log_differs_where_it_was_altered",
         "cli::each_finding_has_a_case_that_raises_it_and_one_that_just_does_not"];
    Q20 "Things are found by what they are, not by their place."
        ["boot-claims::another_guid_or_another_name_is_not_secure_boot",
         "boot-claims::a_renamed_separator_is_still_the_fence"];
    Q21 "Facts beside the quote are bound into its nonce." open "nothing that decides rests on them: such facts are shown as the host's word, and the connection is the host's own by its token";
    Q22 "A bank that the firmware did not extend proves nothing."
        ["event-log::a_bank_that_the_log_has_not_covers_nothing",
         "server::a_sha1_bank_alone_is_named_as_the_cause"];
    Q23 "SHA-1 proves nothing unless policy permits it, and then it shows."
        ["boot-claims::sha_1_proves_nothing_unless_policy_permits_it",
         "server::a_sha1_bank_alone_is_named_as_the_cause"];
    Q24 "What no quote can show is written down." open "docs/attacks.md says it, in its part on what is not held off; no test reads a text";
};

const ENDORSEMENT: &[Requirement] = requirements! {
    E1 "Certificates beyond strict DER are read, and their exact bytes kept."
        ["verify::chips_of_several_vendors_are_told_by_their_certificates"];
    E2 "Wrapper, header and padding of certificates in NV are taken off."
        ["verify::wrapper_and_padding_are_taken_off",
         "verify::what_lies_around_it_in_nv_does_not_matter"];
    E3 "A key that says RSAES-OAEP is an RSA key."
        ["verify::an_oaep_key_is_an_rsa_key",
         "verify::a_wrapped_certificate_with_an_oaep_key_is_read"];
    E4 "What vendors leave out of key usage is a deviation, not an end."
        ["verify::what_vendors_leave_out_is_a_deviation"];
    E5 "Purpose, names and constraints are those of an endorsement certificate."
        ["verify::a_certificate_of_something_else_is_not_one_of_an_ek",
         "verify::only_a_ca_may_issue"];
    E6 "An end of validity is a matter of policy."
        ["verify::dates_are_told_apart_from_trust",
         "cli::an_expired_certificate_that_is_permitted_still_names_its_chip"];
    E7 "Chains are built from what NV holds, with bounds."
        ["verify::depth_and_work_are_bounded", "agent::a_chain_is_split_and_padding_left_out"];
    E8 "Certificates that vendors keep at an address are fetched where the operator wants it." open "the server opens no connection on a host's word; certificates are files that an operator imports";
    E9 "The certified key is the one that was activated, for each kind of key."
        ["verify::the_certified_key_is_the_one_of_the_tpm",
         "verify::each_kind_of_ek_activates_its_credential",
         "server::each_kind_of_endorsement_key_opens_its_credential"];
    E10 "A platform certificate counts only where signature and holder fit." open "platform certificates are not read: nothing is believed because of one";
    E11 "Delta certificates apply in order." open "platform certificates are not read: nothing is believed because of one";
    E12 "A TPM without certificate takes a person's approval, and is shown as weaker."
        ["cli::each_key_changes_a_verdict_and_just_does_not",
         "server::a_key_without_a_certificate_is_approved_by_its_digest",
         "server::a_tpm_without_certificate_is_not_enrolled"];
    E13 "Simulators and virtual TPMs are known for what they are."
        ["tpm-vendors::programs_are_told_from_chips",
         "cli::a_policy_names_the_oldest_firmware_of_a_vendor"];
    E14 "Weak keys and TPM firmware with known faults are findings."
        ["tpm-vendors::a_key_of_the_weak_library_is_known_by_its_modulus",
         "tpm-vendors::firmware_with_a_known_fault_is_told_from_the_mended",
         "cli::each_finding_has_a_case_that_raises_it_and_one_that_just_does_not",
         "cli::a_policy_names_the_oldest_firmware_of_a_vendor"];
    E15 "An endorsement key that changed is noticed."
        ["server::a_host_enrols_anew_only_when_a_person_wants_it"];
    E16 "Roots have origin, fingerprint and purpose."
        ["server::a_cabinet_gives_its_roots_and_where_somebody_says_so_its_intermediates",
         "server::a_folder_is_searched_by_content_and_a_named_file_is_taken_as_it_is",
         "server::a_cabinet_that_is_not_sound_imports_nothing",
         "cabinet::a_bomb_is_refused_by_its_size",
         "cabinet::a_cut_or_flipped_cabinet_is_refused_or_what_it_was",
         "verify::a_trust_anchor_says_what_it_is",
         "cli::an_anchor_is_known_by_its_fingerprint_alone",
         "tpm-vendors::each_authority_is_there_once",
         "tpm-vendors::fingerprints_are_those_of_the_vendors_certificates",
         "verify::trust_begins_at_the_roots_only",
         "server::an_unknown_root_stores_no_key_and_says_so_until_it_is_trusted"];
};

const SECURE_BOOT: &[Requirement] = requirements! {
    S1 "On is one byte 1; nothing and all else is not on."
        ["boot-claims::one_byte_1_is_on", "boot-claims::zero_and_empty_are_off_and_all_else_unknown",
         "event-log::variables_are_read_by_name_and_vendor"];
    S2 "A variable is its name and its vendor."
        ["boot-claims::another_guid_or_another_name_is_not_secure_boot",
         "event-log::variables_are_read_by_name_and_vendor"];
    S3 "Variables come in the order of the standard, before the separator."
        ["cli::each_finding_of_secure_boot_has_a_case_and_one_that_just_does_not",
         "cli::what_is_missing_repeated_or_renamed_is_told"];
    S4 "More variables than the standard asks for are no fault."
        ["boot-claims::modes_are_read_before_the_separator"];
    S5 "Debug mode, lowered security and open memory are findings."
        ["cli::each_finding_of_secure_boot_has_a_case_and_one_that_just_does_not"];
    S6 "Signature lists of all types are read, and sizes must fit."
        ["efi::lists_are_read_in_order", "efi::sizes_that_do_not_fit_are_refused_once",
         "efi::an_unknown_type_is_kept_by_its_guid"];
    S7 "An authority counts where its database has it, before what it allows."
        ["cli::each_finding_of_secure_boot_has_a_case_and_one_that_just_does_not",
         "cli::keys_and_lists_of_recorded_machines_are_recognised",
         "cli::an_authority_that_mok_list_has_is_told_from_one_that_only_shim_knows",
         "cli::each_finding_of_the_order_has_a_case_and_one_that_just_does_not"];
    S8 "An authority is logged once in a boot."
        ["cli::each_finding_of_the_order_has_a_case_and_one_that_just_does_not"];
    S9 "An authority before the separator is one of a driver."
        ["boot-claims::authorities_tell_who_allowed_what_and_when"];
    S10 "Authorities of old shims, without owner or with a byte more, are read."
        ["boot-claims::an_authority_without_an_owner_is_a_bare_certificate",
         "event-log::authorities_of_old_shims_keep_what_is_behind_them",
         "event-log::one_byte_behind_what_was_measured"];
    S11 "What shim measures is known by name."
        ["image::systemd_measure_computes_the_same_values_of_pcr_11",
         "event-log::names_that_shim_and_systemd_measure",
         "event-log::variables_are_read_by_name_and_vendor",
         "cli::an_authority_that_mok_list_has_is_told_from_one_that_only_shim_knows",
         "secure-boot-facts::components_of_a_lower_generation_are_named"];
    S12 "The release of dbx is named by its content."
        ["secure-boot-facts::a_dbx_is_named_by_what_it_holds",
         "secure-boot-facts::as_many_digests_of_something_else_are_no_release",
         "cli::keys_and_lists_of_recorded_machines_are_recognised"];
    S13 "What booted is held against the newest dbx that the server has."
        ["secure-boot-facts::an_operators_list_adds_and_takes_nothing_away",
         "cli::what_is_missing_repeated_or_renamed_is_told",
         "cli::each_finding_of_secure_boot_has_a_case_and_one_that_just_does_not"];
    S14 "Test keys, setup mode and keys of the owner are findings."
        ["cli::each_finding_of_secure_boot_has_a_case_and_one_that_just_does_not",
         "cli::keys_and_lists_of_recorded_machines_are_recognised"];
    S15 "The change of certificate authorities of 2023 is told, with who allowed what."
        ["appraise::authorities_of_2011_alone_are_told",
         "cli::recorded_boots_under_authorities_of_2011_say_so"];
    S16 "Weak keys and hashes in db are findings."
        ["efi::small_keys_and_colliding_hashes_are_weak",
         "cli::each_finding_of_secure_boot_has_a_case_and_one_that_just_does_not"];
    S17 "Only the log says that Secure Boot is on, not what the system can write."
        ["boot-claims::what_was_not_measured_is_unknown",
         "boot-claims::a_text_that_was_not_measured_is_unknown"];
    S18 "A database that cannot be read says so."
        ["boot-claims::a_database_that_cannot_be_read_says_so"];
    S19 "No verdict rests on the type of an event alone."
        ["boot-claims::no_other_type_turns_secure_boot_on_or_makes_a_lie_verified"];
};

const BOOT_PATH: &[Requirement] = requirements! {
    B1 "A boot variable is measured whole or by its value."
        ["event-log::boot_variables_are_measured_whole_or_by_value"];
    B2 "The digest of an image is Authenticode's; that of a file is another thing." [
        "image::the_digest_leaves_out_checksum_and_signature_and_nothing_else",
        "image::what_distributions_signed_has_our_digest",
        "image::pesign_computes_the_same_digest",
        "cli::a_reference_of_files_accepts_the_boot_that_used_them_and_no_other",
    ];
    B3 "Applications out of the firmware are not the boot loader."
        ["boot-claims::applications_of_the_firmware_are_not_the_loader",
         "boot-claims::paths_of_recorded_machines_are_told"];
    B4 "Option ROMs are listed with their place."
        ["boot-claims::authorities_tell_who_allowed_what_and_when",
         "boot-claims::loader_kernel_initrd_and_command_line_are_told_in_order"];
    B5 "Attempts that failed, network boots and SysPrep are told apart."
        ["boot-claims::attempts_that_came_back_are_told_from_the_one_that_took_over",
         "boot-claims::boots_from_the_network_are_told_by_their_place",
         "boot-claims::applications_of_the_firmware_are_not_the_loader",
         "boot-claims::paths_of_recorded_machines_are_told"];
    B6 "Boot applications may be in another register than PCR 4."
        ["boot-claims::applications_in_another_register_are_told"];
    B7 "What varies from boot to boot is shown, and not held to be equal."
        ["references::what_varies_from_boot_to_boot_is_shown_and_not_held",
         "cli::each_finding_of_references_has_a_case_and_one_that_just_does_not"];
    B8 "Lines and files of GRUB are read in each form."
        ["event-log::texts_of_grub", "event-log::lines_of_grub_with_each_prefix"];
    B9 "Sections and command lines of unified kernel images are read."
        ["event-log::names_that_shim_and_systemd_measure",
         "event-log::data_of_recorded_events_is_read_and_written_back",
         "boot-claims::sections_of_a_unified_kernel_image_come_in_pairs",
         "boot-claims::a_section_whose_name_was_not_measured_is_the_hosts_word",
         "boot-claims::recorded_boots_are_told_by_their_loaders"];
    B10 "Tags of Linux and systemd are known."
        ["event-log::tags_of_linux_and_systemd", "event-log::tagged_events"];
    B11 "systemd's own log joins that of the firmware."
        ["cli::phases_of_the_running_system_explain_its_pcrs",
         "cli::a_separator_of_the_system_may_close_the_firmwares_pcrs_and_nothing_else_may",
         "cli::no_boot_application_hides_in_the_log_of_the_running_system",
         "userspace-log::records_are_read_in_order"];
    B12 "IMA's log is read, in each of its forms."
        ["ima::both_forms_of_a_list_replay_to_the_pcr_in_each_bank",
         "ima::older_kernels_extend_sha1_and_zeros",
         "ima::the_boot_aggregate_ties_a_list_to_its_boot",
         "ima::a_file_is_no_buffer_whatever_its_template_is_called",
         "ima::recorded_lists_replay_as_far_as_expected",
         "cli::each_finding_of_ima_has_a_case_and_one_that_just_does_not"];
    B13 "A log that was edited after the boot does not replay."
        ["server::an_edited_log_is_not_accepted_and_an_absent_one_neither",
         "event-log::an_altered_log_differs_where_it_was_altered"];
    B14 "Containers of Windows are read, nested and bounded."
        ["event-log::containers_of_windows_are_read_to_a_bounded_depth",
         "event-log::a_value_of_another_size_is_bytes"];
    B15 "Windows ends its phase with separators of its own."
        ["event-log::separators_of_each_value_and_size"];
    B16 "Waking from hibernation and the count of boots are seen."
        ["boot-claims::windows_tells_its_boots_and_whether_it_woke",
         "boot-claims::paths_of_recorded_machines_are_told"];
    B17 "systemd's report is verified." open "systemd's report is no released format yet";
};

const EVENTS: &[Requirement] = requirements! {
    EV1 "An event is written with its change, once, and what changes nothing writes none."
        ["server::a_change_is_told_as_a_cloud_event"];
    EV2 "Who goes on from a cursor misses nothing and gets nothing twice, over restarts and at each server, also where a change commits late."
        ["store::an_event_that_commits_late_is_not_missed",
         "store::events_of_two_servers_are_one_row_without_gaps",
         "server::nothing_is_missed_or_doubled_over_restarts",
         "server::who_listens_at_one_server_hears_of_all"];
    EV3 "A cursor that is too old, or that the store never gave, is refused, and nothing is left out silently."
        ["server::a_filter_lets_through_what_fits"];
    EV4 "A stream tells what fits and what its reader may know, is one of a limited number, and holds up nobody."
        ["server::all_of_a_filter_must_fit",
         "server::who_may_know_of_some_hosts_hears_of_those",
         "server::streams_are_limited_and_end_with_the_server"];
    EV5 "A channel tells in order, at least once and known by its identifier, over failures, a kill and two servers."
        ["server::a_webhook_is_a_signed_cloud_event",
         "server::what_fails_is_tried_again_and_what_is_behind_it_waits",
         "server::a_server_that_is_killed_before_it_noted_it_tells_it_again",
         "server::two_servers_deliver_once",
         "server::what_is_next_never_passes_over_what_fits"];
    EV6 "What cannot be told is a dead letter that a person sees, and blocks nothing for ever."
        ["server::what_is_refused_dies_and_blocks_nothing",
         "server::tries_come_later_each_time_and_end"];
    EV7 "Receivers are verified, redirects not followed, answers bounded, link-local addresses refused; secrets are sealed."
        ["server::a_test_says_step_by_step_what_happened",
         "server::link_local_addresses_are_refused_in_each_form",
         "server::only_what_is_wrong_with_the_message_is_refused",
         "server::a_secret_is_opened_by_its_key_and_for_its_channel",
         "server::what_is_no_channel_is_refused"];
    EV8 "Each kind of channel is what its standard says, and no word of a host breaks out of its place."
        ["server::a_signature_is_that_of_the_specification",
         "server::alertmanager_has_an_alert_as_long_as_its_alarm_stands",
         "server::one_mail_tells_a_cause_by_tls",
         "server::one_mail_tells_a_cause_by_starttls",
         "server::one_mail_is_for_one_cause_and_not_for_one_host",
         "server::no_word_of_a_host_becomes_a_header",
         "server::syslog_ng_reads_each_record",
         "server::a_record_cannot_be_broken_by_what_is_in_it"];
    EV9 "Channels are silent about hosts in maintenance and about what people know, until that ends."
        ["server::maintenance_and_acknowledgements_are_silent_until_they_end",
         "server::a_channel_tells_what_fits_and_is_not_muted"];
};

const CONTRACT: &[Requirement] = requirements! {
    K1 "The document is made from the handlers, is complete, is served, and is frozen."
        ["server::the_frozen_document_is_what_the_server_says",
         "server::each_operation_says_what_it_is",
         "server::codes_that_operations_name_are_known_and_none_is_left_over",
         "server::the_document_is_served"];
    K2 "What would break a client that knows the document is refused."
        ["server::what_breaks_clients_is_found",
         "server::what_breaks_nobody_is_let_through"];
    K3 "The server answers as the document says, also what it does not foresee (schemathesis)."
        ["server::the_server_answers_as_its_document_says"];
    K4 "A request with a key is done once: over crashes, by two servers, and with its answer sealed."
        ["server::a_request_with_a_key_is_done_once",
         "server::keys_that_are_none_are_refused",
         "server::keys_of_two_callers_are_two",
         "server::a_database_alone_opens_no_answer",
         "server::what_nobody_knows_the_end_of_is_not_done_again",
         "server::two_servers_on_one_database_do_it_once"];
    K5 "A change that would lose another is refused, and what a client has is not sent again."
        ["server::a_change_that_would_lose_another_is_refused",
         "server::what_the_client_has_is_not_sent_again"];
    K6 "Texts, bodies, numbers, paths and headers that are built to hurt do none."
        ["server::hostile_texts_in_every_parameter_and_field",
         "server::bodies_that_are_built_to_hurt",
         "server::paths_that_lead_elsewhere",
         "server::floods_of_headers_end_the_connection_and_nothing_else",
         "server::http_2_is_not_spoken"];
    K8 "The client has a method for each operation, and asks again only where that does no harm."
        ["client::each_operation_of_the_api_has_its_method_and_no_other",
         "client::what_is_sent_under_a_key_is_what_takes_one",
         "client::what_a_path_names_cannot_leave_its_place",
         "client::a_busy_server_is_asked_again_and_when_it_says",
         "client::a_server_that_asks_for_an_hour_is_left_to_a_person",
         "client::a_change_is_sent_again_under_one_key_and_another_one_under_another",
         "client::what_may_not_be_tried_twice_is_sent_once",
         "client::it_has_an_end",
         "client::what_stays_is_not_asked_again_and_the_server_says_when"];
    K9 "Each list in pages goes on by one cursor, and refuses what is none."
        ["server::each_list_in_pages_goes_on_by_cursor",
         "server::what_is_no_cursor_is_refused_by_each_list"];
    K7 "Every refusal is a problem that says what to do."
        ["server::refusals_are_problems_whatever_is_wrong"];
};
