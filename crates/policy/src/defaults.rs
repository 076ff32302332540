//! The defaults as a file, for people to start from.

use std::fmt::Write as _;

use appraise::{Policy, unchangeable};
use findings::CATALOGUE;
use tpm_wire::PcrSet;

/// The default policy as TOML, each key with what it does. Reading it gives the default.
pub fn defaults() -> String {
    let policy = Policy::default();
    let list = |pcrs: PcrSet| {
        let indices: Vec<_> = pcrs.iter().map(|index| index.to_string()).collect();
        format!("[{}]", indices.join(", "))
    };
    let mut text = format!(
        "\
# A policy of Bootproof: what must hold for a host to be accepted. Each key has its default here,
# and one that is left out has it too.
#   bootproof policy check FILE   says whether a file is a policy, and what it changes
#   bootproof policy try FILE     says which hosts of the fleet would change

[pcrs]
# PCRs that each quote must cover, all in one bank. 0 to 7 always belong to them.
required = {}
# PCRs that the running system goes on extending after the boot log ends (10: IMA, 11 to 15:
# systemd, 17 to 22: a dynamic launch). Where one of them differs from its replay that is no
# fault, but nothing is believed of it. Others than these must replay in any case.
continued = {}

[banks]
# The weakest bank in which the required PCRs must be quoted: sha256, sha384 or sha512.
minimum = \"{}\"

[endorsement]
# Whether an endorsement key certificate that has expired is a warning instead of a failure.
permit_expired = {}
# Endorsement keys without a certificate that a person knows, one table each; the finding
# ek-cert-absent names the digest. It warns then, up to the end of that day.
# [[endorsement.approved]]
# ek_sha256 = \"5f2c...\"
# reason = \"hypervisor 7 gives its guests none, ticket 4711\"
# expires = 2027-01-31

[tpm.minimum_firmware]
# The oldest firmware that TPMs of a vendor may have, by the vendor's short name. The version is the
# host's word, and where it says none, that of the certificate.
# IFX = \"7.85\"
# NTC = \"1.3.2.20\"

[verdict]
# Seconds for which a verdict counts; left out: two intervals of the server's attestation.
# good_for_s = 600

# How often the hosts with some labels are judged; the first table that fits counts, and hosts that
# none fits are judged as the server is configured.
# [[schedule]]
# labels = {{ site = \"muc\" }}
# interval_s = 3600
# jitter_pct = 10             # give or take so many hundredths of the interval
# verdict_good_for_s = 7200   # left out: two intervals

[secure_boot]
# SHA-256 fingerprints of the certificates that may allow something to run, or names such as
# \"Microsoft UEFI CA 2023\"; left out: whatever the host's db has.
# allowed_authorities = [\"Microsoft UEFI CA 2023\", \"Microsoft Corporation UEFI CA 2011\"]
# The oldest release of dbx and the oldest level of SBAT that are accepted.
# minimum_dbx = \"2025-05-07\"
# minimum_sbat = \"2024010900\"

[ima]
# Whether the measurement list of IMA is judged, where agents send it (`bootproof-agent run --ima`):
# \"off\"; \"observe\": its findings warn; \"enforce\": they fail. PCR 10 is quoted then.
# mode = \"off\"
# pcr = 10
# Lines of `sha256sum`: the digests that files may have. The file lies beside this one.
# allow_list = \"ima-allow.txt\"
# Certificates of who may sign files (security.ima), PEM or DER.
# signers = [\"ima-signer.pem\"]

[references]
# What is done where a host does not boot what its references expect. \"off\": nothing is compared;
# \"observe\": a change warns; \"enforce\": it fails where a reference applies; \"require\": so does a
# host without a reference.
mode = \"{}\"
# PCRs that must be equal, as far as a reference speaks of them. The others are shown where they vary.
pcrs = {}
# Changes that are set aside, by the subject of a measured event (a * at its end stands for the rest):
# [[references.ignore]]
# pcr = 8
# subject = \"set timeout=*\"
# reason = \"differs between racks, ticket 4711\"
# expires = 2027-01-31

[quirks]
# Known deviations that are refused, by the names of `bootproof quirks`.
# refuse = [\"ek-cert-no-manufacturer\"]
# Those that are refused by themselves, and are accepted.
# permit = [\"exit-boot-services-not-logged\"]

[rules]
# Rules of your own in Rego: `package bootproof` with the sets fail, warn and info.
# file = \"site.rego\"

# How severe a finding is: \"fail\", \"warn\", \"info\" or \"ignore\". To take one less seriously
# than by itself needs a reason and a date up to which that holds; it stays in each result, marked
# as waived.
#
# [findings.secure-boot-off]
# severity = \"warn\"
# reason = \"lab machines, ticket 4711\"
# expires = 2027-01-31
#
# The findings, with the severity that they have by themselves:
",
        list(policy.required_pcrs()),
        list(policy.continued_pcrs()),
        policy.minimum_bank().as_str(),
        policy.expired_endorsement() == appraise::ExpiredEndorsement::Permit,
        policy.references.mode.as_str(),
        list(policy.references.pcrs),
    );
    for entry in CATALOGUE {
        let fixed =
            if unchangeable(entry.code).is_some() { "  (no policy changes it)" } else { "" };
        // Writing into a String cannot fail.
        let _ = writeln!(text, "#   {:<24} {}{fixed}", entry.name, entry.severity.as_str());
    }
    text
}
