//! From a machine that is wrong to one that is right: read, judged, planned, changed, read again.

use firmware::{
    Profile,
    plan::{Goal, Installed},
    read,
};
use redfish::apply::{Direction, Outcome, planned};

use crate::support::{Run, block_on};

const GOAL: Goal = Goal { profile: Profile::Esxi67, installed: Installed::Unknown };

/// Steps that a plan of now would have, and what stands in its way.
fn left(run: &Run) -> (usize, Vec<String>) {
    let snapshot = block_on(run.client().gather()).unwrap();
    let plan = firmware::plan(&read(&snapshot)[0], GOAL);
    let blocked = plan.blocked.iter().map(|blocked| blocked.because.clone()).collect();
    (plan.steps.len(), blocked)
}

#[test]
fn the_planners_own_plans_bring_each_makers_machine_to_its_goal() {
    for (tree, n_steps) in [("dell", 2), ("hpe", 1), ("lenovo", 1), ("supermicro", 1)] {
        let run = Run::of(tree);
        let snapshot = block_on(run.client().gather()).unwrap();
        let systems = read(&snapshot);
        let plan = firmware::plan(&systems[0], GOAL);
        assert_eq!(plan.blocked, [], "{tree}");
        assert_eq!(plan.steps.len(), n_steps, "{tree}: {:#?}", plan.steps);
        let work = planned(&plan, &systems[0], &snapshot).unwrap();
        run.plan(Direction::Apply, work.clone());
        assert_eq!(run.go_on().unwrap(), Outcome::Done, "{tree}");
        run.assert_in_force(&work);
        assert!(run.emulated.machine().secure_boot_in_force(), "{tree}");
        assert_eq!(left(&run), (0, Vec::new()), "{tree}: nothing is left to plan");
    }
}
