//! The audit log in a backup, checked row by row.

use audit_log::{AuditBreak, AuditChain, AuditRow};
use store::portable::{Table, Value};

use crate::AuditEnd;

/// The name of its table.
pub(crate) const TABLE: &str = "audit";

/// Why the audit log of a backup does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuditFault {
    /// A row does not follow the one before.
    #[error(transparent)]
    Break(#[from] AuditBreak),
    /// Something is no row of an audit log.
    #[error("a row of the audit log has not the columns of one")]
    Shape,
}

/// The chain so far.
#[derive(Default)]
pub(crate) struct Checked(AuditChain);

impl Checked {
    pub(crate) fn take(&mut self, table: &Table, row: &[Value]) -> Result<(), AuditFault> {
        let value = |name: &str| {
            let index = table.columns.iter().position(|column| column.name == name)?;
            row.get(index)
        };
        let number = |name| match value(name) {
            Some(Value::Integer(number)) => Ok(*number),
            _ => Err(AuditFault::Shape),
        };
        let text = |name| match value(name) {
            Some(Value::Text(text)) => Ok(text.clone()),
            _ => Err(AuditFault::Shape),
        };
        let Some(Value::Bytes(seal)) = value("sha256") else { return Err(AuditFault::Shape) };
        let row = AuditRow {
            seq: number("seq")?,
            at_ms: number("at_ms")?,
            actor: text("actor")?,
            action: text("action")?,
            subject: text("subject")?,
            detail_json: text("detail_json")?,
            sha256: seal.as_slice().try_into().map_err(|_| AuditFault::Shape)?,
        };
        Ok(self.0.check(&row)?)
    }

    /// Where the log ends.
    pub(crate) fn end(&self) -> AuditEnd {
        let (seq, sha256) = self.0.head();
        AuditEnd { seq, sha256: hex::encode(sha256) }
    }
}
