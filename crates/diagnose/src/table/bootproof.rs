//! What Bootproof's server and agent print.

use findings::Code;

use crate::signature::{
    Role::{Cause, Harmless, Symptom},
    Signature,
    Source::Bootproof,
};

pub(super) const ROWS: &[Signature] = &[
    Signature::new("B01", (Bootproof, Cause), &["no identity key in the store, try to reconnect the host"], [
        "No identity key is stored for this host",
        "The host joined before its TPM was on, or its enrolment did not complete.",
        "`bootproof host disconnect HOST`, then `bootproof host reconnect HOST`.",
    ]).finding(Code::NoIdentityKey),
    Signature::new("B02", (Bootproof, Cause), &["another TPM was shown"], [
        "A host shows another TPM than the enrolled one",
        "Board or TPM were replaced, or the agent's state was copied to another machine.",
        "`bootproof host show HOST`, compare the digest, and `bootproof host replace` if the replacement is meant.",
    ]).finding(Code::EkChanged),
    Signature::new("B03", (Bootproof, Symptom), &[
        "the TPM was cleared, or is another one: enrolling a new key",
        "the TPM does not know the kept",
    ], [
        "The agent's attestation key is gone",
        "The TPM was cleared or replaced.",
        "Nothing, where the TPM is the same: the agent enrols a new key by itself. Another TPM needs `bootproof host replace`.",
    ]).finding(Code::AkRenewed),
    Signature::new("B04", (Bootproof, Harmless), &["no cached identity key, loading from the store"], [
        "The server reads the host's identity key from its store",
        "Usual after a restart of the server.",
        "Nothing to do.",
    ]),
    Signature::new("B05", (Bootproof, Symptom), &["keys not enrolled"], [
        "A host joined, and its keys were refused",
        "The reason stands in the line.",
        "`bootproof host show HOST` has cause and next step.",
    ]),
];
