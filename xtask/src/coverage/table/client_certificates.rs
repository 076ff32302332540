//! Certificates of accepted hosts.

use super::Requirement;

pub(super) const CLIENT_CERTIFICATES: &[Requirement] = requirements! {
    C1 "A certificate is for a key that the TPM of the host made and keeps, and that it answers with."
        ["verify::each_kind_of_ak_certifies_a_key", "verify::each_attribute_is_looked_at",
            "verify::curve_scheme_and_name_algorithm_are_looked_at", "verify::what_was_signed_is_looked_at",
            "verify::another_tpms_word_is_none", "verify::who_has_the_key_signs_with_it",
            "server::another_tpms_key_and_another_key_are_refused",
            "server::keys_of_other_kinds_in_the_same_tpm_are_refused"];
    C2 "Its challenge works once, for its host and for nothing else."
        ["store::a_challenge_is_answered_once", "store::one_of_many_answers_gets_a_certificate",
            "verify::a_challenge_of_another_purpose_is_foreign", "server::a_challenge_is_answered_once_by_its_host"];
    C3 "An accepted host alone gets one, for the boot that was judged, no longer than the verdict counts."
        ["store::is_issued_to_an_accepted_host_alone", "server::a_host_that_is_not_accepted_gets_none",
            "server::a_boot_that_nobody_judged_gets_none", "server::an_accepted_host_gets_one_with_its_name_alone"];
    C4 "What a host may not have any more is revoked, and listed until it ends."
        ["store::what_is_revoked_is_listed_until_it_ends", "store::a_removed_hosts_certificates_are_revoked",
            "store::keys_of_another_tpm_are_told_apart", "store::who_gets_one_is_looked_at",
            "server::what_a_host_may_not_have_any_more_is_revoked",
            "server::another_tpm_in_the_hosts_place_ends_its_certificate",
            "server::a_list_is_signed_and_says_why",
            "server::a_list_is_signed_anew_after_a_change_and_when_half_its_time_is_over"];
    C5 "The authority is apart, names its trust domain alone, and is one for servers that share a store."
        ["server::a_kept_authority_is_the_same_and_names_its_domain_alone",
            "server::the_authority_vouches_for_nobody_else", "server::servers_that_share_a_store_are_one_authority"];
    C6 "Programs of others take it, use its key in the TPM, and refuse it once it is revoked."
        ["server::openssl_takes_a_certificate_until_it_is_revoked",
            "server::openssl_makes_a_handshake_with_the_key_in_the_tpm",
            "server::rustls_takes_one_where_uris_are_not_constrained",
            "agent::a_key_is_written_as_its_readers_want_it"];
    C7 "The agent keeps one as long as the host is accepted, and removes it when the server says no."
        ["server::an_agent_keeps_one_as_long_as_its_host_is_accepted",
            "server::a_courier_tells_when_the_verdict_changes", "agent::files_have_their_modes_and_come_whole"];
    C9 "The authority is replaced by another: both are trusted while certificates of both are good, and no longer."
        ["server::certificates_of_both_authorities_are_taken_until_the_former_ones_end",
            "server::two_servers_replace_the_authority_once", "store::an_authority_is_replaced",
            "server::the_bundle_grows_with_each_change", "server::the_end_of_an_authority_is_told_before"];
    C8 "People see and revoke them, and a host cannot flood the list."
        ["server::a_person_sees_and_revokes_them", "store::a_key_that_a_person_revoked_gets_none",
            "store::those_of_a_host_are_limited"];
};
