//! Response codes that no text of the table carries.

use crate::signature::{Carries, Role::Symptom, Signature, Source::AnyProgram};

pub(super) const ROWS: &[Signature] = &[Signature::new(
    "R01",
    (AnyProgram, Symptom),
    &[],
    ["A TPM command failed", "The response code says why.", "`bootproof tpm rc CODE` explains it."],
)
.carries(Carries::AnyCode)];
