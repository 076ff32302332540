//! A wish to stop, which is heard between two acts.

use tokio::sync::watch;

/// How a run should end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// It goes on.
    #[default]
    No,
    /// No step begins any more; those that run are waited for.
    AfterStep,
    /// Nothing more is done or waited for. The journal says where it was.
    Now,
}

/// Who can stop a run, and who listens.
#[derive(Clone, Debug)]
pub struct Stopper(watch::Sender<Stop>);

impl Default for Stopper {
    fn default() -> Self {
        Self(watch::Sender::new(Stop::No))
    }
}

impl Stopper {
    /// Asks to stop; a stronger wish stays.
    pub fn stop(&self, wish: Stop) {
        self.0.send_if_modified(|current| {
            let is_stronger = wish > *current;
            *current = wish.max(*current);
            is_stronger
        });
    }

    /// What is wished.
    pub fn wish(&self) -> Stop {
        *self.0.borrow()
    }

    /// Waits so long, or until somebody wants to stop now.
    pub(crate) async fn pause(&self, time: std::time::Duration) {
        let mut wishes = self.0.subscribe();
        tokio::select! {
            () = tokio::time::sleep(time) => (),
            _ = wishes.wait_for(|wish| *wish == Stop::Now) => (),
        }
    }
}
