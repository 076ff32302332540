//! A report with the signature that lies beside it, as one file.

use api::fleet_report::ReportFormat;
use fleet_report::ZipFile;

use super::WrittenReport;
use crate::app::AppError;

/// A ZIP archive of a report and its signature.
#[derive(Debug, Clone)]
pub(crate) struct PackedReport {
    /// The archive.
    pub(crate) bytes: Vec<u8>,
    /// A name for its file.
    pub(crate) file_name: String,
}

impl WrittenReport {
    /// The signature that has to lie beside the report for somebody to check it; `None` where it carries one.
    #[must_use]
    pub fn signature_beside(&self) -> Option<&str> {
        match self.format {
            ReportFormat::Json => Some(&self.jws),
            ReportFormat::Html | ReportFormat::Csv => self.file_jws.as_deref(),
            ReportFormat::Pdf | ReportFormat::Jws => None,
        }
    }

    /// The report with this signature, named as `bootproof report verify` looks for it.
    ///
    /// # Errors
    /// It cannot be packed.
    pub(crate) async fn packed(self, jws: String) -> Result<PackedReport, AppError> {
        // A large one takes seconds.
        let packing = tokio::task::spawn_blocking(move || {
            let beside = format!("{}.jws", self.file_name);
            let files = [
                ZipFile { name: &self.file_name, bytes: &self.bytes },
                ZipFile { name: &beside, bytes: jws.as_bytes() },
            ];
            let bytes = fleet_report::zip(&files)?;
            Ok(PackedReport { bytes, file_name: format!("{}.zip", self.file_name) })
        });
        let packed: Result<_, fleet_report::ZipError> =
            packing.await.map_err(|err| AppError::Bug(err.into()))?;
        packed.map_err(|err| AppError::Bug(err.into()))
    }
}
