//! The server's words as people read them, and the look that goes with them.

/// A word with its look: `good`, `bad`, `hold` or `note`. The word alone says all; the look repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Badge {
    pub(crate) word: &'static str,
    pub(crate) look: &'static str,
}

/// A verdict. A word that is not known is never a good one.
pub(crate) fn verdict(verdict: &str) -> Badge {
    match verdict {
        "accepted" => Badge { word: "Passed", look: "good" },
        "not accepted" => Badge { word: "Not passed", look: "bad" },
        _ => Badge { word: "Not appraised", look: "hold" },
    }
}

/// A finding's severity.
pub(crate) fn severity(severity: &str) -> Badge {
    match severity {
        "hold" => Badge { word: "Holds", look: "hold" },
        "warn" => Badge { word: "Warning", look: "hold" },
        "info" => Badge { word: "Note", look: "note" },
        "ignore" => Badge { word: "Waived", look: "note" },
        _ => Badge { word: "Fails", look: "bad" },
    }
}

/// A host's connection.
pub(crate) fn connection(connection: &str) -> Badge {
    match connection {
        "connected" => Badge { word: "Connected", look: "note" },
        "disconnected" => Badge { word: "Disconnected", look: "note" },
        _ => Badge { word: "Not responding", look: "hold" },
    }
}

/// How far something is proved.
pub(crate) fn belief(belief: &str) -> Badge {
    match belief {
        "verified" => Badge { word: "Proved", look: "good" },
        "contradicted" => Badge { word: "Contradicted", look: "bad" },
        _ => Badge { word: "Not proved", look: "note" },
    }
}

/// `yes`, `no`, or that nobody knows.
pub(crate) const fn known(value: Option<bool>) -> &'static str {
    match value {
        Some(true) => "yes",
        Some(false) => "no",
        None => "not known",
    }
}

/// Somebody as people call them: the audit log says what kind of account it is, too.
pub(crate) fn person(actor: &str) -> &str {
    actor.strip_prefix("user:").unwrap_or(actor)
}

/// Whether a person has to allow the host first.
pub(crate) fn is_awaiting_approval(finding: &api::finding::Finding) -> bool {
    finding.code == "awaiting-approval"
}

/// What a host says of its machine, by name; nothing where it says nothing.
pub(crate) fn machine(machine: &api::machine::Machine) -> Vec<(&'static str, &str)> {
    let said = [
        ("Maker", &machine.system_vendor),
        ("Model", &machine.product_name),
        ("Board", &machine.board_name),
        ("Firmware by", &machine.firmware_vendor),
        ("Firmware", &machine.firmware_version),
        ("Firmware of", &machine.firmware_date),
        ("System", &machine.os_name),
        ("Kernel", &machine.kernel_release),
    ];
    said.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_never_good() {
        for word in ["", "ACCEPTED", "accepted ", "something new"] {
            assert_ne!(verdict(word).look, "good", "{word}");
            assert_ne!(belief(word).look, "good", "{word}");
        }
        assert_eq!(severity("something new").look, "bad");
        assert_eq!(known(None), "not known");
    }
}
