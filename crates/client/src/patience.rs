//! When the same request is sent again: where that can do no harm and may help, some times, within some seconds.
//! Longer ones are for a person, who sees why.

use std::time::Duration;

use crate::ClientError;

/// The first pause; each one after it is four times as long.
const PAUSE_MIN: Duration = Duration::from_millis(200);

/// The longest pause, also of those that the server asks for (`Retry-After`): who is asked for more comes back
/// by himself.
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// Times that a request is sent.
const TRIES_MAX: u32 = 4;

/// How often a request was sent that is tried again.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    n_tries: u32,
}

impl Patience {
    /// How long to wait before the request is sent again; `None`: it is not. `asked` is for how long the server
    /// asked us to wait.
    pub(crate) fn after(&mut self, err: &ClientError, asked: Option<Duration>) -> Option<Duration> {
        // Who waited in vain for half a minute does so once more, and not three times.
        let weight = if matches!(err, ClientError::Timeout { .. }) { 2 } else { 1 };
        self.n_tries = self.n_tries.saturating_add(weight);
        if !may_pass(err) || self.n_tries >= TRIES_MAX {
            return None;
        }
        let pause = PAUSE_MIN.saturating_mul(4_u32.saturating_pow(self.n_tries.saturating_sub(1)));
        let pause = asked.unwrap_or(pause);
        (pause <= PAUSE_MAX).then_some(pause)
    }
}

/// Whether the same request may be answered soon.
fn may_pass(err: &ClientError) -> bool {
    err.code() == Some("idempotency-in-progress")
        || matches!(err, ClientError::Unreachable(_) | ClientError::Timeout { .. })
        || matches!(err, ClientError::Problem(problem) if matches!(problem.status, 429 | 503))
}

#[cfg(test)]
mod tests {
    use api::problem::Problem;

    use super::*;

    fn status(status: u16) -> ClientError {
        ClientError::Problem(Problem {
            code: "x".to_owned(),
            status,
            title: String::new(),
            hint: None,
            request_id: None,
        })
    }

    #[test]
    fn it_has_an_end() {
        let mut patience = Patience::default();
        let mut pauses = Vec::new();
        while let Some(pause) = patience.after(&status(503), None) {
            pauses.push(pause.as_millis());
        }
        assert_eq!(pauses, [200, 800, 3200]);
        let mut patience = Patience::default();
        let late = ClientError::Timeout { seconds: 30 };
        assert!(patience.after(&late, None).is_some());
        assert!(patience.after(&late, None).is_none());
    }

    #[test]
    fn what_stays_is_not_asked_again_and_the_server_says_when() {
        for stays in [400, 401, 404, 409, 410, 500] {
            assert_eq!(Patience::default().after(&status(stays), None), None, "{stays}");
        }
        let asked = |s| Patience::default().after(&status(429), Some(Duration::from_secs(s)));
        assert_eq!(asked(0), Some(Duration::ZERO));
        assert_eq!(asked(10), Some(Duration::from_secs(10)));
        assert_eq!(asked(11), None);
    }
}
