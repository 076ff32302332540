//! What leaves the server for programs of others beside it: parts of evidence, and traces.

use super::Requirement;

pub(super) const EVIDENCE_STORE: &[Requirement] = requirements! {
    ES1 "Long parts of evidence lie outside of the database, once each, and come back as they were."
        ["evidence-objects::objects_live_in_a_bucket",
         "evidence-objects::objects_live_in_a_folder",
         "server::a_bucket_has_the_logs_and_belongs_to_one_database"];
    ES2 "No verdict is told whose evidence is not kept; where its place is away, who brings a new log waits."
        ["server::hosts_with_a_new_log_wait_while_the_place_is_away",
         "evidence-objects::who_may_not_or_cannot_is_told_which"];
    ES3 "An object that is missing or damaged is said, passes nothing, and comes back with the same bytes."
        ["server::what_is_lost_counts_no_more_where_it_is_judged_anew_and_comes_back"];
    ES4 "A removal meets no new reference, and of two databases none removes what is the other's."
        ["evidence-objects::a_name_says_what_is_in_it_and_is_never_given_twice",
         "evidence-objects::a_bucket_is_ones_until_another_one_adopts_it",
         "server::what_no_row_names_is_swept_when_it_is_old_and_nothing_else",
         "server::a_place_that_is_wrong_is_said_before_anything_is_served",
         "server::a_restored_server_uses_the_objects_when_it_is_told_that_they_are_its_own"];
    ES5 "Evidence is moved there and back while the server serves."
        ["server::evidence_is_moved_there_and_back_while_the_server_serves"];
    ES7 "A support bundle brings parts that lie outside of the database, or names those that could not be had."
        ["server::evidence_that_lies_outside_of_the_database_is_in_it_or_named"];
    ES6 "Keys are in a file that nobody else reads, are never shown, and nothing goes over a network in the clear."
        ["server::keys_are_in_a_file_that_nobody_else_reads_and_are_not_shown",
         "evidence-objects::nothing_goes_over_a_network_in_the_clear",
         "evidence-objects::keys_are_not_shown"];
};

pub(super) const TRACES: &[Requirement] = requirements! {
    OT1 "A request is a span with its judgement and its commit, as a collector decodes it; no word of a host, no token."
        ["server::an_attestation_is_a_request_with_its_judgement_and_its_commit"];
    OT2 "A caller's trace is kept where the caller keeps it; a host does not choose."
        ["server::a_caller_decides_whether_its_trace_is_kept_and_a_host_does_not"];
    OT3 "A collector that is away holds nobody up, and what is not sent is counted."
        ["server::a_collector_that_is_away_holds_nobody_up",
         "server::what_waits_is_sent_when_the_server_ends"];
    OT4 "Spans go over no network in the clear."
        ["server::spans_go_over_no_network_in_the_clear"];
};
