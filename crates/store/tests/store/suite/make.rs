//! Rows to test with. Times are small numbers: the store never looks at a clock of its own.

use store::{
    AdmittedEks, ApprovalRule, By, Completion, EnrolledKeys, EvidencePart, Host, HostId, Identity,
    JudgedBy, Labels, NewAppraisal, NewHost, NewJoinToken, Origin, PendingEnrolment, QuoteClock,
    Sha256, Store, TpmPresence,
};

/// A change by a person at `at_ms`.
pub(crate) fn by(at_ms: i64) -> By {
    By::new("alice", at_ms)
}

/// 32 bytes that differ for different texts.
pub(crate) fn digest(text: &str) -> Sha256 {
    EvidencePart::hash("", text.as_bytes().to_vec()).sha256
}

/// A join token called `id`, good until 1,000,000 and for any number of hosts.
pub(crate) fn join_token(id: &str) -> NewJoinToken {
    NewJoinToken {
        id: id.into(),
        secret_sha256: digest(id),
        expires_at_ms: 1_000_000,
        n_uses_max: None,
        approval: ApprovalRule::NotRequired,
        labels: Labels::new(),
        admitted: AdmittedEks::Any,
        note: "rack 4".into(),
    }
}

/// A host without a TPM that joins with token `t`.
pub(crate) fn new_host(id: &str) -> NewHost {
    NewHost {
        id: id.into(),
        name: format!("{id}.example"),
        api_token_sha256: digest(&format!("{id} token")),
        tpm: TpmPresence::Absent,
        join_token: "t".into(),
    }
}

/// A started enrolment that expires at 1,000,000, with a TPM of its own.
pub(crate) fn pending(id: &str, origin: Origin) -> PendingEnrolment {
    pending_of(id, origin, id)
}

/// The same with a TPM called `tpm`.
pub(crate) fn pending_of(id: &str, origin: Origin, tpm: &str) -> PendingEnrolment {
    let Identity { ek_spki_sha256, ak_name, .. } = identity(tpm);
    PendingEnrolment {
        id: id.into(),
        origin,
        keys: EnrolledKeys { ek_spki_sha256, ak_name },
        host_name: format!("{id}.example"),
        documents_json: r#"{"ek":1}"#.into(),
        proof_sha256: digest(&format!("{id} proof")),
        expires_at_ms: 1_000_000,
    }
}

/// By join token `t`.
pub(crate) fn by_token() -> Origin {
    Origin::JoinToken("t".into())
}

/// The right end of enrolment `id`, with a TPM called `tpm`.
pub(crate) fn completion(id: &str, tpm: &str) -> Completion {
    Completion {
        pending: id.into(),
        proof_sha256: digest(&format!("{id} proof")),
        new_host: format!("host-{id}").as_str().into(),
        api_token_sha256: digest(&format!("host-{id} token")),
        identity: identity(tpm),
        approval: ApprovalRule::NotRequired,
    }
}

/// The keys of a TPM called `tpm`.
pub(crate) fn identity(tpm: &str) -> Identity {
    Identity {
        ek_public: format!("{tpm} ek").into_bytes(),
        ek_cert_der: Some(vec![0x30, 1, 2]),
        ek_chain_der: vec![vec![0x30, 3], vec![], vec![0x30, 0xff]],
        ek_spki_sha256: digest(tpm),
        ak_public: format!("{tpm} ak").into_bytes(),
        ak_name: vec![0, 11, 7],
        judgement_json: r#"{"trusted":"root"}"#.into(),
        enrolled_at_ms: 0,
    }
}

/// A verdict about `host` as it is, for a nonce of `nonce_at_ms`.
pub(crate) fn appraisal(host: &Host, nonce_at_ms: i64) -> NewAppraisal {
    NewAppraisal {
        host: host.id.clone(),
        identity_version: host.identity_version,
        nonce_at_ms,
        at_ms: nonce_at_ms + 5,
        verdict: "accepted".into(),
        findings_json: "[]".into(),
        document_json: format!(r#"{{"nonce_at_ms":{nonce_at_ms}}}"#),
        answer: None,
        deciding: None,
        evidence: vec![
            EvidencePart::hash("quote", format!("{} {nonce_at_ms}", host.id).into_bytes()),
            EvidencePart::hash("log", b"the same log".to_vec()),
        ],
        kept: Vec::new(),
        quote_clock: Some(QuoteClock {
            clock_ms: u64::MAX,
            reset_count: u32::MAX,
            restart_count: 2,
            safe: true,
            firmware_version: 1 << 63,
        }),
        next_due_at_ms: nonce_at_ms + 60_000,
        look_again_at_ms: nonce_at_ms + 120_000,
        cohort: None,
        quoted: None,
        judged_by: JudgedBy::default(),
    }
}

/// Adds join token `t` and enrols a host with a TPM of its own name; its id is `host-{name}`.
pub(crate) async fn enrolled(store: &dyn Store, name: &str) -> Host {
    if store.join_token_by_sha256(digest("t")).await.unwrap().is_none() {
        store.add_join_token(join_token("t"), by(1)).await.unwrap();
    }
    store.begin_enrolment(pending(name, by_token()), by(2)).await.unwrap();
    let enrolled = store.complete_enrolment(completion(name, name), by(3)).await.unwrap();
    host(store, &enrolled.host).await
}

/// A host that must be there.
pub(crate) async fn host(store: &dyn Store, id: &HostId) -> Host {
    store.host(id).await.unwrap().expect("the host is there")
}
