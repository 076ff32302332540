//! A boot without a machine: a log's digests extended into a TPM, in order.

use tpm_wire::command::PcrExtend;

use crate::{
    log::BuiltLog,
    swtpm::{Swtpm, SwtpmError},
};

/// Extends what `log` measured into `tpm`, which was just started, so that log and quote agree.
pub fn boot(tpm: &Swtpm, log: &BuiltLog) -> Result<(), SwtpmError> {
    let mut client = tpm.client()?;
    for extend in &log.extends {
        client.run(&PcrExtend { index: extend.pcr_index, digests: &extend.digests })?;
    }
    Ok(())
}
