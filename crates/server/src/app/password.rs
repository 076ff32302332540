//! Passwords: which may be chosen, and how they are kept and compared.
//!
//! [SP 800-63B-4 §3.1.1] length and a list of usual ones, no rules on kinds of characters, no expiry.

use std::sync::{Arc, LazyLock};

use argon2::{
    Algorithm, Argon2, Params, PasswordHash, PasswordHasher as _, PasswordVerifier as _, Version,
    password_hash::SaltString,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

use super::{AppError, RefusalKind, secret::random};

/// Characters of a password that is the only thing shown. [SP 800-63B-4 §3.1.1.2]
pub(super) const CHARS_MIN: usize = 15;

/// Characters of a password: a sentence. Hashing costs the same for all of them.
pub(super) const CHARS_MAX: usize = 256;

/// Memory of one hash, in KiB, and passes over it: what OWASP recommends for argon2id.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;

/// Hashes at one time: 38 MiB and two cores, whatever comes.
const AT_ONCE: usize = 2;

/// Logins that wait for their hash: at 30 ms each the last is answered within half a second.
const WAITING_MAX: usize = 32;

/// What people choose who must choose something. Longer ones are made of these.
const USUAL: &[&str] = &[
    "password",
    "passwort",
    "kennwort",
    "passw0rd",
    "p@ssw0rd",
    "qwertyuiop",
    "qwertzuiop",
    "qwerty",
    "qwertz",
    "asdfghjkl",
    "azerty",
    "zxcvbnm",
    "yxcvbnm",
    "1q2w3e4r",
    "letmein",
    "welcome",
    "willkommen",
    "changeme",
    "iloveyou",
    "abc123",
    "monkey",
    "dragon",
    "football",
    "baseball",
    "sunshine",
    "princess",
    "superman",
    "batman",
    "trustno",
    "master",
    "secret",
    "geheim",
    "admin",
    "administrator",
    "root",
    "login",
    "default",
    "server",
    "hallo",
    "hello",
    "test",
    "guest",
    "vmware",
    "bootproof",
    "secureboot",
    "correcthorsebatterystaple",
];

/// Characters that must be left of a password without usual words, digits, and the account's name.
const OWN_CHARS_MIN: usize = 6;

/// Why a password cannot be chosen; `None`: it can.
pub(super) fn fault(password: &str, name: &str) -> Option<String> {
    let n_chars = password.chars().take(CHARS_MAX + 1).count();
    if n_chars < CHARS_MIN {
        return Some(format!("a password has {CHARS_MIN} characters at least"));
    }
    if n_chars > CHARS_MAX {
        return Some(format!("a password has {CHARS_MAX} characters at most"));
    }
    if password.contains(['\0', '\n', '\r']) {
        return Some("a password is one line".to_owned());
    }
    is_guessed(password, name).then(|| "this password is among the first that are tried".to_owned())
}

/// Whether it is made of usual words, the account's name, digits, runs or repetitions alone.
fn is_guessed(password: &str, name: &str) -> bool {
    let mut rest = Zeroizing::new(password.to_lowercase());
    let name = name.to_lowercase();
    let of_name = name.split(['.', '@', '-', '_']).chain([name.as_str()]);
    let mut words: Vec<&str> = USUAL.iter().copied().chain(of_name).collect();
    words.retain(|word| word.len() >= 3);
    // The longest first, so that none is taken out of the middle of another.
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    for word in words {
        *rest = rest.replace(word, "");
    }
    let letters: Vec<char> = rest.chars().filter(|c| c.is_alphabetic() || !c.is_ascii()).collect();
    // What goes on as it began says nothing new: aaaa, abcd, dcba, abab.
    let says_new = |(at, c): &(usize, &char)| {
        let before = |back: usize| at.checked_sub(back).and_then(|at| letters.get(at)).copied();
        let is_near = before(1).is_some_and(|last| u32::from(last).abs_diff(u32::from(**c)) <= 1);
        !is_near && !(2..=5).any(|back| before(back) == Some(**c))
    };
    letters.iter().enumerate().filter(says_new).count() < OWN_CHARS_MIN
}

/// Compares and hashes passwords, few at a time.
#[derive(Debug)]
pub(super) struct Passwords {
    hashing: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        let (hashing, waiting) = (Semaphore::new(AT_ONCE), Semaphore::new(WAITING_MAX));
        Self { hashing: Arc::new(hashing), waiting: Arc::new(waiting) }
    }
}

fn argon2() -> Result<Argon2<'static>, AppError> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None)
        .map_err(|err| AppError::Bug(err.to_string().into()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &str) -> Result<String, AppError> {
    let bug = |err: argon2::password_hash::Error| AppError::Bug(err.to_string().into());
    let salt = SaltString::encode_b64(&random::<16>()?).map_err(bug)?;
    Ok(argon2()?.hash_password(password.as_bytes(), &salt).map_err(bug)?.to_string())
}

/// What a password is compared with where there is no account: it costs what another one costs.
static NOBODYS: LazyLock<String> = LazyLock::new(|| hash("nobody has this").unwrap_or_default());

impl Passwords {
    async fn place(&self) -> Result<(OwnedSemaphorePermit, OwnedSemaphorePermit), AppError> {
        let busy = || {
            AppError::refused(
                RefusalKind::TooMany,
                "login-busy",
                "too many people log in at this moment",
                "try again in some seconds",
            )
        };
        let waiting = Arc::clone(&self.waiting).try_acquire_owned().map_err(|_| busy())?;
        let hashing = Arc::clone(&self.hashing).acquire_owned().await;
        Ok((waiting, hashing.map_err(|err| AppError::Bug(err.into()))?))
    }

    /// Whether `password` is the one of `phc`; without one it is not, and takes as long.
    pub(super) async fn is(
        &self,
        password: Zeroizing<String>,
        phc: Option<String>,
    ) -> Result<bool, AppError> {
        let place = self.place().await?;
        let compare = move || {
            // Goes when the work is done, not when nobody waits for it any more.
            let _place = place;
            let is_somebodys = phc.is_some();
            let phc = phc.unwrap_or_else(|| NOBODYS.clone());
            let known =
                PasswordHash::new(&phc).map_err(|err| AppError::Bug(err.to_string().into()))?;
            // A password that could not have been chosen is compared all the same, cut.
            let password: Zeroizing<String> =
                Zeroizing::new(password.chars().take(CHARS_MAX + 1).collect());
            let fits = argon2()?.verify_password(password.as_bytes(), &known).is_ok();
            Ok(fits && is_somebodys)
        };
        tokio::task::spawn_blocking(compare).await.map_err(|err| AppError::Bug(err.into()))?
    }

    /// What is kept of a password.
    pub(super) async fn hash(&self, password: Zeroizing<String>) -> Result<String, AppError> {
        let place = self.place().await?;
        let work = move || {
            let _place = place;
            hash(&password)
        };
        tokio::task::spawn_blocking(work).await.map_err(|err| AppError::Bug(err.into()))?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_long_and_nobodys_first_guess() {
        for good in [
            "three blue kettles",
            "Zug nach Regensburg",
            "kq7v-m2xw-9t4d-hz",
            "пятьсот серых котов",
            &"xylophon und ".repeat(19),
        ] {
            assert_eq!(fault(good, "alice"), None, "{good}");
        }
        for bad in [
            "",
            "kq7v-m2xw-9t4d",
            "passwordpassword",
            "Password12345678",
            "P@ssw0rd!P@ssw0rd!",
            "123456789012345678",
            "aaaaaaaaaaaaaaaaaaa",
            "abcdefghijklmnopqrst",
            "abcabcabcabcabcabc",
            "Alice.Smith-2027!!!!",
            "correcthorsebatterystaple",
            "bootproof-admin-2027",
            "three blue\nkettles",
            &"x y".repeat(200),
        ] {
            assert!(fault(bad, "alice.smith").is_some(), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_password_is_kept_as_a_salted_hash() {
        let passwords = Passwords::default();
        let word = |text: &str| Zeroizing::new(text.to_owned());
        let phc = passwords.hash(word("three blue kettles")).await.unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert_ne!(phc, passwords.hash(word("three blue kettles")).await.unwrap());
        assert!(passwords.is(word("three blue kettles"), Some(phc.clone())).await.unwrap());
        assert!(!passwords.is(word("three blue kettle"), Some(phc)).await.unwrap());
        assert!(
            !passwords.is(word("nobody has this"), None).await.unwrap(),
            "nobody's is nobody's"
        );
    }

    #[tokio::test]
    async fn a_flood_of_logins_is_turned_away() {
        let passwords = Passwords::default();
        let tries: Vec<_> = (0..WAITING_MAX + 5)
            .map(|_| passwords.is(Zeroizing::new("x".to_owned()), None))
            .collect();
        let mut tries: Vec<_> = tries.into_iter().map(Box::pin).collect();
        let mut n_refused = 0;
        for one in &mut tries {
            // Each is begun before any has ended: those that have no place are refused at once.
            let begun =
                std::future::poll_fn(|context| std::task::Poll::Ready(one.as_mut().poll(context)));
            if let std::task::Poll::Ready(Err(AppError::Refused(refusal))) = begun.await {
                assert_eq!(refusal.code, "login-busy");
                n_refused += 1;
            }
        }
        assert_eq!(n_refused, 5);
        assert_eq!(passwords.hashing.available_permits(), 0);
    }
}
