//! Waiting for something that another process does: looked at again and again, never slept for.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

/// Between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Long enough for anything on a busy machine; what takes longer is broken.
pub const TIME_MAX: Duration = Duration::from_secs(60);

/// Gives what `look` finds as soon as it finds something; panics with `what` after [`TIME_MAX`].
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + TIME_MAX;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "not within {} s: {what}", TIME_MAX.as_secs());
        sleep(LOOK_AGAIN);
    }
}
