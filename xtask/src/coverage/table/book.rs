//! The book, and what it says one can type.

use super::Requirement;

pub(super) const BOOK: &[Requirement] = requirements! {
    BK1 "Each document is a chapter, each link and anchor leads somewhere, and no path is one of a machine."
        ["handbook::each_file_is_a_chapter_and_each_chapter_a_file", "handbook::each_link_leads_somewhere",
         "handbook::a_link_that_leads_nowhere_is_found", "handbook::what_the_readme_and_the_changelog_name_is_there",
         "handbook::no_path_is_one_of_a_machine",
         "handbook::each_chapter_begins_with_its_heading_and_skips_no_level"];
    BK2 "A chapter is shown under Help without style, script or HTML of its own, and is found by its words."
        ["handbook::nothing_of_a_chapter_is_style_script_or_html_of_its_own",
         "handbook::chapters_have_neighbours_and_no_style_of_their_own",
         "handbook::sections_are_found_by_their_words",
         "server::each_page_is_for_everybody_and_shows_hostile_names_as_text"];
    BK3 "What a document says one can type can be typed."
        ["cli::each_command_of_the_documents_can_be_typed", "cli::a_command_that_cannot_be_typed_is_found"];
};
