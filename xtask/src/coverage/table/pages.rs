//! Pages.

use super::Requirement;

pub(super) const PAGES: &[Requirement] = requirements! {
    W1 "The story that Bootproof began with is walked on the page, from first start to passed."
        ["server::the_founding_story_is_walked_on_the_page",
         "server::an_alarm_is_acknowledged_and_cleared_on_the_page_and_a_report_downloaded"];
    W2 "Each page is for everybody: no violation that axe knows, no width that does not fit, by keyboard alone."
        ["server::each_page_is_for_everybody_and_shows_hostile_names_as_text"];
    W3 "What hosts and people write is text on a page: escaped, with what is hidden made visible, and cut."
        ["pages::html_is_text", "pages::nothing_turns_the_reading_direction_or_hides",
         "pages::a_long_text_is_cut_and_says_so", "pages::commands_stand_out_and_are_escaped_too",
         "pages::what_is_no_html_is_shown_by_the_same_rules",
         "server::what_a_host_sends_is_text_on_each_page",
         "fleet-report::a_name_is_no_formula"];
    W4 "Nobody is sent to another site, and no link puts words into the server's mouth."
        ["server::nobody_is_sent_to_another_site", "server::only_words_of_the_table_are_told"];
    W5 "What is not known never looks good."
        ["pages::what_is_not_known_is_never_good"];
    W6 "What somebody was writing when the session ended, when a part of it was wrong, or when somebody else was faster, is not lost."
        ["server::a_policy_is_written_tried_and_activated_on_the_page",
         "server::a_form_is_held_but_for_what_is_secret", "pages::a_field_gives_back_what_it_was_given",
         "server::a_held_form_is_carried_through_the_provider_with_chromium",
         "server::a_short_form_outlives_its_server_and_a_long_one_is_said_to_be_gone",
         "server::a_short_form_goes_along_and_a_long_one_is_given_back_once",
         "server::a_shelf_has_few_places_and_a_short_memory"];
    W7 "A policy is kept, compared, tried and activated on the page; of two who decide at once the second is told."
        ["server::a_policy_is_written_tried_and_activated_on_the_page",
         "server::a_policy_is_kept_tried_and_activated",
         "server::what_is_activated_at_one_server_counts_at_the_other",
         "server::a_file_counts_before_what_was_activated_and_is_kept"];
    W8 "Accounts, sessions, tokens and channels are looked after on the page; what is secret is shown once."
        ["server::people_tokens_and_channels_are_looked_after_on_the_page"];
    W9 "Two boots are compared in words, and a change is accepted as it was looked at."
        ["server::what_is_different_between_two_boots_is_told_in_words",
         "server::a_boot_of_before_the_keys_changed_is_compared_by_the_keys_of_then",
         "server::a_change_is_compared_and_accepted_on_the_page"];
    W10 "With 100,000 hosts a page takes 50 ms, that of a host with 200 events 100 ms, and the first one has 100 KiB at most."
        ["server::a_page_of_a_large_fleet_is_quick",
         "server::a_page_of_a_large_fleet_is_quick_on_postgresql",
         "store::each_order_is_that_of_an_index",
         "store::few_hosts_are_read_by_their_identifiers_and_many_in_the_order_of_the_list"];
    W11 "How the fleet stood is drawn so that one host of many is seen, and hours that nobody counted are left out."
        ["pages::a_bar_says_how_many_and_one_bad_host_is_seen",
         "pages::hours_that_nobody_counted_are_left_out"];
    W12 "A list of hosts is sorted by what somebody asks for, from both ends; pages meet, and a cursor goes on in its own order alone."
        ["server::a_list_is_sorted_by_what_somebody_asks_for",
         "store::a_list_has_the_order_that_is_asked_for", "store::what_stands_is_that_of_the_last_look",
         "server::a_cursor_survives_any_name", "server::a_cursor_that_somebody_made_up_is_none",
         "server::a_cursor_goes_on_in_its_own_order_alone", "server::clients_know_each_order",
         "pages::a_heading_sorts_by_its_column_and_then_from_the_other_end",
         "pages::each_order_can_be_chosen_from_both_ends"];
    W13 "A list is kept under a name: one's own seen by nobody else and gone with the account, everybody's told in the audit log."
        ["server::a_person_sees_their_own_and_everybodys", "server::what_no_list_can_show_is_not_kept",
         "server::a_view_is_kept_and_used_on_the_command_line",
         "store::each_sees_their_own_and_everybodys",
         "store::views_go_with_their_account_and_are_limited"];
    W14 "A form that comes twice doubles nothing, and what is not done a second time is said."
        ["server::a_form_that_comes_twice_doubles_nothing", "server::a_decision_is_taken_once",
         "server::a_change_is_accepted_once_and_only_as_it_was_looked_at",
         "server::a_policy_is_activated_once_and_not_over_one_that_nobody_saw"];
    W15 "The history of a host is shown by what decided each judgement, without reading them."
        ["store::a_line_of_the_history_says_what_decided"];
    W16 "A list that fits on its last page has no next one, in the API as on pages."
        ["server::a_list_that_fits_on_a_page_has_no_other", "server::a_page_follows_where_a_row_does"];
    W17 "A list by verdict or finding shows each host that may have it, and reads few where few have it."
        ["store::a_list_shows_hosts_with_a_finding", "store::a_list_lets_through_what_may_have_the_verdict",
         "store::few_hosts_are_read_by_their_identifiers_and_many_in_the_order_of_the_list"];
    W18 "A report that is saved from the page has its signature beside it, in an archive that others open."
        ["server::an_alarm_is_acknowledged_and_cleared_on_the_page_and_a_report_downloaded",
         "fleet-report::an_archive_is_one_that_others_open"];
    W19 "What cannot be shown is told on a page with the menu and the request's identifier; programs are told facts."
        ["server::what_cannot_be_shown_is_told_within_the_menu",
         "server::a_viewer_is_told_what_it_takes_and_a_stranger_sees_no_menu",
         "pages::a_path_stands_below_the_line_that_it_begins_with"];
    W20 "A page that is not true any more says so: what is gone, and a server that does not answer."
        ["server::a_page_says_that_it_is_of_before", "server::an_age_is_told_in_its_own_unit"];
    W21 "Hosts are called by their names, also those that were removed."
        ["server::a_host_that_was_removed_keeps_its_name_in_what_changed",
         "pages::a_host_is_called_by_its_name"];
};
