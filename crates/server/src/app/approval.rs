//! What waits for a person, in one list, and what he decides.

use std::sync::Arc;

use api::{
    admin::ReplaceRequest,
    approval::{
        ApprovalPage, ApprovalQuery, DECISIONS_MAX, DecideReply, DecideRequest, Decision,
        DecisionOutcome, Kind, Waiting,
    },
    fleet::{ReferenceState as ApiState, ReferenceStateRequest},
};
use store::{
    By, CandidateRefusal, Host, HostDecision, HostId, Reference, ReferenceScope, StoreError,
    WaitingCursor,
};
use verify::CertificateLabel;

use super::{
    App, AppError, RefusalKind,
    paging::one_more,
    standing,
    words::{REASON_CHARS_MAX, is_line},
};

/// Things on a page, where the client does not say.
const PAGE_LEN: u32 = 100;

/// Where a page goes on: in which of the three lists, and behind what.
#[derive(Clone)]
enum Place {
    Hosts(Option<WaitingCursor>),
    Tpms(Option<HostId>),
    References(i64),
}

impl Place {
    /// As clients see it: opaque, so that it may change.
    fn to_text(&self) -> String {
        hex::encode(match self {
            Self::Hosts(None) => "h".to_owned(),
            Self::Hosts(Some(after)) => format!("h\n{}\n{}", after.created_at_ms, after.id),
            Self::Tpms(None) => "t".to_owned(),
            Self::Tpms(Some(after)) => format!("t\n{after}"),
            Self::References(after) => format!("r\n{after}"),
        })
    }

    fn from_text(text: &str) -> Option<Self> {
        let text = String::from_utf8(hex::decode(text).ok()?).ok()?;
        let mut parts = text.splitn(3, '\n');
        match (parts.next()?, parts.next(), parts.next()) {
            ("h", None, None) => Some(Self::Hosts(None)),
            ("h", Some(at_ms), Some(id)) => {
                let created_at_ms = at_ms.parse().ok()?;
                Some(Self::Hosts(Some(WaitingCursor { created_at_ms, id: id.into() })))
            }
            ("t", None, None) => Some(Self::Tpms(None)),
            ("t", Some(id), None) => Some(Self::Tpms(Some(id.into()))),
            ("r", Some(seq), None) => Some(Self::References(seq.parse().ok()?)),
            _ => None,
        }
    }
}

/// What a decision is about.
enum About {
    Host(HostId),
    Tpm { host: HostId, ek_sha256: String },
    Reference(String),
}

impl About {
    fn to_text(&self) -> String {
        match self {
            Self::Host(id) => format!("host:{id}"),
            Self::Tpm { host, ek_sha256 } => format!("tpm:{host}:{ek_sha256}"),
            Self::Reference(id) => format!("reference:{id}"),
        }
    }

    fn from_text(text: &str) -> Option<Self> {
        match text.split_once(':')? {
            ("host", id) => Some(Self::Host(id.into())),
            ("tpm", rest) => {
                let (host, ek_sha256) = rest.split_once(':')?;
                Some(Self::Tpm { host: host.into(), ek_sha256: ek_sha256.to_owned() })
            }
            ("reference", id) => Some(Self::Reference(id.to_owned())),
            _ => None,
        }
    }
}

impl App {
    /// One page of what waits for a person.
    pub async fn waiting(&self, query: ApprovalQuery) -> Result<ApprovalPage, AppError> {
        let mut place = match query.cursor {
            None => Place::Hosts(None),
            Some(text) => Place::from_text(&text).ok_or_else(super::cursor::invalid)?,
        };
        let n_max = query.limit.unwrap_or(PAGE_LEN).clamp(1, store::HOSTS_PAGE_MAX);
        let n_shown = usize::try_from(n_max).unwrap_or(usize::MAX);
        let (mut waiting, mut shown_to) = (Vec::new(), place.clone());
        loop {
            // One more than is shown: without it nothing follows, in none of the three lists.
            let n_left =
                one_more(n_max).saturating_sub(u32::try_from(waiting.len()).unwrap_or(u32::MAX));
            let n_wanted = n_left.min(store::HOSTS_PAGE_MAX);
            let found = self.waiting_at(&place, n_wanted).await?;
            let is_full = found.len() >= usize::try_from(n_wanted).unwrap_or(usize::MAX);
            for (one, behind) in found {
                if waiting.len() >= n_shown {
                    return Ok(ApprovalPage { waiting, next_cursor: Some(shown_to.to_text()) });
                }
                waiting.push(one);
                shown_to = behind.clone();
                place = behind;
            }
            if !is_full {
                place = match place {
                    Place::Hosts(_) => Place::Tpms(None),
                    Place::Tpms(_) => Place::References(0),
                    Place::References(_) => return Ok(ApprovalPage { waiting, next_cursor: None }),
                };
            }
        }
    }

    /// What waits behind a place of one of the three lists, each with the place behind it.
    async fn waiting_at(
        &self,
        place: &Place,
        n_max: u32,
    ) -> Result<Vec<(Waiting, Place)>, AppError> {
        match place {
            Place::Hosts(after) => {
                let hosts = self.store.hosts_waiting(after.clone(), n_max).await?;
                let behind = |host: &Host| WaitingCursor {
                    created_at_ms: host.created_at_ms,
                    id: host.id.clone(),
                };
                Ok(hosts
                    .iter()
                    .map(|host| (of_host(host), Place::Hosts(Some(behind(host)))))
                    .collect())
            }
            Place::Tpms(after) => {
                let now_ms = self.store.now_ms().await?;
                let hosts = self.store.candidates_waiting(now_ms, after.clone(), n_max).await?;
                let one = |host: &Host| Some((of_tpm(host)?, Place::Tpms(Some(host.id.clone()))));
                Ok(hosts.iter().filter_map(one).collect())
            }
            Place::References(after) => {
                let rows = self.store.references_waiting(*after, n_max).await?;
                let mut waiting = Vec::with_capacity(rows.len());
                for row in rows {
                    let behind = Place::References(row.seq);
                    waiting.push((self.of_reference(row).await?, behind));
                }
                Ok(waiting)
            }
        }
    }

    /// Decides about each. One that cannot be decided holds no other up.
    pub async fn decide(
        self: &Arc<Self>,
        request: DecideRequest,
        by: By,
    ) -> Result<DecideReply, AppError> {
        let DecideRequest { ids, decision, reason } = request;
        if ids.len() > DECISIONS_MAX {
            let title = format!("one request decides about {DECISIONS_MAX} at most");
            return Err(AppError::plain(RefusalKind::Invalid, "too-many-decisions", title));
        }
        if !is_line(&reason, REASON_CHARS_MAX) {
            let title =
                format!("the reason must have 1 to {REASON_CHARS_MAX} characters, on one line");
            return Err(AppError::plain(RefusalKind::Invalid, "reason-invalid", title));
        }
        let mut outcomes = Vec::with_capacity(ids.len());
        for id in ids {
            let done = self.decide_one(&id, decision, &reason, by.clone()).await;
            outcomes
                .push(DecisionOutcome { id, problem: done.err().map(crate::http::problem::of) });
        }
        Ok(DecideReply { outcomes })
    }

    async fn decide_one(
        self: &Arc<Self>,
        id: &str,
        decision: Decision,
        reason: &str,
        by: By,
    ) -> Result<(), AppError> {
        let about = About::from_text(id).ok_or_else(|| {
            let title = format!("{id:?} names nothing that could wait");
            AppError::refused(
                RefusalKind::Invalid,
                "approval-invalid",
                title,
                "`bootproof approval list --json` shows what waits",
            )
        })?;
        match (about, decision) {
            (About::Host(host), decision) => {
                let decision = match decision {
                    Decision::Approve => HostDecision::Approve,
                    Decision::Refuse => HostDecision::Refuse,
                };
                self.store.decide_host(&host, decision, reason, by).await?;
                tracing::info!(%host, approval = %decision.approval(), "decided about a host");
                self.hub.wake(&host);
            }
            (About::Tpm { host, ek_sha256 }, Decision::Approve) => {
                self.check_waits(&host).await?;
                let request = ReplaceRequest { ek_sha256, reason: reason.to_owned() };
                self.replace(host.as_str(), request, by).await?;
            }
            (About::Tpm { host, ek_sha256 }, Decision::Refuse) => {
                let mut ek_spki_sha256 = [0; 32];
                // What is no digest is no candidate's.
                hex::decode_to_slice(ek_sha256.as_bytes(), &mut ek_spki_sha256)
                    .map_err(|_| StoreError::NotFound(store::Kind::Candidate))?;
                let reason = reason.to_owned();
                let refusal = CandidateRefusal { host: host.clone(), ek_spki_sha256, reason };
                self.store.refuse_candidate(refusal, by).await?;
                tracing::info!(%host, ek_sha256, "another TPM refused");
                self.hub.wake(&host);
            }
            (About::Reference(id), decision) => {
                let state = match decision {
                    Decision::Approve => ApiState::Active,
                    Decision::Refuse => ApiState::Retired,
                };
                let kept = self.reference(&id).await?.reference;
                if kept.state != ApiState::Pending {
                    return Err(StoreError::from(store::Conflict::NotWaiting).into());
                }
                let request = ReferenceStateRequest { state, reason: reason.to_owned() };
                self.set_reference_state(&id, request, by).await?;
            }
        }
        Ok(())
    }

    /// Refuses where nobody has to decide about the host's candidate. That it is the one that is meant is
    /// for the store to say.
    async fn check_waits(&self, id: &HostId) -> Result<(), AppError> {
        let now_ms = self.store.now_ms().await?;
        let host = self.find(id).await?;
        match host.candidate_at(now_ms) {
            None => Err(StoreError::NotFound(store::Kind::Candidate).into()),
            Some(candidate) if candidate.waits() => Ok(()),
            Some(_) => Err(StoreError::from(store::Conflict::NotWaiting).into()),
        }
    }

    async fn of_reference(&self, row: Reference) -> Result<Waiting, AppError> {
        let host = match &row.scope {
            ReferenceScope::Host(id) => self.store.host(id).await?,
            ReferenceScope::Cohort(_) => None,
        };
        Ok(Waiting {
            id: About::Reference(row.id.to_string()).to_text(),
            kind: Kind::Reference,
            since_ms: row.created_at_ms,
            host_id: host.as_ref().map(|host| host.id.to_string()),
            name: row.name,
            labels: host.map(|host| host.labels).unwrap_or_default(),
            ek_sha256: None,
            enrolled_ek_sha256: None,
            ek_proved: false,
            certificate_serial: None,
            certificate_issuer: None,
            problems: Vec::new(),
            by: Some(row.created_by),
            reason: Some(row.reason),
        })
    }
}

/// A host that waits, with its keys as far as its TPM proved them.
fn of_host(host: &Host) -> Waiting {
    let identity = host.identity.as_ref();
    let certificate = identity.and_then(|identity| identity.ek_cert_der.as_deref());
    let label = certificate.and_then(CertificateLabel::of);
    Waiting {
        id: About::Host(host.id.clone()).to_text(),
        kind: Kind::Host,
        since_ms: host.created_at_ms,
        host_id: Some(host.id.to_string()),
        name: host.name.clone(),
        labels: host.labels.clone(),
        ek_sha256: identity.map(|identity| hex::encode(identity.ek_spki_sha256)),
        enrolled_ek_sha256: None,
        ek_proved: identity.is_some(),
        certificate_serial: label.as_ref().map(|label| hex::encode(&label.serial)),
        certificate_issuer: label.map(|label| label.issuer),
        problems: standing::enrolment_problem(host),
        by: None,
        reason: None,
    }
}

/// Another TPM that waits to take the enrolled one's place.
fn of_tpm(host: &Host) -> Option<Waiting> {
    let candidate = host.candidate.as_ref()?;
    let ek_sha256 = hex::encode(candidate.ek_spki_sha256);
    let about = About::Tpm { host: host.id.clone(), ek_sha256: ek_sha256.clone() };
    let enrolled = host.identity.as_ref();
    Some(Waiting {
        id: about.to_text(),
        kind: Kind::Tpm,
        since_ms: candidate.first_at_ms,
        ek_sha256: Some(ek_sha256),
        enrolled_ek_sha256: enrolled.map(|identity| hex::encode(identity.ek_spki_sha256)),
        // It did not open a credential yet.
        ek_proved: false,
        certificate_serial: None,
        certificate_issuer: None,
        problems: super::replace::view(candidate).certificate.into_iter().collect(),
        ..of_host(host)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_says_where_to_go_on() {
        let after = WaitingCursor { created_at_ms: -7, id: HostId::from("a") };
        let places = [
            Place::Hosts(None),
            Place::Hosts(Some(after)),
            Place::Tpms(None),
            Place::Tpms(Some(HostId::from("b"))),
            Place::References(7),
        ];
        for place in places {
            let text = place.to_text();
            assert_eq!(Place::from_text(&text).map(|place| place.to_text()), Some(text));
        }
        for wrong in ["", "zz", "00", &hex::encode("h\n1"), &hex::encode("r"), &hex::encode("x")] {
            assert!(Place::from_text(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_decision_names_exactly_one_thing() {
        for text in ["host:a", "tpm:a:00ff", "reference:ref-1"] {
            assert_eq!(About::from_text(text).map(|about| about.to_text()).as_deref(), Some(text));
        }
        for wrong in ["", "host", "tpm:a", "alarm:a"] {
            assert!(About::from_text(wrong).is_none(), "{wrong}");
        }
    }
}
