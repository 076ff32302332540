//! Reports to hand on.

use super::Requirement;

pub(super) const REPORTS: &[Requirement] = requirements! {
    RP1 "A report tells what counts, why, since when and what to do; what nobody checked is never met."
        ["server::a_report_tells_what_counts_and_what_nobody_checked",
         "fleet-report::what_was_not_checked_is_never_met",
         "fleet-report::what_was_not_measured_is_not_checked",
         "fleet-report::each_answer_follows_from_what_was_measured",
         "fleet-report::what_counts_no_more_meets_nothing",
         "fleet-report::firmware_without_a_reference_is_not_checked",
         "fleet-report::esxi_is_asked_what_its_guides_ask_and_settings_that_nobody_sees_are_never_met",
         "fleet-report::only_a_whole_fleet_that_passed_is_good"];
    RP2 "PDF, HTML and CSV are read by other programs, show the same, and name the JSON that they show."
        ["fleet-report::a_fleet_is_told_from_verdict_to_digest",
         "fleet-report::json_and_signature_are_attached_as_they_are",
         "fleet-report::each_kind_is_made_of_no_host_of_one_and_of_many",
         "server::a_pdf_of_the_server_is_read_by_others"];
    RP3 "What hosts send steers no reader, and nothing stands beside its column."
        ["fleet-report::a_hostile_name_is_text_that_steers_nothing_and_takes_no_room",
         "fleet-report::what_the_font_has_not_is_shown_by_its_number",
         "fleet-report::no_line_is_wider_than_its_column_and_nothing_is_lost",
         "fleet-report::what_is_no_report_carries_none"];
    RP4 "Whoever has the server's keys sees a changed byte, a changed page, a foreign key, another kind of token."
        ["server::whoever_has_the_keys_sees_what_was_changed"];
    RP5 "A report is of the hosts that are meant and that one may see; what is no report is refused."
        ["server::a_report_is_of_the_hosts_that_are_meant_and_that_one_may_see",
         "server::decisions_about_other_hosts_are_not_told",
         "server::what_is_no_report_is_refused"];
    RP6 "A report comes by mail by one of the servers, once for the times that were missed, and is tried again."
        ["server::a_report_comes_by_mail_once_for_the_times_that_were_missed",
         "server::a_relay_that_is_away_is_told_and_tried_again",
         "server::two_servers_send_one_report_for_each_time",
         "server::a_report_whose_server_is_killed_at_it_comes_once_from_the_other",
         "server::times_come_again_and_the_present_one_counts_as_the_last",
         "server::what_is_no_time_is_refused"];
};
