//! `bootproof firmware`: what BMCs say of hosts, and what to set.

mod live;
mod plan;
mod scan;
mod source;

use firmware::Profile;
use firmware::plan::{Goal, Installed};

use super::Exit;
use crate::{
    args::{Firmware, FirmwareGoal, FirmwareProfile},
    error::CliError,
    output::Output,
};

pub(super) fn run(command: &Firmware, output: &Output) -> Result<Exit, CliError> {
    match command {
        Firmware::Scan(command) => scan::run(command, output),
        Firmware::Plan(command) => plan::run(command, output),
        Firmware::Apply(command) => live::apply(command, output),
        Firmware::Revert(command) => live::revert(command, output),
    }
}

fn goal(goal: &FirmwareGoal) -> Goal {
    let profile = match goal.profile {
        FirmwareProfile::Linux => Profile::Linux,
        FirmwareProfile::Esxi67 => Profile::Esxi67,
        FirmwareProfile::Esxi7 => Profile::Esxi7,
        FirmwareProfile::Esxi8 => Profile::Esxi8,
        FirmwareProfile::Esx9 => Profile::Esx9,
    };
    let installed = match goal.installed_for_uefi {
        true => Installed::ForUefi,
        false => Installed::Unknown,
    };
    Goal { profile, installed }
}
