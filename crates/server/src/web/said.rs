//! What is told after something was done. The address has a word of this table and no text, so that
//! no link can put words into the server's mouth.

use pages::Said;
use serde::Deserialize;

/// The query of a page to which one comes back.
#[derive(Deserialize)]
pub(super) struct Done {
    pub(super) done: Option<String>,
}

const DONE: &[(&str, &str)] = &[
    ("attest", "Asked. The verdict shows here as soon as the host has answered."),
    ("disconnect", "Disconnected: the host is not attested until it is reconnected."),
    ("reconnect", "Reconnected: the agent will have its identity key stored anew."),
    ("rotate-key", "Asked: the agent will make a new attestation key at its next contact."),
    ("enter-maintenance", "In maintenance: its alarms are muted."),
    ("leave-maintenance", "Maintenance has ended."),
    ("approve", "Approved: the host is judged from now on."),
    ("replace", "The other TPM takes the old one's place when it enrols."),
    ("accept-change", "Accepted: what booted is expected from now on."),
    ("acknowledge", "Acknowledged."),
    ("withdraw", "The acknowledgement is withdrawn."),
    ("decided", "Decided, and written into the audit log."),
    ("activate", "The reference is in force."),
    ("revoke", "The token was taken back. Hosts that joined with it stay."),
    ("user-added", "The account is made. Its person chooses another password when signing in."),
    ("user-changed", "Changed. The account's sessions have ended."),
    ("user-disabled", "Disabled: the account lets nobody in, and its sessions have ended."),
    ("user-enabled", "Enabled again."),
    ("user-removed", "The account is removed."),
    ("password-given", "The account has another password, which its person must change."),
    ("session-ended", "The session has ended."),
    ("token-revoked", "The token lets nobody in any more."),
    ("channel-added", "Added. Send a test: it says step by step what happened."),
    ("channel-changed", "Changed."),
    ("channel-removed", "The channel is removed."),
    ("channel-pause", "Paused: what comes waits."),
    ("channel-resume", "It goes on where it was."),
    ("channel-redeliver", "Its dead letters are told again."),
    ("policy-kept", "Kept. It does not count yet: try it on the fleet, then activate it."),
    ("policy-sound", "Nothing is wrong with it. It is not kept yet."),
    ("policy-activated", "Activated. What hosts sent last is being judged anew."),
    ("remove", "The host was removed."),
    ("view-kept", "Kept: it is among the views above the list."),
    ("view-removed", "The view is removed."),
];

/// What the word in the address stands for.
pub(super) fn said(done: Option<&str>) -> Option<Said> {
    let done = done?;
    let known = DONE.iter().find(|(word, _)| *word == done);
    known.map(|(_, text)| Said::Done((*text).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_of_the_table_are_told() {
        assert!(matches!(said(Some("attest")), Some(Said::Done(_))));
        assert_eq!(said(Some("Call this number at once")), None);
        assert_eq!(said(None), None);
    }
}
