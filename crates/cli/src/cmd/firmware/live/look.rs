//! Asking many BMCs, with a bar where a person looks on.

use firmware::Snapshot;
use indicatif::{ProgressBar, ProgressStyle};
use redfish::RedfishError;

use super::Target;
use crate::{error::CliError, output::Output};

/// What `read` makes of each target, in the order of the targets.
pub(crate) fn look<T: Send + 'static>(
    targets: &[Target],
    at_once: usize,
    output: &Output,
    read: impl Fn(Result<Snapshot, RedfishError>) -> T + Send + Sync + 'static,
) -> Result<Vec<T>, CliError> {
    let n = u64::try_from(targets.len()).unwrap_or(u64::MAX);
    // It draws on a terminal only.
    let bar = if output.is_json() || n < 2 { ProgressBar::hidden() } else { ProgressBar::new(n) };
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos} of {len} BMCs, {eta} left") {
        bar.set_style(style);
    }
    let mut results: Vec<Option<T>> = targets.iter().map(|_| None).collect();
    let bmcs = targets.iter().map(|target| target.bmc.clone()).collect();
    runtime()?.block_on(redfish::scan(bmcs, at_once, read, |place, result| {
        results[place] = Some(result);
        bar.inc(1);
    }));
    bar.finish_and_clear();
    let whole: Option<Vec<T>> = results.into_iter().collect();
    whole.ok_or_else(|| {
        anyhow::anyhow!("a BMC was not read to its end by a fault of this program").into()
    })
}

/// Several threads: reading a registry of a megabyte takes longer than fetching it.
pub(super) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}
