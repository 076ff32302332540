//! Evidence of a host on its way to the server.

use api::{
    Bytes,
    agent::{Evidence, EvidenceReply, LOG_WANTED},
};
use aws_lc_rs::digest::{SHA256, digest};

use crate::{Client, ClientError};

impl Client {
    /// Sends evidence. Where its event log is the one that the challenge named, its digest goes in
    /// place of it, and the log after all if the server has it no more: a log is most of what a host
    /// sends, and changes with a boot alone.
    pub async fn show_evidence(
        &self,
        mut evidence: Evidence,
        known_log_sha256: Option<&[u8]>,
    ) -> Result<EvidenceReply, ClientError> {
        let left_out = leave_out_log(&mut evidence, known_log_sha256);
        self.show_evidence_or(evidence, async { left_out }).await
    }

    /// Sends evidence, and where the server wants the log whose digest is in it, once more with the
    /// log that `left_out` then gives.
    pub async fn show_evidence_or(
        &self,
        mut evidence: Evidence,
        left_out: impl Future<Output = Option<Bytes>>,
    ) -> Result<EvidenceReply, ClientError> {
        match self.send_evidence(&evidence).await {
            Err(err) if evidence.event_log_sha256.is_some() && err.code() == Some(LOG_WANTED) => {
                evidence.event_log_sha256 = None;
                evidence.event_log = left_out.await;
                self.send_evidence(&evidence).await
            }
            reply => reply,
        }
    }
}

/// Puts the digest of the log in its place where it is the `known` one, and gives the log.
fn leave_out_log(evidence: &mut Evidence, known: Option<&[u8]>) -> Option<Bytes> {
    let is_known = digest(&SHA256, evidence.event_log.as_deref()?).as_ref() == known?;
    if !is_known {
        return None;
    }
    evidence.event_log_sha256 = known.map(Into::into);
    evidence.event_log.take()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_left_out_where_it_is_the_known_one_and_no_other() {
        let with_log = || Evidence { event_log: Some(vec![1, 2].into()), ..Evidence::default() };
        let known = digest(&SHA256, &[1, 2]);
        let mut evidence = with_log();
        let log = leave_out_log(&mut evidence, Some(known.as_ref()));
        assert_eq!(log.as_deref(), Some(&[1, 2][..]));
        assert_eq!(evidence.event_log, None);
        assert_eq!(evidence.event_log_sha256.as_deref(), Some(known.as_ref()));

        for not_known in [None, Some(&[0; 32][..]), Some(&known.as_ref()[..31])] {
            let mut evidence = with_log();
            assert_eq!(leave_out_log(&mut evidence, not_known), None);
            assert_eq!(evidence.event_log.as_deref(), Some(&[1, 2][..]));
            assert_eq!(evidence.event_log_sha256, None);
        }
        assert_eq!(leave_out_log(&mut Evidence::default(), Some(known.as_ref())), None);
    }
}
