//! Policy files.

use std::collections::HashMap;

use appraise::unchangeable;
use tpm_wire::PcrSet;

/// What is read is a policy that takes no proof away; what is not has its place in the text.
pub(crate) fn policy(bytes: &[u8]) {
    let Ok(text) = core::str::from_utf8(bytes) else { return };
    let names = policy::named_files(text);
    // Each file that it names is one that any table may name, so that reading goes on.
    let files: HashMap<String, Vec<u8>> =
        names.into_iter().map(|name| (name, allowed().into_bytes())).collect();
    match policy::read_with(text, &files) {
        Ok(policy) => {
            assert!(policy.required_pcrs().contains_all(PcrSet::FIRMWARE));
            assert!(policy.waivers().all(|(code, ..)| unchangeable(code).is_none()));
            let must_replay = PcrSet::FIRMWARE.with(8).with(9).with(14);
            assert!(must_replay.minus(policy.continued_pcrs()) == must_replay);
            super::show(&policy);
        }
        Err(err) => {
            assert!(err.line <= text.lines().count() + 1, "{err:?}");
            super::show(&err.to_string());
        }
    }
}

fn allowed() -> String {
    format!("{}  /bin/sh\n", "5a".repeat(32))
}
