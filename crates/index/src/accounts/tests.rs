//! Accounts over a real store: who is known by what, and by whom it is changed.

mod logins;
mod tokens;
mod users;

use serde_json::{Map, Value, json};
use store::{DataDir, Mode};
use tempfile::TempDir;

use super::*;
use crate::access::Scope;

/// Quick, for tests.
const CHEAP: Cost = Cost {
    memory: 64,
    passes: 1,
    lanes: 1,
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn options(admins: Admins) -> Options {
    Options {
        groups: HashMap::from([("devs".to_owned(), vec!["alice".to_owned()])]),
        admins,
        cost: CHEAP,
    }
}

/// A server's accounts, in a directory of their own.
struct Home {
    dir: TempDir,
    accounts: Arc<Accounts>,
}

impl Home {
    async fn new(admins: Admins) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let accounts = open(&dir, admins).await;
        Self { dir, accounts }
    }

    /// Root, and Alice and Bob whose passwords are their names.
    async fn with_people() -> Self {
        let home = Self::new(Admins::Owners).await;
        for name in ["alice", "bob"] {
            home.create(&Caller::anonymous(), name, json!({ "password": name }))
                .await
                .unwrap();
        }
        home
    }

    async fn create(&self, caller: &Caller, name: &str, fields: Value) -> Result<User, Error> {
        let accounts = &self.accounts;
        accounts
            .create_user(caller, name, &object(fields), at(0))
            .await
    }

    async fn modify(
        &self,
        caller: &Caller,
        name: &str,
        fields: Value,
    ) -> Result<Option<Login>, Error> {
        let accounts = &self.accounts;
        accounts
            .modify_user(caller, name, &object(fields), at(60))
            .await
    }

    fn caller(&self, name: &str) -> Caller {
        self.accounts.account(name).unwrap().caller.clone()
    }

    async fn restart(self) -> Self {
        self.accounts.note_uses().await.unwrap();
        let Self { dir, accounts } = self;
        accounts.db.close().await;
        drop(accounts);
        let accounts = open(&dir, Admins::Owners).await;
        Self { dir, accounts }
    }
}

async fn open(dir: &TempDir, admins: Admins) -> Arc<Accounts> {
    let data = DataDir::open(dir.path(), Mode::Serve).unwrap();
    let db = data.db().await.unwrap();
    Accounts::open(db, options(admins), at(0)).await.unwrap()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("{other} is no object"),
    }
}

fn new_token(scope: Option<Scope>, expires: Option<Timestamp>) -> NewToken {
    NewToken {
        name: "ci".to_owned(),
        scope,
        expires,
    }
}

fn refused<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    let error = result.unwrap_err();
    let kind = match &error {
        Error::NoSuchUser { .. } | Error::NoSuchToken { .. } => 404,
        Error::Exists { .. } => 409,
        Error::BadRequest { .. } => 400,
        Error::Denied { .. } => 401,
        Error::Forbidden { .. } => 403,
        other => panic!("{other:?}"),
    };
    format!("{kind} {error}")
}

#[tokio::test]
async fn somebody_is_known_by_password_login_and_token() {
    let home = Home::with_people().await;
    let accounts = &home.accounts;
    assert_eq!(accounts.known("alice", "alice", at(0)), None);
    let caller = accounts
        .authenticate("alice", "alice", at(0))
        .await
        .unwrap();
    assert_eq!(
        (caller.is("alice"), caller.groups()),
        (true, &["devs".into()][..])
    );
    assert_eq!(accounts.known("alice", "alice", at(0)), Some(caller));
    let wrong = accounts.authenticate("alice", "x", at(0)).await;
    assert_eq!(
        wrong.unwrap_err().to_string(),
        "user 'alice' could not be authenticated"
    );
    assert_eq!(accounts.known("alice", "x", at(0)), None);
    let computed = accounts.passwords_checked();
    for password in ["alice", "x"] {
        let again = accounts.authenticate("alice", password, at(0)).await;
        assert_eq!(again.is_ok(), password == "alice");
    }
    assert_eq!(accounts.passwords_checked(), computed);

    let login = accounts.login("alice", "alice", at(0)).await.unwrap();
    assert_eq!(login.expires, at(36_000));
    let scope = Scope {
        read: true,
        upload: false,
        remove: false,
        index: None,
        project: None,
    };
    let bob = home.caller("bob");
    let new = new_token(Some(scope.clone()), None);
    let (token, api) = accounts
        .create_token(&bob, "bob", new, at(0))
        .await
        .unwrap();
    assert_eq!(token.scope(), Some(&scope));
    for (secret, prefix, owner) in [(&login.secret, "phl_", "alice"), (&api, "pht_", "bob")] {
        let secret = secret.reveal();
        assert!(secret.starts_with(prefix) && secret.len() == 47 && secret.is_ascii());
        for user in [owner, "__token__", "", "somebody"] {
            let known = accounts.known(user, secret, at(1)).unwrap();
            let authenticated = accounts.authenticate(user, secret, at(1)).await;
            assert_eq!(Ok(&known), authenticated.as_ref());
            assert!(known.is(owner));
        }
        let other = format!("{}{}", &secret[..35], "x".repeat(12));
        let denied = accounts.authenticate("__token__", &other, at(1)).await;
        assert_eq!(
            denied.unwrap_err().to_string(),
            "user '__token__' could not be authenticated"
        );
    }
    assert_eq!(
        accounts.known("", api.reveal(), at(1)).unwrap().limits(),
        Some(&scope)
    );
}

#[tokio::test]
async fn what_another_process_changes_is_seen_in_a_while() {
    let home = Home::with_people().await;
    let visit = DataDir::open(home.dir.path(), Mode::Visit).unwrap();
    let there = visit.db().await.unwrap();
    let there = Accounts::open(there, options(Admins::Owners), at(0))
        .await
        .unwrap();
    there.set_password("alice", "other", at(5)).await.unwrap();
    home.accounts.refresh().await.unwrap();
    assert!(home.accounts.is_password("alice", "other").await);
    assert!(!home.accounts.is_password("alice", "alice").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_are_authenticated_while_others_come_and_go() {
    let home = Home::with_people().await;
    let login = home.accounts.login("alice", "alice", at(0)).await.unwrap();
    let mut tasks = Vec::new();
    for n in 0..20 {
        let (accounts, secret) = (home.accounts.clone(), login.secret.clone());
        tasks.push(tokio::spawn(async move {
            let name = format!("user{n}");
            let (anonymous, fields) = (Caller::anonymous(), object(json!({ "password": name })));
            accounts
                .create_user(&anonymous, &name, &fields, at(1))
                .await
                .unwrap();
            for (user, secret) in [("", secret.reveal()), ("bob", "bob"), (&name, &name)] {
                let caller = accounts.authenticate(user, secret, at(1)).await.unwrap();
                assert_eq!(Some(&caller), accounts.known(user, secret, at(1)).as_ref());
            }
            let own = accounts.login(&name, &name, at(1)).await.unwrap();
            let caller = accounts.known("", own.secret.reveal(), at(1)).unwrap();
            accounts.remove_user(&caller, &name, at(2)).await.unwrap();
            assert_eq!(accounts.known("", own.secret.reveal(), at(2)), None);
            assert_eq!(accounts.known(&name, &name, at(2)), None);
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(home.accounts.users().len(), 3);
}
