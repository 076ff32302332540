//! Codes of refusals: the status that each comes with, and what it means.
//!
//! A client that knows the code knows what to do; the words around it may change.

/// A code of `Problem`.
#[derive(Debug)]
pub(in crate::http) struct Code {
    /// The code.
    pub(in crate::http) name: &'static str,
    /// The HTTP status.
    pub(in crate::http) status: u16,
    /// What it means.
    pub(in crate::http) means: &'static str,
}

/// What any operation may answer.
pub(in crate::http) const ALWAYS: &[&str] =
    &["query-invalid", "if-match-not-taken", "not-acceptable", "internal", "unavailable"];

/// What an operation may answer that wants a token.
pub(in crate::http) const WITH_TOKEN: &[&str] = &["too-many-guesses", "unauthenticated"];

/// What an operation may answer that wants a role.
pub(in crate::http) const WITH_ROLE: &[&str] = &[
    "too-many-guesses",
    "unauthenticated",
    "password-must-change",
    "role-too-low",
    "token-is-limited",
];

/// What an operation may answer that takes a body.
pub(in crate::http) const WITH_BODY: &[&str] = &[
    "body-cut",
    "body-invalid",
    "body-too-large",
    "body-too-slow",
    "media-type-unsupported",
    "text-invalid",
];

/// What an operation may answer that has a parameter in its path.
pub(in crate::http) const WITH_PATH: &[&str] = &["path-invalid"];

/// What an operation may answer that can be sent with a key.
pub(in crate::http) const WITH_KEY: &[&str] = &[
    "body-cut",
    "body-too-large",
    "body-too-slow",
    "idempotency-answer-not-kept",
    "idempotency-in-progress",
    "idempotency-key-invalid",
    "idempotency-key-reused",
    "idempotency-outcome-unknown",
    "too-many",
];

const fn code(status: u16, name: &'static str, means: &'static str) -> Code {
    Code { name, status, means }
}

/// All, in the order of their names.
pub(in crate::http) const CODES: &[Code] = &[
    code(400, "acknowledgement-invalid", "the reason is no line, or the time is over"),
    code(403, "activation-failed", "another TPM answered than the one whose keys were sent"),
    code(404, "address-not-found", "there is no such address"),
    code(409, "ak-not-enrolled", "the enrolled key did not sign this evidence"),
    code(409, "already-activated", "an enrolment is activated once"),
    code(404, "api-token-not-found", "there is no such API token"),
    code(400, "approval-invalid", "this is nothing that waits for a person"),
    code(409, "awaiting-approval", "a person must approve this host first"),
    code(400, "body-cut", "the body was cut short"),
    code(400, "body-invalid", "the body is not what this address takes"),
    code(413, "body-too-large", "the body is larger than any sensible one"),
    code(408, "body-too-slow", "the body did not come in time"),
    code(409, "boot-not-proved", "no log under a verified quote says what booted then"),
    code(409, "candidate-differs", "another TPM than the named one waits"),
    code(400, "certificate-invalid", "there is no certificate in it"),
    code(404, "certificate-not-found", "there is no such trust anchor"),
    code(412, "changed-since", "it was changed since the named version"),
    code(400, "channel-invalid", "a part of the channel is nothing that it can be"),
    code(404, "channel-not-found", "there is no such channel"),
    code(409, "client-authority-known", "another authority of client certificates is announced"),
    code(404, "client-authority-not-found", "no authority of client certificates has this number"),
    code(409, "client-authority-replaced", "another authority issues client certificates by now"),
    code(404, "client-certificates-off", "this server issues no client certificates"),
    code(
        403,
        "client-key-refused",
        "the TPM does not vouch for such a key, or the key did not answer",
    ),
    code(409, "client-key-revoked", "a person revoked this key"),
    code(403, "csrf-token-wrong", "a cookie was shown, and not the token of its session"),
    code(400, "cursor-invalid", "the cursor is none of this list's"),
    code(400, "ek-list-invalid", "this is no list of endorsement keys, or no key of one"),
    code(404, "ek-list-not-found", "there is no such list of endorsement keys"),
    code(403, "ek-not-listed", "the join token admits keys of a list, and this is none of them"),
    code(400, "ek-sha256-invalid", "this is no SHA-256 of an endorsement key"),
    code(409, "ek-taken", "another host has this TPM"),
    code(404, "enrolment-not-found", "it was never begun, or has expired"),
    code(400, "event-type-unknown", "there is no such type of events"),
    code(
        410,
        "event-unknown",
        "the store never gave this cursor, or gave it before it was restored",
    ),
    code(410, "events-forgotten", "events behind the cursor are kept no more"),
    code(400, "evidence-invalid", "a part of the evidence is nothing that a host can have"),
    code(
        410,
        "evidence-lost",
        "the evidence lay outside of the database, and is not there as it was written",
    ),
    code(400, "fingerprint-invalid", "a fingerprint is 64 hexadecimal digits"),
    code(409, "host-disconnected", "a person took the host out"),
    code(400, "host-name-invalid", "this is no name of a host"),
    code(409, "host-not-accepted", "only an accepted host can be an example, or get a certificate"),
    code(404, "host-not-found", "there is no such host"),
    code(409, "host-not-judged", "this host was not judged yet"),
    code(409, "host-rebooted", "the host booted since it was judged"),
    code(400, "host-view-invalid", "the view has no good name, or seeks too much"),
    code(404, "host-view-not-found", "there is no such view"),
    code(400, "host-view-of-nobody", "programs have no views of their own"),
    code(409, "idempotency-answer-not-kept", "it was done; the answer was too large to be kept"),
    code(409, "idempotency-in-progress", "the same request is being done"),
    code(400, "idempotency-key-invalid", "this is no key, or this address takes none"),
    code(422, "idempotency-key-reused", "the key was used for another request"),
    code(409, "idempotency-outcome-unknown", "it began before, and nobody knows how it ended"),
    code(400, "if-match-not-taken", "this address does not look at If-Match"),
    code(428, "if-match-required", "a change has to name the version that it is meant for"),
    code(500, "internal", "the server failed: please report it"),
    code(403, "join-token-expired", "the join token has ended"),
    code(404, "join-token-not-found", "there is no such join token"),
    code(403, "join-token-revoked", "the join token was taken back"),
    code(403, "join-token-unknown", "there is no such join token"),
    code(403, "join-token-used-up", "the join token let in as many hosts as it may"),
    code(
        404,
        "judgement-not-found",
        "there is no such judgement of this host, or no evidence of it",
    ),
    code(400, "label-invalid", "this is no label, or too many"),
    code(409, "last-administrator", "it is the only enabled account of an administrator"),
    code(409, "log-wanted", "the event log that is named is not there: it has to be sent"),
    code(429, "login-busy", "too many people log in at this moment"),
    code(429, "login-delayed", "too many wrong logins: later again"),
    code(401, "login-failed", "name and password belong to no account that lets somebody in"),
    code(400, "maintenance-invalid", "the reason is no line, or the time is over"),
    code(415, "media-type-unsupported", "bodies are `application/json`"),
    code(
        405,
        "method-not-allowed",
        "the address does not take this method; `Allow` has those it does",
    ),
    code(400, "name-invalid", "this is no name of an account"),
    code(409, "name-taken", "the name is taken"),
    code(409, "newer-evidence", "newer evidence was judged since: look again"),
    code(404, "no-candidate", "no other TPM was shown for this host"),
    code(409, "no-cohort", "the host does not say what machine it is"),
    code(404, "no-evidence", "no evidence of this host was judged yet"),
    code(409, "no-identity-key", "the host has no identity key"),
    code(404, "no-peers", "the host has no verified quote, or does not say what machine it is"),
    code(409, "no-session", "a token was shown, and no session"),
    code(403, "nonce-foreign", "the challenge is none of this server for this host"),
    code(400, "nonce-invalid", "the nonce has the wrong form"),
    code(409, "nonce-stale", "the challenge is too old"),
    code(409, "nonce-used", "the challenge was answered already"),
    code(406, "not-acceptable", "the client takes nothing that this address gives"),
    code(409, "nothing-changed", "the host boots as it should"),
    code(404, "oidc-not-configured", "this server asks no identity provider"),
    code(403, "other-site", "the request does not come from a page of this server"),
    code(409, "other-tpm", "this is another TPM than the host's"),
    code(400, "password-invalid", "the password is too short, or among the first that are tried"),
    code(403, "password-must-change", "somebody else gave the password: choose another one first"),
    code(403, "password-wrong", "this is not the present password"),
    code(400, "path-invalid", "a part of the path is too long, or is no text"),
    code(409, "policy-changed", "another policy counts than the one that was decided about"),
    code(409, "policy-from-file", "a file that the configuration names counts before it"),
    code(400, "policy-invalid", "the policy cannot be read"),
    code(404, "policy-version-not-found", "there is no such version of the policy"),
    code(400, "query-invalid", "a parameter is unknown, doubled, or nothing that it can be"),
    code(400, "query-too-long", "the query names too many"),
    code(400, "reason-invalid", "the reason is no line"),
    code(409, "reconnect-first", "the host has an identity key: it gets another by a reconnect"),
    code(400, "reference-invalid", "a part of the reference is nothing that it can be"),
    code(409, "reference-known", "the same reference is there already"),
    code(404, "reference-not-found", "there is no such reference"),
    code(409, "reference-state", "a reference does not go from this state to that"),
    code(409, "references-changed", "references changed meanwhile: again"),
    code(429, "report-busy", "others make reports at this moment: again in a minute"),
    code(400, "report-invalid", "this is no kind of report, or it says of which hosts in no way"),
    code(404, "report-schedule-not-found", "the configuration has no report of this name"),
    code(413, "report-too-large", "the report would have more hosts than its format bears"),
    code(400, "revocation-invalid", "the reason is no line"),
    code(400, "role-invalid", "an account cannot have this role"),
    code(403, "role-too-low", "the token has a role that may not"),
    code(400, "rotation-invalid", "the reason is no line, or the time is too far off"),
    code(404, "session-not-found", "there is no such session"),
    code(403, "setup-code-wrong", "this is not the code for the first account, or it was used"),
    code(400, "text-invalid", "a text has characters that cannot be kept"),
    code(400, "token-invalid", "a part of the token is nothing that it can be"),
    code(403, "token-is-limited", "the token is for some hosts only"),
    code(429, "too-many", "there are as many of them as there may be"),
    code(400, "too-many-alarms", "the request names too many alarms"),
    code(400, "too-many-decisions", "the request names too many of what waits"),
    code(429, "too-many-enrolments", "this TPM is enrolled again and again"),
    code(429, "too-many-guesses", "too many tokens of this address are not known"),
    code(400, "too-many-hosts", "the request names too many hosts"),
    code(429, "too-many-joins", "too many machines of this address join at once"),
    code(429, "too-many-streams", "this server has as many streams as it may have"),
    code(400, "tpm-keys-invalid", "these are no keys of a TPM"),
    code(400, "trust-invalid", "the source is too long"),
    code(401, "unauthenticated", "the token is missing, or not known"),
    code(503, "unavailable", "the server cannot do this now: again in a minute"),
    code(404, "user-not-found", "there is no such account"),
];

/// What is known of a code.
pub(in crate::http) fn of(name: &str) -> Option<&'static Code> {
    CODES.iter().find(|code| code.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_none_is_there_twice() {
        assert!(CODES.is_sorted_by(|one, next| one.name < next.name));
    }
}
