//! Restarting a host: its operating system ends first, unless somebody permits otherwise.

use std::time::Instant;

use serde_json::{Value, json};

use super::{
    error::ApplyError,
    journal::Act,
    observe::Power,
    run::{Halt, Host, may_have_been_done},
    stop::Stop,
};

/// Which resets may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resets {
    /// Those that let the operating system end.
    Graceful,
    /// Those that do not ask it. What was not written to disk is lost.
    Forced,
}

/// How a host is restarted. [DSP2046 Resource.ResetType]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// One action.
    Single(&'static str),
    /// Off with the one, then on.
    OffAndOn(&'static str),
}

fn way(kinds: &[String], resets: Resets, power: Power) -> Option<Way> {
    // A BMC that does not say takes what the standard has.
    let offers = |kind: &str| kinds.is_empty() || kinds.iter().any(|offered| offered == kind);
    let can_start = offers("On");
    match resets {
        _ if power == Power::Off => can_start.then_some(Way::Single("On")),
        Resets::Graceful if offers("GracefulRestart") => Some(Way::Single("GracefulRestart")),
        Resets::Graceful if offers("GracefulShutdown") && can_start => {
            Some(Way::OffAndOn("GracefulShutdown"))
        }
        Resets::Graceful => None,
        Resets::Forced if offers("ForceRestart") => Some(Way::Single("ForceRestart")),
        Resets::Forced if offers("PowerCycle") => Some(Way::Single("PowerCycle")),
        Resets::Forced if offers("ForceOff") && can_start => Some(Way::OffAndOn("ForceOff")),
        Resets::Forced => None,
    }
}

/// Whether a reset leads to a boot, so that it counts as one.
pub(super) fn boots(kind: &str) -> bool {
    !matches!(kind, "GracefulShutdown" | "ForceOff")
}

impl Host<'_> {
    pub(super) async fn reset(&mut self, power: Power) -> Result<(), Halt> {
        let kinds = &self.work.places.reset_kinds;
        match way(kinds, self.execution.resets, power) {
            Some(Way::Single(kind)) => self.send_reset(kind).await,
            Some(Way::OffAndOn(off)) => {
                self.send_reset(off).await?;
                self.wait_until_off().await?;
                self.send_reset("On").await
            }
            None => Err(ApplyError::NoReset { offered: crate::clean(&kinds.join(", ")) }.into()),
        }
    }

    async fn send_reset(&self, kind: &'static str) -> Result<(), Halt> {
        let uri = self.work.places.reset.to_uri();
        let act = Act::Reset(kind.to_owned());
        self.does(&act)?;
        match self.bmc.post(&uri, &json!({ "ResetType": kind })).await {
            Ok(reply) => {
                self.bmc.succeeded(&uri, &reply).map_err(ApplyError::ResetRefused)?;
                self.did(act, reply.status, None)?;
            }
            // A BMC that restarts with its host may not get to answer: the host is looked at.
            Err(err) if may_have_been_done(&err) => (),
            Err(err) => return Err(err.into()),
        }
        Ok(())
    }

    async fn wait_until_off(&self) -> Result<(), Halt> {
        let begun = Instant::now();
        let pace = self.bmc.pace();
        loop {
            match self.bmc.get(&self.work.places.system.to_uri()).await {
                Ok((system, _)) => {
                    if system.get("PowerState").and_then(Value::as_str) == Some("Off") {
                        return Ok(());
                    }
                }
                Err(err) if err.is_transient() => (),
                Err(err) => return Err(err.into()),
            }
            if begun.elapsed() >= pace.shutdown {
                return Err(ApplyError::NotOff { seconds: pace.shutdown.as_secs() }.into());
            }
            self.execution.stopper.pause(pace.poll).await;
            // Not between off and on: a host that was shut down is started again. A second wish of a
            // person ends the program, and the journal knows that the host is off.
            if self.execution.stopper.wish() == Stop::Now && begun.elapsed() >= pace.lag {
                return Err(Halt::Stopped("asked to stop, while the host shuts down".to_owned()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operating_system_is_asked_to_end_unless_somebody_permits_otherwise() {
        let kinds = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let dell = kinds("On ForceOff ForceRestart GracefulRestart GracefulShutdown PowerCycle");
        let small = kinds("On ForceOff GracefulShutdown ForceRestart");
        let rude = kinds("On ForceOff ForceRestart");
        let (graceful, forced) = (Resets::Graceful, Resets::Forced);
        assert_eq!(way(&dell, graceful, Power::On), Some(Way::Single("GracefulRestart")));
        assert_eq!(way(&small, graceful, Power::On), Some(Way::OffAndOn("GracefulShutdown")));
        assert_eq!(way(&rude, graceful, Power::On), None);
        assert_eq!(way(&rude, forced, Power::On), Some(Way::Single("ForceRestart")));
        assert_eq!(way(&kinds("On ForceOff"), forced, Power::On), Some(Way::OffAndOn("ForceOff")));
        assert_eq!(way(&rude, graceful, Power::Off), Some(Way::Single("On")));
        assert_eq!(way(&[], graceful, Power::On), Some(Way::Single("GracefulRestart")));
    }
}
