//! Passwords: kept as argon2id hashes, checked away from the threads that answer requests,
//! and not checked twice.
//!
//! To check one takes a tenth of a second and much memory, on purpose. Installers send theirs
//! with every request, so the outcome is remembered: not by the password, but by a MAC over it,
//! the user and the hash under a key that dies with the process. Another hash, as after a new
//! password, has other MACs.

mod queue;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use argon2::password_hash::phc;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use hmac::{Hmac, KeyInit, Mac};
use quick_cache::sync::Cache;
use sha2::Sha256;
use store::PasswordHash;
use tokio::sync::OnceCell;

use crate::Counter;
use crate::secret::random;
pub use queue::Busy;
use queue::Queue;

/// How many outcomes of each kind are remembered, 64 bytes or so each.
const REMEMBERED: usize = 10_000;

/// What a hash may ask for, in KiB, passes, and the two multiplied: whoever brings one along
/// from elsewhere must not be able to take this machine's memory or time. Twice the work that
/// argon2's own authors recommend at most (RFC 9106, section 4) is still allowed.
const MOST_MEMORY: u32 = 2 << 20;
const MOST_PASSES: u32 = 16;
const MOST_WORK: u64 = 4 << 20;
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
    queue: Queue,
    key: [u8; 32],
    /// Apart, so that guesses do not push out what is right.
    right: Cache<Memory, ()>,
    wrong: Cache<Memory, ()>,
    /// Checks under way, for all who came with the same.
    under_way: Mutex<HashMap<Memory, Arc<OnceCell<bool>>>>,
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
            queue: Queue::new(),
            key: random(),
            right: Cache::new(REMEMBERED),
            wrong: Cache::new(REMEMBERED),
            under_way: Mutex::default(),
            computed: Counter::default(),
        }
    }

    /// The hash of a new password of this user, which may be empty.
    pub(crate) async fn hash(&self, user: &str, password: &str) -> Result<PasswordHash, Busy> {
        let _turn = self.queue.turn(user).await?;
        let (argon2, password) = (self.argon2.clone(), password.to_owned());
        let hash = move || {
            let hash = argon2.hash_password(password.as_bytes());
            hash.expect("argon2 takes every password").to_string()
        };
        Ok(aside(hash).await.into())
    }

    /// Whether this is the user's password, whose hash is given.
    ///
    /// Many who come with the same at once, as a cold installer does, wait for one check.
    pub(crate) async fn check(
        &self,
        user: &str,
        password: &str,
        hash: &PasswordHash,
    ) -> Result<bool, Busy> {
        let memory = self.memory(user, password, hash);
        if let Some(outcome) = self.remembered(&memory) {
            return Ok(outcome);
        }
        let check = self.under_way().entry(memory).or_default().clone();
        let outcome = check
            .get_or_try_init(|| self.compute(user, password, hash, memory))
            .await
            .copied();
        self.under_way().remove(&memory);
        outcome
    }

    async fn compute(
        &self,
        user: &str,
        password: &str,
        hash: &PasswordHash,
        memory: Memory,
    ) -> Result<bool, Busy> {
        let _turn = self.queue.turn(user).await?;
        self.computed.add(1);
        let (phc, password) = (hash.as_str().to_owned(), password.to_owned());
        let is_right = aside(move || is_password(&password, &phc)).await;
        if is_right {
            self.right.insert(memory, ());
        } else {
            self.wrong.insert(memory, ());
        }
        Ok(is_right)
    }

    /// What [`check`](Self::check) found before, if it still remembers.
    pub(crate) fn checked(&self, user: &str, password: &str, hash: &PasswordHash) -> Option<bool> {
        self.remembered(&self.memory(user, password, hash))
    }

    fn remembered(&self, memory: &Memory) -> Option<bool> {
        let is_right = self.right.get(memory).is_some();
        (is_right || self.wrong.get(memory).is_some()).then_some(is_right)
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<Memory, Arc<OnceCell<bool>>>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// How many checks were not saved by remembering.
    pub(crate) fn computed(&self) -> u64 {
        self.computed.value()
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
            && u64::from(params.m_cost()) * u64::from(params.t_cost()) <= MOST_WORK
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
            let hash = passwords.hash("alice", password).await.unwrap();
            assert!(hash.as_str().starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
            let again = passwords.hash("alice", password).await.unwrap();
            assert_ne!(hash, again, "salted");
            for _ in 0..2 {
                assert_eq!(passwords.check("alice", password, &hash).await, Ok(true));
                assert_eq!(passwords.check("alice", "other", &hash).await, Ok(false));
            }
        }
    }

    #[tokio::test]
    async fn hashes_of_devpi_are_checked_as_they_are() {
        let passwords = Passwords::new(CHEAP);
        for (password, phc) in OF_PASSLIB {
            let hash = PasswordHash::from(phc.to_owned());
            assert!(is_usable(phc), "{phc}");
            let (right, wrong) = (
                passwords.check("alice", password, &hash).await,
                passwords.check("alice", "wrong", &hash).await,
            );
            assert_eq!((right, wrong), (Ok(true), Ok(false)), "{phc}");
        }
    }

    #[tokio::test]
    async fn what_is_no_hash_fits_no_password() {
        let good = Passwords::new(CHEAP).hash("alice", "").await.unwrap();
        let good = good.as_str();
        let bad = [
            "",
            "secret",
            "$argon2id$v=19$m=65536,t=3,p=4$LwXA2LtXyhnDeI8xZqzVeg",
            "$pbkdf2-sha256$i=1000,l=32$LwXA2LtXyhnDeI8xZqzVeg$i2/u/x/0iw4NYfovZFtSF5g2sX49kdrs8LOkMcst0CQ",
            &good.replace("m=64", "m=4194304"),
            &good.replace("t=1", "t=1000000"),
            &good.replace("m=64,t=1,p=1", "m=1048576,t=1,p=100"),
            &good.replace("m=64,t=1", "m=1048576,t=5"),
            &good.replace("argon2id", "argon2x"),
            // One character less may still be a hash: a shorter one.
            &good[..good.len() - 40],
        ];
        assert!(is_usable(good));
        let passwords = Passwords::new(CHEAP);
        for phc in bad {
            assert!(!is_usable(phc), "{phc}");
            let hash = PasswordHash::from(phc.to_owned());
            assert_eq!(
                passwords.check("alice", "", &hash).await,
                Ok(false),
                "{phc}"
            );
        }
    }

    #[tokio::test]
    async fn an_outcome_is_bound_to_user_password_and_hash() {
        let passwords = Passwords::new(CHEAP);
        let (hash, other) = (
            passwords.hash("alice", "a").await.unwrap(),
            passwords.hash("alice", "a").await.unwrap(),
        );
        assert_eq!(passwords.checked("alice", "a", &hash), None);
        passwords.check("alice", "a", &hash).await.unwrap();
        passwords.check("alice", "b", &hash).await.unwrap();
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
        let hash = passwords.hash("alice", "secret").await.unwrap();
        for _ in 0..2 {
            let crowd: Vec<_> = (0..200)
                .map(|_| {
                    let (passwords, hash) = (passwords.clone(), hash.clone());
                    tokio::spawn(async move { passwords.check("alice", "secret", &hash).await })
                })
                .collect();
            for one in crowd {
                assert_eq!(one.await.unwrap(), Ok(true));
            }
        }
        assert_eq!(passwords.computed(), 1);
    }
}
