//! Pauses between tries: short at first, longer with each failure, never longer than a minute.
//!
//! Nothing here reads the time of day: a clock that jumps shortens and lengthens no pause.

use std::time::Duration;

use aws_lc_rs::rand;

/// The first pause: at boot the network often comes up within seconds.
const FIRST: Duration = Duration::from_millis(250);
/// The longest: a server that is back is found within a minute.
const LONGEST: Duration = Duration::from_secs(60);
/// The shortest after what waiting alone does not mend.
const LASTING: Duration = Duration::from_secs(15);

/// Pauses that grow by half, so that what comes after a while is found within half as long again.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    next: Duration,
}

impl Backoff {
    pub(crate) const fn new() -> Self {
        Self { next: FIRST }
    }

    /// Begins anew: something worked.
    pub(crate) fn reset(&mut self) {
        self.next = FIRST;
    }

    /// From here on no pause is shorter than what suits a failure that waiting does not mend.
    pub(crate) fn slow_down(&mut self) {
        self.next = self.next.max(LASTING);
    }

    /// From here on each pause is the longest.
    pub(crate) fn slow_down_fully(&mut self) {
        self.next = LONGEST;
    }

    /// The pause to make now. Up to a quarter of it is left out at random, so that the hosts of a
    /// fleet do not all come in the same moment to a server that started again.
    pub(crate) fn pause(&mut self) -> Duration {
        let whole = self.next;
        self.next = (whole * 3 / 2).min(LONGEST);
        let mut random = [0];
        // Without randomness the pause is whole.
        let _ = rand::fill(&mut random);
        whole - whole / 4 * u32::from(random[0]) / 255
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_minute_and_begin_anew() {
        let mut backoff = Backoff::new();
        let mut sum = Duration::ZERO;
        for n in 0..40 {
            let before = sum;
            let pause = backoff.pause();
            sum += pause;
            assert!(pause >= FIRST * 3 / 4 && pause <= LONGEST, "{pause:?}");
            // What happens at any moment is found soon, measured by how long it took to happen.
            assert!(n < 3 || pause <= LONGEST.min(before), "{pause:?} after {before:?}");
        }
        assert!(backoff.pause() >= LONGEST * 3 / 4);
        backoff.reset();
        assert!(backoff.pause() <= FIRST);
    }

    #[test]
    fn what_waiting_does_not_mend_is_asked_seldom() {
        let mut backoff = Backoff::new();
        backoff.slow_down();
        assert!(backoff.pause() >= LASTING * 3 / 4);
        backoff.slow_down_fully();
        assert!(backoff.pause() >= LONGEST * 3 / 4);
        backoff.slow_down();
        assert!(backoff.pause() >= LONGEST * 3 / 4, "slowing down speeds nothing up");
    }
}
