//! What the command line shows on terminals.

use super::Requirement;

pub(super) const TERMINAL: &[Requirement] = requirements! {
    TE1 "What is watched is drawn over itself, fits its window whatever its size, and never clears it."
        ["server::a_list_is_drawn_over_itself_and_fits_its_window", "cli::a_block_is_drawn_over_the_one_before",
         "cli::a_line_is_cut_by_columns_and_colours_end_with_it", "cli::what_is_taller_than_the_window_says_how_much",
         "cli::a_narrower_window_has_broken_the_lines",
         "cli::a_row_of_a_block_is_one_line_and_no_wider_than_its_table"];
    TE2 "Elsewhere each change is a block or a line of JSON, and the exit code says what was shown last."
        ["server::through_a_pipe_each_change_is_a_line_or_a_block",
         "server::the_program_ends_with_2_without_a_context"];
    TE3 "A server that comes back is listened to again, what was missed is seen, and a token that ended is told."
        ["server::a_server_that_comes_back_is_listened_to_again_and_an_ended_token_is_told"];
    TE4 "No word of a host steers a terminal or turns what is read."
        ["cli::a_hosts_words_cannot_steer_the_terminal"];
    TE5 "The help of each command says what its list says of it, has an example, and fits a terminal; a noun alone has its verbs."
        ["cli::a_command_says_of_itself_what_its_list_says_of_it_and_has_an_example",
         "cli::a_noun_alone_is_answered_with_its_verbs",
         "cli::no_line_of_the_help_is_broken_by_a_terminal",
         "server::no_line_of_the_help_is_broken_by_a_terminal"];
    TE6 "A reader that goes away is no fault."
        ["cli::a_reader_that_goes_away_is_no_fault"];
    TE7 "What was not counted, not read and not there is not told as nothing wrong."
        ["cli::what_was_not_counted_is_not_nothing", "cli::of_no_log_nothing_is_said",
         "cli::a_table_without_rows_is_a_sentence"];
};
