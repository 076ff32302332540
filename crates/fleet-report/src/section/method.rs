//! How one knows, in plain words.

use super::{Block, Level, Sink, part, say};

const STEPS: &[(&str, &str)] = &[
    (
        "The chip is known",
        "Each host has a TPM, a chip that keeps digests of all that was started, and signs them with a key \
         that cannot leave it. When a host joins, its chip proves by its maker's certificate, whose chain \
         ends in a root that the operator trusts, that it is genuine, and that the signing key is its own. \
         Where a chip has no such certificate and a person vouched for it instead, this report lists that \
         among the exceptions.",
    ),
    (
        "What it signs is fresh",
        "Each time the server sends a number that nobody can foresee, and takes only an answer that is \
         signed over that number within seconds. An old answer, or another machine's, does not fit.",
    ),
    (
        "What was started is known",
        "The host sends its boot log, which anybody could change. The server computes from it what the chip \
         must have kept, and compares that with what the chip signed. Only a log that leads to the signed \
         values, event by event, tells what was started.",
    ),
    (
        "What was started was allowed",
        "From the log follow whether Secure Boot was on before anything else was started, whose keys decided, \
         which of them vouched for each image, and whether any image, key or level was revoked. Where a \
         reference is in force, what was started is also compared with it.",
    ),
    (
        "The answer is not old",
        "A verdict counts for a limited time. A host that has not proved itself anew within it is shown as \
         not appraised, not as passed.",
    ),
];

pub(super) fn tell(sink: &mut Sink<'_>) {
    part(sink, "How we know");
    for (title, text) in STEPS {
        sink(Block::Heading(Level::Sub, (*title).to_owned()));
        say(sink, *text);
    }
    sink(Block::Heading(Level::Sub, "What this does not say".to_owned()));
    say(
        sink,
        "What is absent, unknown or was not looked at never counts as passed or met. A host that passed \
         started what it should; what it did afterwards is not shown by its boot. What machines say of \
         themselves without proof (names, models, versions) is marked as their own word.",
    );
}
