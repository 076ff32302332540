//! Forms whose session ended, while their person signs in at the provider.
//!
//! A short one goes along with the login, sealed in the browser's cookie: any server takes it back. What a cookie
//! has no room for, such as a policy, stays with the server that sent its person away, and the seal refers to it.
//! So nobody gets a form that another browser wrote. The shelf has few places and a short memory, since anybody may
//! put something on it; what fell off is said, never passed over.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::super::{AppError, secret::random};

/// Bytes of a form that goes along in the cookie: that has 4 KiB, of which the rest of a login takes a quarter and
/// sealing a third.
const IN_COOKIE_BYTES_MAX: usize = 1_200;

/// Forms on the shelf: people whose sessions ended while they wrote much, within ten minutes.
const FORMS_MAX: usize = 32;

/// Bytes of all of them: as many policies of ordinary size.
const BYTES_MAX: usize = 16 * 1024 * 1024;

/// How long one is kept: as long as a login may take.
const KEPT_FOR: Duration = Duration::from_secs(600);

/// Where a form is meanwhile.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Held {
    /// Here.
    Here(String),
    /// On the shelf of the server that sent its person away, under this name.
    Shelved(String),
}

/// What becomes of a form when its person is back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum HeldForm {
    /// There was none.
    None,
    /// This one.
    Kept(String),
    /// It is gone: the server began anew meanwhile, is another one, or had no room.
    Gone,
}

#[derive(Debug)]
struct Shelved {
    name: String,
    form: String,
    since: Instant,
}

/// Forms that no cookie has room for.
#[derive(Debug, Default)]
pub(in crate::app) struct Shelf(Mutex<VecDeque<Shelved>>);

impl Shelf {
    /// Holds a form. The oldest make room.
    pub(super) fn hold(&self, form: String, now: Instant) -> Result<Held, AppError> {
        if form.len() <= IN_COOKIE_BYTES_MAX {
            return Ok(Held::Here(form));
        }
        let name = URL_SAFE_NO_PAD.encode(random::<16>()?);
        let mut forms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        forms.push_back(Shelved { name: name.clone(), form, since: now });
        let n_bytes =
            |forms: &VecDeque<Shelved>| forms.iter().map(|one| one.form.len()).sum::<usize>();
        while forms.len() > FORMS_MAX || n_bytes(&forms) > BYTES_MAX {
            forms.pop_front();
        }
        Ok(Held::Shelved(name))
    }

    /// Gives a form back, once.
    pub(super) fn give_back(&self, held: Option<Held>, now: Instant) -> HeldForm {
        let name = match held {
            None => return HeldForm::None,
            Some(Held::Here(form)) => return HeldForm::Kept(form),
            Some(Held::Shelved(name)) => name,
        };
        let mut forms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        forms.retain(|one| now.saturating_duration_since(one.since) <= KEPT_FOR);
        let at = forms.iter().position(|one| one.name == name);
        at.and_then(|at| forms.remove(at)).map_or(HeldForm::Gone, |one| HeldForm::Kept(one.form))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn long(n: usize) -> String {
        format!("{n} {}", "x".repeat(IN_COOKIE_BYTES_MAX))
    }

    #[test]
    fn a_short_form_goes_along_and_a_long_one_is_given_back_once() {
        let (shelf, now) = (Shelf::default(), Instant::now());
        let short = shelf.hold("reason=x".to_owned(), now).unwrap();
        assert!(matches!(short, Held::Here(_)));
        assert_eq!(shelf.give_back(Some(short), now), HeldForm::Kept("reason=x".to_owned()));
        let Held::Shelved(name) = shelf.hold(long(1), now).unwrap() else { panic!("too long") };
        let held = || Some(Held::Shelved(name.clone()));
        assert_eq!(shelf.give_back(held(), now), HeldForm::Kept(long(1)));
        assert_eq!(shelf.give_back(held(), now), HeldForm::Gone, "once");
        assert_eq!(shelf.give_back(None, now), HeldForm::None);
    }

    #[test]
    fn a_shelf_has_few_places_and_a_short_memory() {
        let (shelf, now) = (Shelf::default(), Instant::now());
        let held: Vec<_> = (0..=FORMS_MAX).map(|n| shelf.hold(long(n), now).unwrap()).collect();
        let mut held = held.into_iter();
        assert_eq!(shelf.give_back(held.next(), now), HeldForm::Gone, "the oldest made room");
        assert_eq!(shelf.give_back(held.next(), now + KEPT_FOR), HeldForm::Kept(long(1)));
        let late = now + KEPT_FOR + Duration::from_secs(1);
        assert_eq!(shelf.give_back(held.next(), late), HeldForm::Gone, "ten minutes are over");
        let half = "x".repeat(BYTES_MAX / 2);
        let first = shelf.hold(half.clone(), late).unwrap();
        let second = shelf.hold(format!("{half}x"), late).unwrap();
        assert_eq!(shelf.give_back(Some(first), late), HeldForm::Gone, "both are too much");
        assert!(matches!(shelf.give_back(Some(second), late), HeldForm::Kept(_)));
    }
}
