//! Each fault of a BMC, while a change is made: it ends in time, as it should, with a journal that
//! says where it stands; and the same command goes on when the fault is gone.

use std::time::Duration;

use bmc_emulator::{Fault, Injection};
use redfish::apply::{ApplyError, Outcome, Resets};

use crate::support::{Run, work};

/// How a change under a fault should end.
#[derive(Clone, Copy)]
enum Ending {
    /// In spite of it.
    Done,
    /// With this error, and after so many boots.
    Fails(fn(&ApplyError) -> bool, u32),
}

use Ending::{Done, Fails};

fn is_refused(err: &ApplyError) -> bool {
    matches!(err, ApplyError::Refused(_))
}

fn is_bmc(err: &ApplyError) -> bool {
    matches!(err, ApplyError::Bmc(_))
}

fn is_late(err: &ApplyError) -> bool {
    matches!(err, ApplyError::TooLong { .. } | ApplyError::NotOff { .. })
}

fn is_not_taken(err: &ApplyError) -> bool {
    matches!(err, ApplyError::NotTaken { .. })
}

/// Plays a fault on a maker's machine; then takes the fault away and goes on to the end.
fn play(tree: &str, injection: impl Into<Injection>, ending: Ending) {
    let injection = injection.into();
    let case = format!("{tree}: {injection:?}");
    let mut run = Run::of(tree);
    run.pace.request = Duration::from_millis(500);
    run.pace.boot = Duration::from_millis(600);
    run.pace.shutdown = Duration::from_millis(300);
    run.pace.away = Duration::from_millis(200);
    run.emulated.machine().inject(injection);
    let result = run.apply(tree);
    match ending {
        Done => assert_eq!(result.as_ref().unwrap(), &Outcome::Done, "{case}"),
        Fails(is_expected, n_boots) => {
            let err = result.expect_err(&case);
            assert!(is_expected(&err), "{case}: {err:?}");
            assert_eq!(run.emulated.machine().boots(), n_boots, "{case}");
            assert!(!err.hint().is_empty());
        }
    }
    run.emulated.machine().clear_faults();
    run.emulated.machine().advance(60_000);
    run.pace.boot = Duration::from_secs(20);
    run.pace.shutdown = Duration::from_secs(20);
    match run.go_on() {
        Ok(outcome) => assert_eq!(outcome, Outcome::Done, "{case}"),
        Err(err) => panic!("{case}: goes on: {err:?}"),
    }
    run.assert_in_force(&work(tree));
}

#[test]
fn faults_on_the_wire() {
    for tree in ["dell", "supermicro"] {
        play(tree, Injection::new(Fault::Hang).at("/bios"), Fails(is_bmc, 0));
        play(tree, Injection::new(Fault::Html).at("/bios"), Fails(is_bmc, 0));
        play(tree, Injection::new(Fault::RedirectLoop).at("/bios"), Fails(is_bmc, 0));
        play(tree, Injection::new(Fault::RedirectElsewhere).at("/bios"), Fails(is_bmc, 0));
        play(tree, Injection::new(Fault::HugeJson).at("/bios"), Fails(is_bmc, 0));
        play(tree, Injection::new(Fault::DeepJson).at("/bios"), Fails(is_bmc, 0));
        play(tree, Injection::new(Fault::CutJson).at("/bios"), Fails(is_bmc, 0));
        play(tree, Injection::new(Fault::LyingContentLength).at("/bios"), Fails(is_bmc, 0));
        play(tree, Fault::Refuse, Fails(is_bmc, 0));
        play(tree, Injection::new(Fault::Unavailable).at("/bios").times(4), Done);
        play(tree, Injection::new(Fault::Refuse).times(2), Done);
    }
}

#[test]
fn faults_of_sessions() {
    for tree in ["dell", "hpe", "lenovo", "supermicro"] {
        play(tree, Injection::new(Fault::SessionLost).at("/bios").times(1), Done);
        play(tree, Fault::SessionLost, Fails(is_bmc, 0));
        play(tree, Fault::SessionLimit, Done);
        play(tree, Fault::NoSessions, Done);
    }
}

#[test]
fn faults_of_settings() {
    let is_taken = |err: &ApplyError| matches!(err, ApplyError::RefusedAndTaken(_));
    let is_forgotten = |err: &ApplyError| matches!(err, ApplyError::Forgotten { .. });
    let is_contended = |err: &ApplyError| matches!(err, ApplyError::Contended);
    for tree in ["dell", "hpe", "lenovo", "supermicro"] {
        let refused = if tree == "dell" { "settings" } else { "" };
        play(tree, Injection::new(Fault::LockedDown).at(refused), Fails(is_refused, 0));
        play(tree, Injection::new(Fault::EtagMoves).times(2), Done);
        play(tree, Fault::EtagMoves, Fails(is_contended, 0));
        play(tree, Fault::TakesAndSays400, Fails(is_taken, 0));
        play(tree, Fault::ForgetsSettings, Fails(is_forgotten, 0));
    }
}

#[test]
fn faults_of_jobs() {
    let is_foreign = |err: &ApplyError| matches!(err, ApplyError::Foreign { .. });
    let is_stuck = |err: &ApplyError| matches!(err, ApplyError::JobStuck { .. });
    let is_failed = |err: &ApplyError| matches!(err, ApplyError::JobFailed { .. });
    play("dell", Fault::ForeignJob, Fails(is_foreign, 0));
    // It is seen before the host is reset for nothing.
    play("dell", Fault::JobStuck, Fails(is_stuck, 0));
    play("dell", Fault::JobFails, Fails(is_failed, 1));
    play("dell", Fault::AttributesLie, Done);
}

#[test]
fn faults_of_boots() {
    for tree in ["dell", "hpe", "lenovo", "supermicro"] {
        play(tree, Fault::SettingsIgnored, Fails(is_not_taken, 1));
        play(tree, Fault::GracefulIgnored, Fails(is_late, 0));
        let is_reset = |err: &ApplyError| matches!(err, ApplyError::ResetRefused(_));
        play(tree, Fault::ResetRefused, Fails(is_reset, 0));
        play(tree, Fault::BmcRestarts, Done);
        play(tree, Fault::NeverBoots, Fails(is_late, 0));
        play(tree, Fault::SecureBootNeedsTwoBoots, Done);
        let n = if tree == "dell" { 3 } else { 2 };
        let is_secure_boot = |err: &ApplyError| matches!(err, ApplyError::SecureBoot { .. });
        play(tree, Fault::SecureBootNever, Fails(is_secure_boot, n));
    }
    play("hpe", Fault::RefusedAtBoot, Fails(is_not_taken, 1));
    play("dell", Injection::new(Fault::BmcRestartsAndForgets).times(1), Fails(is_not_taken, 1));
}

#[test]
fn a_forced_restart_is_for_those_who_permit_it() {
    let mut run = Run::of("hpe");
    run.emulated.machine().inject(Fault::GracefulIgnored);
    run.resets = Resets::Forced;
    assert_eq!(run.apply("hpe").unwrap(), Outcome::Done);
    run.assert_in_force(&work("hpe"));
}

/// Whatever is wrong, always and everywhere: it ends, it says so, and it goes on when it is mended.
fn each_fault_ends_and_is_got_over(tree: &str) {
    for fault in Fault::ALL {
        let mut run = Run::of(tree);
        run.pace.request = Duration::from_millis(250);
        run.pace.boot = Duration::from_millis(300);
        run.pace.shutdown = Duration::from_millis(100);
        run.pace.away = Duration::from_millis(100);
        run.emulated.machine().inject(fault);
        let result = run.apply(tree);
        if result.is_ok() {
            run.assert_in_force(&work(tree));
        }
        run.emulated.machine().clear_faults();
        run.emulated.machine().advance(60_000);
        run.pace.boot = Duration::from_secs(20);
        run.pace.shutdown = Duration::from_secs(20);
        run.pace.away = Duration::from_secs(20);
        let again = run.go_on();
        assert!(
            matches!(again, Ok(Outcome::Done)),
            "{tree}, {fault:?}: {result:?}, then {again:?}"
        );
        run.assert_in_force(&work(tree));
        let boots = run.emulated.machine().boots();
        assert!(boots <= 5, "{tree}, {fault:?}: {boots} boots");
    }
}

#[test]
fn dell_gets_over_each_fault() {
    each_fault_ends_and_is_got_over("dell");
}

#[test]
fn hpe_gets_over_each_fault() {
    each_fault_ends_and_is_got_over("hpe");
}

#[test]
fn lenovo_gets_over_each_fault() {
    each_fault_ends_and_is_got_over("lenovo");
}

#[test]
fn supermicro_gets_over_each_fault() {
    each_fault_ends_and_is_got_over("supermicro");
}
