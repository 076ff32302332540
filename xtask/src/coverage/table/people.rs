//! People and programs, and what they may do.

use super::Requirement;

pub(super) const PEOPLE: &[Requirement] = requirements! {
    PE1 "Each endpoint wants its role, and lets in no token that is void."
        ["server::each_operation_is_in_the_table",
         "server::each_endpoint_wants_its_role",
         "server::each_endpoint_wants_a_page_of_its_own_and_an_account_that_is_enabled",
         "server::a_hosts_token_opens_no_record_of_a_host"];
    PE2 "A token that is limited to some hosts sees and steers those and no other, one by one and many at once."
        ["server::a_limited_token_sees_its_hosts_and_no_other",
         "server::a_host_must_have_all_labels"];
    PE3 "An API token is shown once, ends by itself or at once, and says who made it and when it was used."
        ["server::a_token_lives_from_its_making_to_its_end",
         "server::a_token_that_cannot_be_is_not_made",
         "server::tokens_are_made_and_ended_from_the_command_line"];
    PE4 "The first account is made with a code that is printed and good once; the last administrator stays."
        ["server::the_first_account_is_made_with_the_printed_code",
         "server::tries_of_the_code_are_few",
         "server::people_log_in_and_are_managed_from_the_command_line"];
    PE5 "A session ends by time, by a person, and on all servers when role, password or account change."
        ["server::what_a_session_rests_on_ends_it_when_it_changes",
         "server::a_session_ends_by_itself_and_by_a_person",
         "server::what_one_server_ends_is_ended_at_the_other"];
    PE6 "A cookie counts only with its CSRF token and from a page of this server; a token shown as one needs neither."
        ["server::a_cookie_is_for_pages_of_this_server_alone",
         "server::a_session_can_be_shown_as_a_token"];
    PE7 "Who guesses passwords waits, learns nothing of accounts, and neither fills the audit log nor costs memory."
        ["server::who_guesses_waits_and_learns_nothing",
         "server::the_delay_grows_with_each_wrong_login",
         "server::an_account_that_is_flooded_is_slow_and_not_shut",
         "server::what_is_remembered_is_bounded",
         "server::a_flood_of_logins_is_turned_away",
         "server::a_flood_is_told_as_a_number",
         "server::a_password_is_long_and_nobodys_first_guess"];
    PE8 "People log in at an identity provider that others wrote and certified, in a browser and on the command line, as what their groups may do."
        ["server::a_person_logs_in_as_in_a_browser",
         "server::a_person_logs_in_with_chromium",
         "server::the_first_entry_that_fits_says_role_and_hosts",
         "server::a_command_line_is_signed_in_by_a_browser",
         "server::any_server_of_a_store_takes_a_person_back",
         "server::a_configuration_that_changes_counts_at_the_next_login",
         "server::the_check_of_a_configuration_asks_the_provider"];
    PE9 "A login at a provider is of one browser, once, and never leads elsewhere; only a token of it, of now and for this server vouches, signed by a key of the provider with that key's algorithm."
        ["server::a_login_is_of_one_browser_and_once",
         "server::nobody_is_sent_to_another_site_afterwards",
         "server::keys_of_a_provider_change_and_it_goes_away",
         "server::a_token_that_is_wrong_lets_nobody_in",
         "server::a_signature_that_is_none_lets_nobody_in",
         "server::each_claim_is_looked_at",
         "server::the_algorithm_is_the_keys",
         "server::a_provider_that_answers_anything_is_told_of_and_bounded",
         "server::a_provider_that_is_another_is_not_gone_to"];
    PE12 "The server proves by a key who it is, where the provider knows one of it."
        ["server::the_server_proves_who_it_is_by_a_key",
         "server::a_token_is_signed_by_the_key_for_this_audience"];
    PE13 "Whom the provider logs out is out here at once; what it did not say ends nothing."
        ["server::whom_the_provider_logs_out_is_out_here",
         "server::a_logout_that_the_provider_did_not_say_ends_nothing",
         "server::a_token_names_a_person_a_session_or_both",
         "server::what_is_no_logout_of_now_and_for_us_ends_nothing",
         "store::a_provider_ends_sessions_that_it_vouched_for"];
    PE10 "Tokens that are not known, and enrolments without an end, are few; who shows what is known is never kept out."
        ["server::who_guesses_tokens_waits_and_nobody_else_does",
         "server::one_that_ended_and_is_shown_on_and_on_slows_down_itself",
         "server::who_shows_what_is_known_is_never_kept_out",
         "server::a_tpm_enrols_in_a_burst_and_then_at_its_pace"];
    PE11 "The last way in of an administrator is not closed by mistake."
        ["server::the_last_way_in_is_closed_on_purpose_only"];
};
