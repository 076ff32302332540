//! Runs that were stopped or killed at any moment go on with the same command.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use redfish::apply::{Direction, Event, Journal, JournalError, Outcome, Stop};

use crate::support::{Run, work};

/// Plans, and stops at the `n`th happening; says whether there was one.
fn stop_at(run: &Run, n: usize) -> Outcome {
    let seen = Arc::new(AtomicUsize::new(0));
    let stopper = run.stopper.clone();
    run.go_on_telling(move |_| {
        if seen.fetch_add(1, Ordering::SeqCst) == n {
            stopper.stop(Stop::Now);
        }
    })
    .unwrap()
}

#[test]
fn a_run_that_is_stopped_at_any_moment_goes_on_and_boots_no_more_than_needed() {
    for (tree, n_boots) in [("dell", 2), ("hpe", 1), ("lenovo", 1), ("supermicro", 1)] {
        let mut n_stopped = 0;
        for n in 0.. {
            let mut run = Run::of(tree);
            run.plan(Direction::Apply, work(tree));
            if stop_at(&run, n) == Outcome::Done {
                break;
            }
            n_stopped += 1;
            run.stopper = Default::default();
            assert_eq!(run.go_on().unwrap(), Outcome::Done, "{tree}, stopped at {n}");
            run.assert_in_force(&work(tree));
            assert_eq!(run.emulated.machine().boots(), n_boots, "{tree}, stopped at {n}");
        }
        assert!(n_stopped >= 5, "{tree}: {n_stopped}");
    }
}

/// A power cut: the journal ends after any of its lines, with what was done on the BMC as it is.
#[test]
fn a_journal_that_was_cut_anywhere_is_enough_to_go_on() {
    for (tree, n_boots) in [("dell", 2), ("hpe", 1), ("lenovo", 1), ("supermicro", 1)] {
        for n in 0.. {
            let mut run = Run::of(tree);
            run.pace.boot = std::time::Duration::from_millis(400);
            run.plan(Direction::Apply, work(tree));
            if stop_at(&run, n) == Outcome::Done {
                break;
            }
            // Take off the line that says that it was stopped, and half of the one before.
            let path = run.folder.path().join("journal");
            let text = std::fs::read_to_string(&path).unwrap();
            let lines: Vec<_> = text.lines().collect();
            let whole = lines[..lines.len().saturating_sub(2).max(1)].join("\n");
            let half = lines.get(lines.len().saturating_sub(2).max(1)).map_or("", |line| line);
            std::fs::write(&path, format!("{whole}\n{}", &half[..half.len() / 2])).unwrap();
            run.stopper = Default::default();
            assert_eq!(run.go_on().unwrap(), Outcome::Done, "{tree}, cut at {n}");
            run.assert_in_force(&work(tree));
            let boots = run.emulated.machine().boots();
            assert!(boots <= n_boots + 1, "{tree}, cut at {n}: {boots} boots");
        }
    }
}

#[test]
fn each_act_stands_in_the_journal_before_it_is_done() {
    let run = Run::of("dell");
    run.apply("dell").unwrap();
    let journal = run.journal();
    let mut open = None;
    let (mut n_acts, mut n_steps) = (0, 0);
    for record in journal.records() {
        match &record.event {
            Event::Does { act, .. } => {
                assert_eq!(open.replace(act.clone()), None);
                n_acts += 1;
            }
            Event::Did { act, .. } => assert_eq!(open.take().as_ref(), Some(act)),
            Event::StepDone { .. } => n_steps += 1,
            _ => (),
        }
    }
    assert_eq!((open, n_acts, n_steps), (None, 4, 2));
    let machine = run.emulated.machine();
    let writes = machine.seen().iter().filter(|seen| {
        seen.method == "PATCH" || (seen.method == "POST" && !seen.path.contains("Sessions"))
    });
    assert_eq!(writes.count(), n_acts);
    let text = std::fs::read_to_string(run.folder.path().join("journal")).unwrap();
    assert!(!text.contains(bmc_emulator::PASSWORD));
}

#[test]
fn one_run_at_a_time_has_a_journal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let _first = Journal::open(&path).unwrap();
    assert!(matches!(Journal::open(&path), Err(JournalError::Busy { .. })));
}

#[test]
fn a_file_that_is_no_journal_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("letter.txt");
    std::fs::write(&path, "Dear reader,\n").unwrap();
    assert!(matches!(Journal::open(&path), Err(JournalError::Line { line: 1, .. })));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "Dear reader,\n");
}
