//! Passwords: kept as argon2id hashes, checked away from the threads that answer requests,
//! and not checked twice.
//!
//! To check one takes a tenth of a second and much memory, on purpose. Installers send theirs
//! with every request, so the outcome is remembered: not by the password, but by a MAC over it,
//! the user and the hash under a key that dies with the process. Another hash, as after a new
//! password, has other MACs.

use argon2::password_hash::phc;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use hmac::{Hmac, KeyInit, Mac};
use quick_cache::sync::Cache;
use sha2::Sha256;
use store::PasswordHash;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::Counter;
use crate::secret::random;

/// How many are checked at once: each takes a core and the hash's memory.
const AT_ONCE: usize = 2;

/// How many outcomes are remembered, 64 bytes or so each.
const REMEMBERED: usize = 10_000;

/// What a hash may ask for, in KiB and passes: whoever brings one along from elsewhere must not
/// be able to take this machine's memory.
const MOST_MEMORY: u32 = 1 << 20;
const MOST_PASSES: u32 = 64;
const MOST_LANES: u32 = 64;

/// How hard new passwords are made to guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// KiB of memory.
    pub memory: u32,
    /// How often it is gone through.
    pub passes: u32,
    /// In how many lanes.
    pub lanes: u32,
}

impl Default for Cost {
    /// The second choice of RFC 9106, which is devpi's as well.
    fn default() -> Self {
        Self {
            memory: 64 << 10,
            passes: 3,
            lanes: 4,
        }
    }
}

/// Makes and checks the hashes of passwords.
pub(crate) struct Passwords {
    argon2: Argon2<'static>,
    turns: Semaphore,
    key: [u8; 32],
    outcomes: Cache<Memory, bool>,
    computed: Counter,
}

/// What an outcome is remembered by.
type Memory = [u8; 32];

impl Passwords {
    pub(crate) fn new(cost: Cost) -> Self {
        let params = Params::new(cost.memory, cost.passes, cost.lanes, None);
        let params = params.expect("a cost is chosen by the program, within argon2's bounds");
        Self {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            turns: Semaphore::new(AT_ONCE),
            key: random(),
            outcomes: Cache::new(REMEMBERED),
            computed: Counter::default(),
        }
    }

    /// The hash of a new password, which may be empty.
    pub(crate) async fn hash(&self, password: &str) -> PasswordHash {
        let _turn = self.turn().await;
        let (argon2, password) = (self.argon2.clone(), password.to_owned());
        let hash = move || {
            let hash = argon2.hash_password(password.as_bytes());
            hash.expect("argon2 takes every password").to_string()
        };
        aside(hash).await.into()
    }

    /// Whether this is the user's password, whose hash is given.
    pub(crate) async fn check(&self, user: &str, password: &str, hash: &PasswordHash) -> bool {
        let memory = self.memory(user, password, hash);
        if let Some(outcome) = self.outcomes.get(&memory) {
            return outcome;
        }
        let _turn = self.turn().await;
        // Many who come with the same at once, as a cold installer does, wait for one.
        if let Some(outcome) = self.outcomes.get(&memory) {
            return outcome;
        }
        self.computed.add(1);
        let (phc, password) = (hash.as_str().to_owned(), password.to_owned());
        let outcome = aside(move || is_password(&password, &phc)).await;
        self.outcomes.insert(memory, outcome);
        outcome
    }

    /// What [`check`](Self::check) found before, if it still remembers.
    pub(crate) fn checked(&self, user: &str, password: &str, hash: &PasswordHash) -> Option<bool> {
        self.outcomes.get(&self.memory(user, password, hash))
    }

    /// How many checks were not saved by remembering.
    pub(crate) fn computed(&self) -> u64 {
        self.computed.value()
    }

    async fn turn(&self) -> SemaphorePermit<'_> {
        let turn = self.turns.acquire().await;
        turn.expect("nobody closes this semaphore")
    }

    fn memory(&self, user: &str, password: &str, hash: &PasswordHash) -> Memory {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes a key of any length");
        for part in [user, hash.as_str()] {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part.as_bytes());
        }
        mac.update(password.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

/// Does work off the threads that answer.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Whether a hash from elsewhere is one that passwords can be checked against here.
pub(crate) fn is_usable(phc: &str) -> bool {
    let Ok(hash) = phc::PasswordHash::new(phc) else {
        return false;
    };
    let known = Algorithm::try_from(hash.algorithm.as_str()).is_ok();
    let modest = Params::try_from(&hash).is_ok_and(|params| {
        params.m_cost() <= MOST_MEMORY
            && params.t_cost() <= MOST_PASSES
            && params.p_cost() <= MOST_LANES
    });
    known && modest && hash.salt.is_some() && hash.hash.is_some()
}

fn is_password(password: &str, phc: &str) -> bool {
    // The costs are those of the hash, whatever ours are now.
    is_usable(phc)
        && phc::PasswordHash::new(phc).is_ok_and(|hash| {
            Argon2::default()
                .verify_password(password.as_bytes(), &hash)
                .is_ok()
        })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// Quick, for tests.
    const CHEAP: Cost = Cost {
        memory: 64,
        passes: 1,
        lanes: 1,
    };

    /// Made by passlib 1.7.4, which devpi keeps its passwords with.
    const OF_PASSLIB: [(&str, &str); 4] = [
        (
            "secret",
            "$argon2id$v=19$m=65536,t=3,p=4$yjnnHIMwxrhXylnLubf23g$UMfhRjPwIPuocEtj8xFjQAGvqtcaICGXOOyBlCq3+8Y",
        ),
        (
            "",
            "$argon2id$v=19$m=65536,t=3,p=4$OGfMWWvNOWfsXYvROsc45w$0yG6Fo2GadeDmPwtVqUV74uGPjKIHb0odKSbHgrzlRU",
        ),
        (
            "pässwörd 密码",
            "$argon2id$v=19$m=8192,t=2,p=2$CwEgBOAc49z7X6t1LgUgZA$+OqgMXRtlnHRjIo2C0QQa87GChJJ8M2aHxwGobbfuSI",
        ),
        (
            "secret",
            "$argon2id$v=19$m=1024,t=1,p=8$VqpVilHqPYdQijEG4BwjpA$AHbq4gY3Mm/o6S2BlciRX5OD1Q9iMBGKkO5BAaNUnP8",
        ),
    ];

    #[tokio::test]
    async fn a_password_is_right_for_its_own_hash_only() {
        let passwords = Passwords::new(CHEAP);
        for password in ["secret", "", "pässwörd 密码", &"long".repeat(1000)] {
            let hash = passwords.hash(password).await;
            assert!(hash.as_str().starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
            assert_ne!(hash, passwords.hash(password).await, "salted");
            for _ in 0..2 {
                assert!(passwords.check("alice", password, &hash).await);
                assert!(!passwords.check("alice", "other", &hash).await);
            }
        }
    }

    #[tokio::test]
    async fn hashes_of_devpi_are_checked_as_they_are() {
        let passwords = Passwords::new(CHEAP);
        for (password, phc) in OF_PASSLIB {
            let hash = PasswordHash::from(phc.to_owned());
            assert!(is_usable(phc), "{phc}");
            assert!(passwords.check("alice", password, &hash).await, "{phc}");
            assert!(!passwords.check("alice", "wrong", &hash).await, "{phc}");
        }
    }

    #[tokio::test]
    async fn what_is_no_hash_fits_no_password() {
        let good = Passwords::new(CHEAP).hash("").await;
        let good = good.as_str();
        let bad = [
            "",
            "secret",
            "$argon2id$v=19$m=65536,t=3,p=4$LwXA2LtXyhnDeI8xZqzVeg",
            "$pbkdf2-sha256$i=1000,l=32$LwXA2LtXyhnDeI8xZqzVeg$i2/u/x/0iw4NYfovZFtSF5g2sX49kdrs8LOkMcst0CQ",
            &good.replace("m=64", "m=4194304"),
            &good.replace("t=1", "t=1000000"),
            &good.replace("m=64,t=1,p=1", "m=1048576,t=1,p=100"),
            &good.replace("argon2id", "argon2x"),
            // One character less may still be a hash: a shorter one.
            &good[..good.len() - 40],
        ];
        assert!(is_usable(good));
        let passwords = Passwords::new(CHEAP);
        for phc in bad {
            assert!(!is_usable(phc), "{phc}");
            let hash = PasswordHash::from(phc.to_owned());
            assert!(!passwords.check("alice", "", &hash).await, "{phc}");
        }
    }

    #[tokio::test]
    async fn an_outcome_is_bound_to_user_password_and_hash() {
        let passwords = Passwords::new(CHEAP);
        let (hash, other) = (passwords.hash("a").await, passwords.hash("a").await);
        assert_eq!(passwords.checked("alice", "a", &hash), None);
        passwords.check("alice", "a", &hash).await;
        passwords.check("alice", "b", &hash).await;
        assert_eq!(passwords.checked("alice", "a", &hash), Some(true));
        assert_eq!(passwords.checked("alice", "b", &hash), Some(false));
        assert_eq!(passwords.checked("alice", "a", &other), None);
        assert_eq!(passwords.checked("bob", "a", &hash), None);
        let restarted = Passwords::new(CHEAP);
        assert_eq!(restarted.checked("alice", "a", &hash), None);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn a_crowd_with_one_password_is_checked_once() {
        let passwords = Arc::new(Passwords::new(CHEAP));
        let hash = passwords.hash("secret").await;
        for _ in 0..2 {
            let crowd: Vec<_> = (0..200)
                .map(|_| {
                    let (passwords, hash) = (passwords.clone(), hash.clone());
                    tokio::spawn(async move { passwords.check("alice", "secret", &hash).await })
                })
                .collect();
            for one in crowd {
                assert!(one.await.unwrap());
            }
        }
        let computed = passwords.computed();
        assert!((1..=AT_ONCE as u64).contains(&computed), "{computed}");
    }
}
