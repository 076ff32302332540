//! Who asks: sessions and basic authentication. [DSP0266 13.3]

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::{HeaderMap, header};

use crate::{PASSWORD, USER};

/// Sessions at once: what small BMCs have.
const SESSIONS_MAX: usize = 8;

/// The sessions of a BMC.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    open: Vec<String>,
    n_made: u64,
}

impl Sessions {
    /// A new session's token; `None` where all places are taken.
    pub(crate) fn open(&mut self) -> Option<String> {
        if self.open.len() >= SESSIONS_MAX {
            return None;
        }
        self.n_made += 1;
        let token = format!("session-{}", self.n_made);
        self.open.push(token.clone());
        Some(token)
    }

    pub(crate) fn close(&mut self, token: &str) -> bool {
        let before = self.open.len();
        self.open.retain(|open| open != token);
        self.open.len() < before
    }

    pub(crate) fn close_all(&mut self) {
        self.open.clear();
    }

    pub(crate) fn n_open(&self) -> usize {
        self.open.len()
    }

    /// Whether a request shows a session that is open, or the account's password.
    pub(crate) fn admits(&self, headers: &HeaderMap) -> bool {
        if let Some(token) = headers.get("x-auth-token") {
            return self.open.iter().any(|open| open.as_bytes() == token.as_bytes());
        }
        let expected = format!("Basic {}", STANDARD.encode(format!("{USER}:{PASSWORD}")));
        headers
            .get(header::AUTHORIZATION)
            .is_some_and(|shown| shown.as_bytes() == expected.as_bytes())
    }
}
