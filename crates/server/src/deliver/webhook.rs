//! Webhooks: an event as a structured CloudEvent, signed as Standard Webhooks have it.

use aws_lc_rs::{hmac, rand};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::{Steps, Target, Undelivered, http};

/// Before a secret as people handle it. [Standard Webhooks 1.0.0, Symmetric signatures]
const SECRET_PREFIX: &str = "whsec_";

/// Bytes of a secret: as many as the signature has, and what the specification allows at most.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A receiver, and the secret that it shares.
pub(crate) struct Webhook {
    pub(crate) target: Target,
    pub(crate) path: String,
    /// See [`secret_bytes`].
    pub(crate) secret: Zeroizing<Vec<u8>>,
}

impl Webhook {
    /// Sends an event. `id` is its name for ever, so that a receiver knows what comes twice; `now_s`
    /// is signed with it, so that what is replayed later is seen to be old.
    pub(crate) async fn send(
        &self,
        id: &str,
        event_json: &str,
        now_s: i64,
        steps: &mut Steps,
    ) -> Result<(), Undelivered> {
        let post = http::Post {
            path: &self.path,
            content_type: "application/cloudevents+json; charset=utf-8",
            headers: vec![
                ("webhook-id", id.to_owned()),
                ("webhook-timestamp", now_s.to_string()),
                ("webhook-signature", signature(&self.secret, id, now_s, event_json)),
            ],
            body: event_json.as_bytes().to_vec(),
        };
        http::post(&self.target, post, steps).await
    }
}

/// `v1,` and the HMAC-SHA256 over identifier, time and body. [Standard Webhooks 1.0.0, Signature scheme]
fn signature(secret: &[u8], id: &str, now_s: i64, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let tag = hmac::sign(&key, format!("{id}.{now_s}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(tag.as_ref()))
}

/// A new secret, as people handle it; `None` where there is no randomness.
pub(crate) fn new_secret() -> Option<Zeroizing<String>> {
    let mut bytes = Zeroizing::new([0; 32]);
    rand::fill(bytes.as_mut()).ok()?;
    Some(Zeroizing::new(format!("{SECRET_PREFIX}{}", STANDARD.encode(*bytes))))
}

/// The bytes of a secret, with or without its prefix; `None` where it is none.
pub(crate) fn secret_bytes(secret: &str) -> Option<Zeroizing<Vec<u8>>> {
    let text = secret.strip_prefix(SECRET_PREFIX).unwrap_or(secret);
    let bytes = Zeroizing::new(STANDARD.decode(text).ok()?);
    SECRET_BYTES.contains(&bytes.len()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [Standard Webhooks 1.0.0, the example of its libraries]
    #[test]
    fn a_signature_is_that_of_the_specification() {
        let secret = secret_bytes("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        assert_eq!(
            signature(
                &secret,
                "msg_p5jXN8AQM9LWM0D4loKWxJek",
                1_614_265_330,
                r#"{"test": 2432232314}"#
            ),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn a_secret_has_bytes_enough() {
        assert_eq!(secret_bytes(&new_secret().unwrap()).unwrap().len(), 32);
        for wrong in ["", "whsec_", "whsec_AAAA", "whsec_%%%"] {
            assert!(secret_bytes(wrong).is_none(), "{wrong}");
        }
    }
}
