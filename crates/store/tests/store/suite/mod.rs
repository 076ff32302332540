//! The one suite for every implementation of `Store`. A database is tested by
//! `store_suite!(super::open)`, where `open` gives a fresh store and what keeps it alive; where it is async,
//! by `store_suite!(super::open => async)`.

pub(crate) mod alarm;
pub(crate) mod appraisal;
pub(crate) mod approval;
pub(crate) mod attention;
pub(crate) mod candidate;
pub(crate) mod channel;
pub(crate) mod client_certificate;
pub(crate) mod ek_list;
pub(crate) mod enrolment;
pub(crate) mod event;
pub(crate) mod host;
pub(crate) mod host_order;
pub(crate) mod host_view;
pub(crate) mod idempotent;
pub(crate) mod inventory;
pub(crate) mod looks;
pub(crate) mod make;
pub(crate) mod objects;
pub(crate) mod operation;
pub(crate) mod peers;
pub(crate) mod people;
pub(crate) mod policy;
pub(crate) mod reference;
pub(crate) mod report;
pub(crate) mod routine;
pub(crate) mod standing;
pub(crate) mod thinning;
pub(crate) mod token;
pub(crate) mod trust;

/// One `#[tokio::test]` for each case of the suite.
macro_rules! store_suite {
    ($open:path) => { store_suite!(@all ($open())); };
    // `open` is async.
    ($open:path => async) => { store_suite!(@all ($open().await)); };
    (@all $open:tt) => {
        store_suite!(@cases $open;
            token: secret_is_made_once, api_token_lives_until_it_expires,
                the_last_use_of_an_api_token_goes_forward, api_token_names_are_unique, join_token_is_used_up_and_revoked;
            people: accounts_are_added_and_changed, a_provider_ends_sessions_that_it_vouched_for, the_last_administrator_stays,
                sessions_end_by_time_and_with_what_they_rest_on, sessions_are_listed_and_ended,
                the_setup_code_makes_one_account, an_account_ends_the_setup_code,
                failed_logins_are_told_without_unknown_names;
            trust: generation_moves_only_on_change;
            host: join_takes_one_use, pages_meet_without_gap, same_name_at_two_hosts,
                disconnect_and_reconnect, approval_is_kept, removal_takes_everything_of_the_host,
                notes_go_forward_and_need_a_host;
            host_order: a_list_has_the_order_that_is_asked_for, what_stands_is_that_of_the_last_look;
            host_view: each_sees_their_own_and_everybodys, views_go_with_their_account_and_are_limited;
            inventory: labels_are_replaced_where_they_are_known, labels_are_put_on_and_taken_off, labels_of_a_host_are_limited,
                a_token_labels_what_joins_with_it, a_list_shows_what_fits,
                a_list_lets_through_what_may_have_the_finding, a_list_lets_through_what_may_have_the_verdict, maintenance_begins_and_ends;
            ek_list: a_list_says_whom_one_expects, a_list_shows_who_has_not_joined,
                a_token_may_admit_listed_keys_alone, a_token_may_admit_one_list;
            enrolment: happens_once, proof_must_be_right, expires, second_host_with_the_same_ek,
                token_ends_while_pending, known_host_needs_a_person, new_identity_starts_afresh,
                founding_story, unfinished_ones_are_limited, consent_is_asked_by_token_or_key,
                concurrent_completions_take_one_use;
            candidate: one_of_a_host_waits, a_person_puts_another_tpm_in_the_place,
                a_new_key_of_the_same_tpm_needs_nobody, past_identities_are_limited,
                an_agent_without_its_token_needs_a_person;
            approval: what_waits_is_found_and_decided_once, another_tpm_is_refused_and_waits_no_more,
                references_wait_until_somebody_decides;
            appraisal: nonce_is_used_once, one_of_many_wins_a_nonce, needs_the_judged_identity,
                kept_parts_are_those_of_evidence_before, what_judgements_rest_on_is_listed_once,
                a_line_of_the_history_says_what_decided,
                evidence_is_shared_and_verbatim, summary_is_the_last, younger_wish_survives,
                history_is_forgotten_but_the_last, audit_tells_changes_of_verdict,
                audit_chain_holds_and_finds_changes, many_at_once;
            looks: many_hosts_show_their_tokens_at_once, anchors_and_references_are_looked_up_at_once;
            routine: what_goes_on_as_it_was_is_recorded_together, each_of_a_group_is_refused_by_itself,
                what_changes_is_recorded_beside_what_does_not;
            alarm: a_host_is_due_after_each_change_and_when_its_verdict_ends,
                an_alarm_stands_as_long_as_its_cause, a_change_during_a_look_keeps_the_host_due,
                alarms_of_one_cause_are_one_group, a_person_knows_of_alarms_for_a_time,
                alarms_come_in_pages_and_go_with_their_host;
            idempotent: one_is_done_and_answered_again, one_of_many_that_come_at_once_is_the_first,
                those_of_a_caller_are_limited;
            operation: a_probe_writes_and_changes_nothing, one_policy_is_in_force,
                a_note_is_a_row_of_the_chain, hosts_are_counted_as_they_stand;
            attention: findings_and_minorities_are_counted;
            standing: each_hour_has_its_last_count_and_old_ones_go;
            policy: the_same_policy_is_kept_once,
                one_version_counts_and_who_decided_about_another_is_told,
                what_counts_is_kept_and_the_oldest_others_go;
            event: each_change_tells_once_and_in_order, what_changes_nothing_tells_nothing,
                a_reader_goes_on_where_it_was, what_was_forgotten_is_said,
                what_is_raised_in_maintenance_is_told_afterwards,
                an_acknowledgement_that_ends_is_told_again, what_ends_by_time_ends_once;
            channel: a_channel_is_held_by_one, progress_is_noted_by_who_holds_it,
                dead_letters_wait_for_a_person, a_channel_is_changed_paused_and_removed;
            client_certificate: is_issued_to_an_accepted_host_alone, an_authority_is_replaced, a_challenge_is_answered_once,
                one_of_many_answers_gets_a_certificate, what_is_revoked_is_listed_until_it_ends,
                a_removed_hosts_certificates_are_revoked, keys_of_another_tpm_are_told_apart,
                a_key_that_a_person_revoked_gets_none, those_of_a_host_are_limited, who_gets_one_is_looked_at;
            thinning: old_history_keeps_one_a_day_and_each_change,
                what_somebody_needs_of_the_history_stays, a_run_goes_on_where_it_was,
                evidence_that_packs_comes_back_as_it_was;
            report: a_report_is_sent_once_by_one, a_try_that_failed_comes_again;
            peers: a_majority_is_counted, hosts_of_a_cohort_come_in_pages;
            reference: a_life_goes_forward_only, references_count_for_their_hosts,
                content_is_not_added_twice_nor_after_it_was_revoked,
                references_of_a_scope_are_limited, a_reference_of_one_boot_is_used_for_one,
                no_verdict_by_references_that_are_not_those,
                evidence_is_judged_anew_without_getting_younger;
        );
    };
    (@cases $open:tt; $($module:ident: $($case:ident),+;)+) => {
        $(mod $module {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let (store, _keep) = $open;
                crate::suite::$module::$case(&store).await;
            })+
        })+
    };
}
pub(crate) use store_suite;
