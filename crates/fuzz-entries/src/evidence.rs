//! What an agent posts, from JSON to the verdict.

use appraise::{
    Challenge, Context, EkEvidence, Evidence, Known, Policy, QuoteEvidence, Verdict, appraise,
    examine,
};
use tpm_wire::TpmAlgId;
use verify::{EnrolledKey, Nonce, UnixTime, check_ak};

/// Whatever is posted, a host without an endorsement certificate and a signature of a key that
/// nobody holds is not accepted.
pub(crate) fn evidence_json(bytes: &[u8]) {
    let Ok(sent) = serde_json::from_slice::<api::agent::Evidence>(bytes) else { return };
    let Ok(pcrs) = sent.pcrs.to_banks() else { return };
    let banks: Vec<_> =
        sent.active_banks.iter().filter_map(|name| TpmAlgId::from_hash_name(name)).collect();
    let quote = sent.quote.as_ref();
    let later = sent.userspace_log.as_deref().map(userspace_log::parse);
    let evidence = Evidence {
        quote: quote.map(|q| QuoteEvidence { attest: &q.attest, signature: &q.signature }),
        tpm_error: sent.tpm_error.as_deref(),
        pcrs: &pcrs,
        event_log: sent.event_log.as_deref(),
        later: later.as_ref(),
        ima_list: sent.ima_list.as_deref(),
        ak_public: sent.ak_public.as_deref(),
        acpi_tpm2: sent.acpi_tpm2.as_deref(),
        active_banks: (!banks.is_empty()).then_some(&banks),
        tpm: sent.tpm.as_ref().map(report::tpm_said),
        machine: sent.machine.as_ref().map(report::machine_said),
    };
    // The key that came counts as the enrolled one, so that its signature is looked at.
    let key = sent.ak_public.as_deref().and_then(|public| check_ak(public).ok());
    let enrolled = key.map(|ak| EnrolledKey { ak_name: *ak.name(), ek_spki_sha256: [7; 32] });
    let nonce = Nonce::new(&sent.nonce);
    let challenge = nonce.as_ref().map_or(Challenge::Absent, Challenge::Nonce);
    let policy = Policy::default();
    for known in [Some(Known::Nothing), enrolled.map(Known::Names)].into_iter().flatten() {
        let ek = EkEvidence::NoCertificate;
        let claims = examine(&evidence, &known, &ek, &challenge, &policy, UnixTime(0));
        super::show(&claims);
        let appraisal = appraise(&claims, &Context::default(), &policy, UnixTime(0));
        assert_ne!(appraisal.verdict, Verdict::Accepted);
        assert!(!appraisal.findings.is_empty(), "a cause is named");
        super::show(&appraisal);
    }
}
