//! In which order settings can be changed, and which cannot.

use super::explain::{is_locked_text, unlock_text};
use super::wish::{Wish, Wishes, put, wants_presence};
use super::{Blocked, By, Change, Follow, Presence, Revert, Step, Target};
use crate::registry::{Lock, Registry, Values};
use crate::system::{Bios, System};
use crate::vendor::Intent;

/// Most steps of a plan: recorded hosts need up to three.
const STEPS_MAX: usize = 8;

/// Steps, and what none of them mends.
#[derive(Debug, Default)]
pub(super) struct Solved {
    pub(super) steps: Vec<Step>,
    pub(super) blocked: Vec<Blocked>,
}

pub(super) fn solve(system: &System, wishes: Wishes) -> Solved {
    let mut solved = Solved { blocked: wishes.blocked, ..Solved::default() };
    let mut open = wishes.wanted;
    let mut state = State::of(system);
    for _ in 0..STEPS_MAX {
        let ready = state.ready(&open, &solved.blocked);
        if ready.is_empty() {
            break;
        }
        let mut rest = Vec::new();
        let mut now = Vec::new();
        for (at, wish) in open.into_iter().enumerate() {
            if ready.contains(&at) { now.push(wish) } else { rest.push(wish) }
        }
        open = rest;
        let follows = state.apply(&now);
        // What firmware undoes by itself is no change that lasts.
        for wish in &now {
            if let Some(because) = state.fixed(wish) {
                solved.blocked.push(blocked(wish, because, CONFLICT.to_owned(), By::Person));
            }
        }
        let now: Vec<_> = now.into_iter().filter(|wish| state.fixed(wish).is_none()).collect();
        if !now.is_empty() {
            solved.steps.push(step(system, &now, follows));
        }
    }
    if wishes.restart && solved.steps.is_empty() {
        let step = Step { changes: Vec::new(), follows: Vec::new(), presence: None };
        solved.steps.push(step);
    }
    for wish in open {
        let (because, next_step) = state.why_not(&wish, &solved.blocked);
        solved.blocked.push(blocked(&wish, because, next_step, By::Person));
    }
    solved
}

const CONFLICT: &str = "Change what forces it in the firmware's setup first, then plan again.";

fn blocked(wish: &Wish, because: String, next_step: String, by: By) -> Blocked {
    let would = match &wish.target {
        Target::Attribute { attribute, .. } => format!("set {attribute} to {}", wish.to),
        Target::SecureBootEnable { .. } => "turn Secure Boot on".to_owned(),
    };
    Blocked { intent: wish.intent, would: Some(would), because, next_step, by }
}

fn step(system: &System, wishes: &[Wish], follows: Vec<Follow>) -> Step {
    let changes: Vec<_> = wishes.iter().map(change).collect();
    let wants = changes.iter().any(|change| wants_presence(change.intent));
    let presence = system.presence.as_ref().filter(|_| wants).map(|source| Presence {
        resource: source.resource.clone(),
        property: source.property.clone(),
    });
    Step { changes, follows, presence }
}

fn change(wish: &Wish) -> Change {
    let never = |because: &str| Revert::Never { because: because.to_owned() };
    let revert = match (wish.intent, &wish.from) {
        (Intent::Tpm20, _) => never("the switch clears the TPM; what was in it is lost"),
        (_, Some(from)) => Revert::To { value: from.clone() },
        (Intent::Fifo, None) => Revert::To { value: "Crb".into() },
        (_, None) => never("it is an operation, which has no value before"),
    };
    Change {
        intent: wish.intent,
        target: wish.target.clone(),
        from: wish.from.clone(),
        to: wish.to.clone(),
        revert,
        basis: wish.basis,
    }
}

/// The values of the host, as they will be after the steps so far.
struct State<'s> {
    bios: Option<&'s Bios>,
    registry: Option<&'s Registry>,
    values: Values,
}

impl<'s> State<'s> {
    fn of(system: &'s System) -> Self {
        let bios = system.bios.as_ref();
        let registry = bios.and_then(|bios| bios.registry.as_ref()).map(|(_, registry)| registry);
        Self { bios, registry, values: bios.map(|bios| bios.values.clone()).unwrap_or_default() }
    }

    /// Which of `open` can be changed together now. BMCs judge a change by the values in force, so that
    /// what another change unlocks waits for the restart after it.
    fn ready(&self, open: &[Wish], blocked: &[Blocked]) -> Vec<usize> {
        let is_free = |wish: &Wish| {
            self.locks(wish, &self.values).is_empty()
                && self.fixed(wish).is_none()
                && missing_first(wish.intent, &wish.to, open, blocked).is_none()
        };
        let free: Vec<_> =
            open.iter().enumerate().filter(|(_, wish)| is_free(wish)).map(|(at, _)| at).collect();
        // A change that would lock another of them waits until that one is made; of two that lock each
        // other the first goes first.
        let free: Vec<(usize, &Wish, Values)> = free
            .into_iter()
            .filter_map(|at| open.get(at).map(|wish| (at, wish, self.after(wish))))
            .collect();
        let locks_other = |(at, wish, after): &(usize, &Wish, Values)| {
            free.iter().filter(|(other, ..)| other != at).any(|(other, other_wish, other_after)| {
                let goes_first = other < at || self.locks(wish, other_after).is_empty();
                goes_first && !self.locks(other_wish, after).is_empty()
            })
        };
        let ready: Vec<usize> =
            free.iter().filter(|one| !locks_other(one)).map(|(at, ..)| *at).collect();
        ready
    }

    /// What locks the setting of a wish.
    fn locks(&self, wish: &Wish, values: &Values) -> Vec<Lock> {
        let (Some(registry), Some(attribute)) = (self.registry, &wish.attribute) else {
            return Vec::new();
        };
        let mut locks = registry.locks(attribute, values);
        if matches!(wish.target, Target::SecureBootEnable { .. }) {
            // The attribute only shows what the resource sets, so that it is read-only by nature; what
            // locks it under a condition locks the resource, too.
            locks.retain(|lock| !lock.because.is_empty());
        }
        locks
    }

    fn after(&self, wish: &Wish) -> Values {
        let mut values = self.values.clone();
        if let Some(bios) = self.bios {
            put(wish, bios, &mut values);
        }
        if let Some(registry) = self.registry {
            registry.settle(&mut values);
        }
        values
    }

    fn apply(&mut self, wishes: &[Wish]) -> Vec<Follow> {
        if let Some(bios) = self.bios {
            wishes.iter().for_each(|wish| put(wish, bios, &mut self.values));
        }
        let Some(registry) = self.registry else { return Vec::new() };
        let own = |name: &str| wishes.iter().any(|wish| wish.attribute.as_deref() == Some(name));
        let forced = registry.settle(&mut self.values).into_iter();
        forced
            .filter(|forced| !own(&forced.attribute))
            .map(|forced| Follow { attribute: forced.attribute, from: forced.from, to: forced.to })
            .collect()
    }

    /// Why firmware has another value for the setting of a wish, now or after it was set.
    fn fixed(&self, wish: &Wish) -> Option<String> {
        if wish.is_operation || !matches!(wish.target, Target::Attribute { .. }) {
            return None;
        }
        let (registry, attribute) = (self.registry?, wish.attribute.as_ref()?);
        let forced = registry.forced(attribute, &self.values)?;
        let is_so = match registry.attribute(attribute) {
            Some(entry) => entry.same(&forced.to, &wish.to),
            None => forced.to.says(&wish.to),
        };
        if is_so {
            return None;
        }
        let because = super::explain::conditions(&forced.because);
        Some(format!("firmware sets {attribute} to {} while {because}", forced.to))
    }

    fn why_not(&self, wish: &Wish, blocked: &[Blocked]) -> (String, String) {
        if let Some(first) = missing_first(wish.intent, &wish.to, &[], blocked) {
            return (
                format!("{} must come first, and that is blocked", first.title()),
                "Mend that first, then plan again.".to_owned(),
            );
        }
        let locks = self.locks(wish, &self.values);
        let name = wish.attribute.as_deref().unwrap_or("the setting");
        if let Some(lock) = locks.first() {
            return (is_locked_text(name, lock), unlock_text(self.registry, lock));
        }
        match self.fixed(wish) {
            Some(because) => (because, CONFLICT.to_owned()),
            None => (
                format!("{name} and another setting lock each other"),
                "Change one of them in the firmware's setup, then plan again.".to_owned(),
            ),
        }
    }
}

/// What must hold before a change of this intent, though registries do not say so: the one of them
/// that is still open or blocked.
fn missing_first(
    intent: Intent,
    to: &crate::Scalar,
    open: &[Wish],
    blocked: &[Blocked],
) -> Option<Intent> {
    let turns_on = !matches!(
        to.to_string().to_ascii_lowercase().as_str(),
        "off" | "disabled" | "disable" | "false"
    );
    let first: &[Intent] = match intent {
        Intent::SecureBoot => &[Intent::UefiBoot],
        // The launch measures through the TPM, into the bank that counts.
        Intent::Txt if turns_on => &[Intent::TpmVisible, Intent::Tpm20, Intent::Sha256Bank],
        _ => &[],
    };
    let is_missing = |intent: &&Intent| {
        open.iter().any(|wish| wish.intent == **intent)
            || blocked.iter().any(|blocked| blocked.intent == **intent)
    };
    first.iter().find(is_missing).copied()
}
