//! The last words of the program: what failed, and what to do.

use std::io::{ErrorKind, Write as _};

/// Writes `error: …` with its causes, then a blank line and `hint: …` where there is one.
pub(crate) fn tell(err: &anyhow::Error) {
    let mut stderr = std::io::stderr().lock();
    // Where even standard error is gone, there is nobody to tell.
    let _ = writeln!(stderr, "error: {err:#}");
    if let Some(hint) = hint(err) {
        let _ = writeln!(stderr, "\nhint: {hint}");
    }
}

/// What to do about it, where what the system said tells.
fn hint(err: &anyhow::Error) -> Option<&'static str> {
    let io = err.chain().find_map(|cause| cause.downcast_ref::<std::io::Error>())?;
    match io.kind() {
        ErrorKind::AddrInUse => Some(
            "another program listens there, maybe a server that runs already: `ss -ltnp` names it; `listen` or \
             --listen takes another port",
        ),
        ErrorKind::AddrNotAvailable => {
            Some("this machine has no such address: `ip address` shows those that it has")
        }
        ErrorKind::PermissionDenied => Some(
            "run it as the user whose the data folder is: `systemctl start bootproof-server`, or `sudo -u \
             bootproof`; --data-dir names another folder",
        ),
        ErrorKind::StorageFull => Some("make room on the disk of the data folder"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn what_the_system_said_has_a_next_step() {
        let said = |kind| {
            let io = Err::<(), _>(std::io::Error::from(kind));
            hint(&io.context("cannot listen").unwrap_err())
        };
        assert!(said(ErrorKind::AddrInUse).unwrap().contains("ss -ltnp"));
        assert!(said(ErrorKind::PermissionDenied).unwrap().contains("--data-dir"));
        assert_eq!(said(ErrorKind::BrokenPipe), None);
        assert_eq!(hint(&anyhow::anyhow!("no configuration")), None);
    }
}
