//! All that is read out of a boot.

use std::borrow::Cow;

use event_log::{ComparedLog, Contradiction, DataCheck, Replayed, data_checks};
use tpm_wire::PcrSet;

use crate::database::{
    Authority, Database, DatabaseName, Standing, read_authorities, read_databases,
};
use crate::image::{Image, ImageKind, read_images};
use crate::lookalike::{LookAlike, read_lookalikes};
use crate::order::{Misplaced, read_early, read_late};
use crate::secure_boot::{Mode, SecureBoot, read_mode, read_secure_boot};
use crate::separator::{Separator, SeparatorProblem, read_separators};
use crate::shim::{Shim, read_shim};
use crate::view::View;
use crate::warning::{BootAction, Warning, read_boot_actions, read_warnings};

/// What booted. Made only by [`Self::read`]; borrows from the bytes of the log.
#[derive(Clone, Debug)]
pub struct BootClaims<'a> {
    /// Whether Secure Boot was on.
    pub secure_boot: SecureBoot,
    /// SetupMode, where it was measured: 1 while no platform key is there.
    pub setup_mode: Option<Mode>,
    /// AuditMode, where it was measured: 1 while nothing is refused.
    pub audit_mode: Option<Mode>,
    /// DeployedMode, where it was measured.
    pub deployed_mode: Option<Mode>,
    /// PK, KEK, db, dbx, dbt, dbr, as far as they were measured.
    pub databases: Vec<Database<'a>>,
    /// What allowed images to run, in order.
    pub authorities: Vec<Authority<'a>>,
    /// What shim measured of its own state.
    pub shim: Shim<'a>,
    /// What the firmware itself says against the boot.
    pub warnings: Vec<Warning>,
    /// Boot entries that were started and that came back, in order.
    pub boot_actions: Vec<BootAction>,
    /// The separators of PCR 0 to 7.
    pub separators: [Option<Separator>; 8],
    /// What is wrong with them.
    pub separator_problems: Vec<SeparatorProblem>,
    /// Boot applications and drivers, in order.
    pub images: Vec<Image<'a>>,
    /// Events whose data is not what was measured, and should be.
    pub contradicted: Vec<Contradicted>,
    /// Events that are something else than they say.
    pub lookalikes: Vec<LookAlike>,
    /// What was measured into PCR 0 behind its separator.
    pub late: Option<Misplaced>,
    /// What the log has of PCRs 8 to 15 before the firmware handed over. No digest covers that order.
    pub early: Option<Misplaced>,
    /// PCRs that have events and replay in a quoted bank that counts.
    pub replayed_pcrs: PcrSet,
}

/// An event whose data is not what was measured, and should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contradicted {
    /// Number of the event.
    pub event: u32,
    /// Its PCR.
    pub pcr_index: u32,
    /// Which class of events it is of.
    pub kind: Contradiction,
}

impl<'a> BootClaims<'a> {
    /// Reads all of it. Events of PCRs that do not replay are read too, and never believed.
    pub fn read(replayed: &Replayed<'_, 'a>) -> Self {
        Self::of(replayed, data_checks(replayed).into())
    }

    /// The same, of a log whose data was checked already.
    pub fn read_checked(compared: &ComparedLog<'a>) -> Self {
        Self::of(&compared.replayed(), compared.data_checks().into())
    }

    fn of(replayed: &Replayed<'_, 'a>, checks: Cow<'_, [DataCheck]>) -> Self {
        let view = View::new(replayed, checks);
        let (separators, separator_problems) = read_separators(&view);
        let contradicted = view.events().filter_map(|event| match view.check(event) {
            DataCheck::Contradicts(kind) => {
                Some(Contradicted { event: event.number, pcr_index: event.pcr_index, kind })
            }
            _ => None,
        });
        let databases = read_databases(&view);
        let shim = read_shim(&view);
        let mut authorities = read_authorities(&view, &databases);
        let in_list = |authority: &&mut Authority<'_>| shim.in_mok_list.contains(&authority.event);
        for authority in authorities.iter_mut().filter(in_list) {
            authority.standing = Standing::InMokList;
        }
        Self {
            secure_boot: read_secure_boot(&view),
            setup_mode: read_mode(&view, "SetupMode"),
            audit_mode: read_mode(&view, "AuditMode"),
            deployed_mode: read_mode(&view, "DeployedMode"),
            authorities,
            databases,
            shim,
            warnings: read_warnings(&view),
            boot_actions: read_boot_actions(&view),
            separators,
            separator_problems,
            images: read_images(&view),
            contradicted: contradicted.collect(),
            lookalikes: read_lookalikes(&view),
            late: read_late(&view),
            early: read_early(&view),
            replayed_pcrs: replayed.pcrs(),
        }
    }

    /// The database of this name, where it was measured before the separator of PCR 7.
    pub fn database(&self, name: DatabaseName) -> Option<&Database<'a>> {
        self.databases.iter().find(|database| database.name == name)
    }

    /// The first database that was measured before one that the standard has in front of it: their
    /// order is SecureBoot, PK, KEK, db, dbx, and then the others. [PFP-1.06 §3.3.4.8]
    pub fn out_of_order(&self) -> Option<&Database<'a>> {
        let position = |name| DatabaseName::ALL.iter().position(|known| *known == name);
        let pairs = self.databases.iter().zip(self.databases.iter().skip(1));
        let mut swapped = pairs.filter(|(a, b)| position(a.name) > position(b.name));
        swapped.next().map(|(_, second)| second)
    }

    /// The boot applications, in order.
    pub fn boot_applications(&self) -> impl Iterator<Item = &Image<'a>> {
        self.images.iter().filter(|image| image.untrusted_kind == ImageKind::Application)
    }
}
