//! How hosts join.

use api::admin::{NewToken, Token};
use askama::Template;

use crate::{frame::Frame, words::Badge};

/// The page.
#[derive(Debug, Template)]
#[template(path = "join.html")]
pub struct Join {
    /// What stands around it.
    pub frame: Frame,
    /// Tokens that were made, newest first.
    pub tokens: Vec<Token>,
    /// What the next one is called: so that its form makes it once.
    pub next_id: String,
}

impl Join {
    fn state(&self, token: &Token) -> Badge {
        let over = |word| Badge { word, look: "note" };
        if token.revoked {
            over("Taken back")
        } else if token.expires_at_ms <= self.frame.now_ms {
            over("Ended")
        } else if token.uses_max.is_some_and(|max| token.uses >= max) {
            over("Used up")
        } else {
            Badge { word: "Good", look: "good" }
        }
    }

    /// Whether a host can still join with it.
    fn is_good(&self, token: &Token) -> bool {
        self.state(token).look == "good"
    }
}

/// A token that was just made: the only time that it is shown.
#[derive(Debug, Template)]
#[template(path = "joined.html")]
pub struct Joined {
    /// What stands around it.
    pub frame: Frame,
    /// The token.
    pub token: NewToken,
}
