//! Accounts over a real store: users, passwords, logins and tokens.

use serde_json::{Map, Value, json};
use store::{DataDir, IndexRow, Mode, TokenKind};
use tempfile::TempDir;

use super::*;
use crate::access::Scope;
use crate::secret::Secret;

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
async fn a_first_start_knows_root_with_an_empty_password() {
    let home = Home::new(Admins::Owners).await;
    let accounts = &home.accounts;
    assert!(accounts.is_password("root", "").await);
    assert!(!accounts.is_password("root", "x").await);
    accounts.set_password("root", "x", at(1)).await.unwrap();
    let home = home.restart().await;
    assert!(!home.accounts.is_password("root", "").await);
    assert!(home.accounts.is_password("root", "x").await);
    assert_eq!(home.accounts.users().len(), 1);
}

#[tokio::test]
async fn a_user_is_made_by_devpis_rules() {
    let home = Home::new(Admins::Owners).await;
    let anonymous = Caller::anonymous();
    let fields = json!({
        "password": "secret", "email": "alice@example.com", "title": "", "custom_data": {"a": 1},
        "indexes": {}, "created": "then",
    });
    let alice = home.create(&anonymous, "alice", fields).await.unwrap();
    let shown = json!({
        "username": "alice", "email": "alice@example.com", "custom_data": {"a": 1},
        "created": "2027-01-15T08:00:00Z",
    });
    assert_eq!(Value::from(alice.to_json()), shown);
    let of_passlib = "$argon2id$v=19$m=8192,t=2,p=2$CwEgBOAc49z7X6t1LgUgZA$+OqgMXRtlnHRjIo2C0QQa87GChJJ8M2aHxwGobbfuSI";
    for (name, fields, expected) in [
        (
            "alice",
            json!({ "password": "x" }),
            "409 user already exists",
        ),
        ("bob", json!({}), "400 password needs to be set"),
        (
            "b 9",
            json!({ "password": "x" }),
            "400 username 'b 9' contains characters that aren't allowed. \
             Any ascii symbol besides -.@_ is blocked.",
        ),
        (
            "bob",
            json!({ "password": "x", "age": 3, "colour": "" }),
            "400 Unknown keys in user config: age, colour",
        ),
        (
            "bob",
            json!({ "password": 3 }),
            "400 password needs to be text",
        ),
        (
            "bob",
            json!({ "password": "x", "pwhash": "x" }),
            "400 pwhash is not an argon2 hash, like `$argon2id$v=19$m=65536,t=3,p=4$…`, \
             or takes too much memory to check",
        ),
    ] {
        let found = refused(home.create(&anonymous, name, fields.clone()).await);
        assert_eq!(found, expected, "{name} {fields}");
    }
    let fields = json!({ "password": null, "pwhash": of_passlib });
    home.create(&anonymous, "bob", fields).await.unwrap();
    let accounts = &home.accounts;
    assert!(accounts.is_password("bob", "pässwörd 密码").await);
    let fields = json!({ "password": null });
    home.create(&anonymous, "locked", fields).await.unwrap();
    assert!(!accounts.is_password("locked", "").await);
    let names: Vec<_> = accounts
        .users()
        .into_iter()
        .map(|user| user.name().to_string())
        .collect();
    assert_eq!(names, ["alice", "bob", "locked", "root"]);
    assert_eq!(refused(accounts.user("carol")), "404 no user 'carol'");
}

#[tokio::test]
async fn a_user_is_changed_by_themselves_and_by_root() {
    let home = Home::with_people().await;
    let (alice, bob, root) = (
        home.caller("alice"),
        home.caller("bob"),
        home.caller("root"),
    );
    let titled = json!({ "title": "Dr", "nonsense": 1, "username": "eve", "created": "x" });
    assert!(
        home.modify(&alice, "alice", titled)
            .await
            .unwrap()
            .is_none()
    );
    let shown = || Value::from(home.accounts.user("alice").unwrap().to_json());
    let expected = json!({
        "username": "alice", "title": "Dr",
        "created": "2027-01-15T08:00:00Z", "modified": "2027-01-15T08:01:00Z",
    });
    assert_eq!(shown(), expected);
    home.modify(&root, "alice", json!({ "title": "" }))
        .await
        .unwrap();
    assert_eq!(shown().get("title"), None);
    let title = || json!({ "title": "x" });
    let password = || json!({ "password": "x" });
    for (caller, name, fields, expected) in [
        (
            &bob,
            "alice",
            title(),
            "403 no permission to modify user alice",
        ),
        (
            &bob,
            "alice",
            password(),
            "403 no permission to change password for user alice",
        ),
        (
            &Caller::anonymous(),
            "root",
            title(),
            "403 no permission to modify user root",
        ),
        (&root, "carol", title(), "404 no user 'carol'"),
        (
            &alice,
            "alice",
            json!({ "password": [] }),
            "400 password needs to be text",
        ),
    ] {
        let found = refused(home.modify(caller, name, fields).await);
        assert_eq!(found, expected, "{caller:?}");
    }
}

#[tokio::test]
async fn a_new_password_ends_the_logins_but_ones_own_and_begins_one() {
    let home = Home::with_people().await;
    let accounts = &home.accounts;
    let old = accounts.login("alice", "alice", at(0)).await.unwrap();
    let (token, api) = accounts
        .create_token(&home.caller("alice"), "alice", new_token(None, None), at(0))
        .await
        .unwrap();
    let bobs = accounts.login("bob", "bob", at(0)).await.unwrap();
    let of = |secret: &Secret| accounts.known("", secret.reveal(), at(61));
    assert!(of(&old.secret).is_some_and(|caller| caller.is("alice")));

    let root = home.caller("root");
    let new = home.modify(&root, "alice", json!({ "password": "new" }));
    let new = new.await.unwrap().unwrap();
    assert_eq!(of(&old.secret), None);
    assert!(of(&new.secret).is_some_and(|caller| caller.is("alice")));
    assert!(of(&api).is_some_and(|caller| caller.is("alice")));
    assert!(of(&bobs.secret).is_some());
    assert_eq!(token.name(), "ci");
    assert!(!accounts.is_password("alice", "alice").await);
    assert!(accounts.is_password("alice", "new").await);

    let own = of(&new.secret).unwrap();
    let other = accounts.login("alice", "new", at(60)).await.unwrap();
    let newest = home.modify(&own, "alice", json!({ "password": "newest" }));
    let newest = newest.await.unwrap().unwrap();
    assert_eq!(of(&other.secret), None);

    let home = home.restart().await;
    let of = |secret: &Secret| home.accounts.known("", secret.reveal(), at(61)).is_some();
    let secrets = [&old, &other, &new, &newest, &bobs].map(|login| &login.secret);
    assert_eq!(secrets.map(of), [false, false, true, true, true]);
    assert!(of(&api));
}

#[tokio::test]
async fn a_user_goes_with_everything_unless_it_must_stay() {
    let home = Home::with_people().await;
    let accounts = &home.accounts;
    let (alice, bob, root) = (
        home.caller("alice"),
        home.caller("bob"),
        home.caller("root"),
    );
    let remove = |caller: &Caller, name: &'static str| {
        let caller = caller.clone();
        async move { accounts.remove_user(&caller, name, at(9)).await }
    };
    let row = |name: &str, volatile: bool| IndexRow {
        owner: "alice".to_owned(),
        name: name.to_owned(),
        settings: json!({ "type": "stage", "volatile": volatile }).to_string(),
        created_at: at(0),
    };
    let told = Event::new(at(0), "index-create");
    for index in [row("dev", true), row("prod", false)] {
        accounts.db.create_index(&index, &told).await.unwrap();
    }
    for (caller, name, expected) in [
        (
            &alice,
            "alice",
            "403 user 'alice' has non-volatile index: prod",
        ),
        (&bob, "alice", "403 no permission to delete user alice"),
        (&root, "root", "403 no permission to delete user root"),
        (&root, "carol", "404 no user 'carol'"),
        (
            &Caller::anonymous(),
            "bob",
            "403 no permission to delete user bob",
        ),
    ] {
        assert_eq!(refused(remove(caller, name).await), expected);
    }
    let login = accounts.login("alice", "alice", at(0)).await.unwrap();
    let index = row("prod", true);
    accounts.db.update_index(&index, &told).await.unwrap();
    remove(&alice, "alice").await.unwrap();
    remove(&root, "bob").await.unwrap();
    assert_eq!(accounts.known("alice", login.secret.reveal(), at(1)), None);
    assert!(!accounts.is_password("alice", "alice").await);
    // Who comes by that name later has nothing of theirs.
    let fields = json!({ "password": "other" });
    home.create(&root, "alice", fields).await.unwrap();
    let home = home.restart().await;
    let secret = login.secret.reveal();
    assert_eq!(home.accounts.known("alice", secret, at(1)), None);
    assert!(home.accounts.db.indexes().await.unwrap().is_empty());
}

#[tokio::test]
async fn restricted_accounts_are_looked_after_by_those_named_alone() {
    let home = Home::new(Admins::only("root, :devs")).await;
    let accounts = &home.accounts;
    let root = home.caller("root");
    let password = || json!({ "password": "x" });
    let anonymous = Caller::anonymous();
    let refusal = "403 no permission to create user eve";
    assert_eq!(
        refused(home.create(&anonymous, "eve", password()).await),
        refusal
    );
    for name in ["alice", "bob", "carol"] {
        home.create(&root, name, password()).await.unwrap();
    }
    let (alice, bob) = (home.caller("alice"), home.caller("bob"));
    // Of the group `devs`.
    home.create(&alice, "dave", password()).await.unwrap();
    assert_eq!(refused(home.create(&bob, "eve", password()).await), refusal);
    let title = || json!({ "title": "x" });
    home.modify(&alice, "bob", title()).await.unwrap();
    home.modify(&bob, "bob", password()).await.unwrap();
    for (fields, expected) in [
        (title(), "403 no permission to modify user bob"),
        (
            json!({ "password": "x", "title": "x" }),
            "403 no permission to modify user bob",
        ),
    ] {
        assert_eq!(refused(home.modify(&bob, "bob", fields).await), expected);
    }
    for (caller, name, allowed) in [
        (&bob, "bob", false),
        (&alice, "alice", false),
        (&alice, "root", false),
        (&alice, "carol", true),
    ] {
        let removed = accounts.remove_user(caller, name, at(9)).await;
        assert_eq!(removed.is_ok(), allowed, "{name}");
    }
    for (caller, owner, allowed) in [
        (&alice, "bob", true),
        (&bob, "bob", false),
        (&root, "bob", true),
    ] {
        assert_eq!(accounts.admins().admit(caller, owner), allowed, "{owner}");
    }
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
async fn a_password_may_look_like_a_token() {
    let home = Home::new(Admins::Owners).await;
    let password = format!("pht_{}", "a".repeat(43));
    let fields = json!({ "password": password });
    home.create(&Caller::anonymous(), "alice", fields)
        .await
        .unwrap();
    let caller = home.accounts.authenticate("alice", &password, at(0)).await;
    assert!(caller.unwrap().is("alice"));
}

#[tokio::test]
async fn a_login_lasts_ten_hours_and_ends_when_it_is_told_to() {
    let home = Home::with_people().await;
    let accounts = &home.accounts;
    for (user, password) in [("alice", "x"), ("carol", "x"), ("", "")] {
        let login = accounts.login(user, password, at(0)).await;
        let expected = format!("401 user '{user}' could not be authenticated");
        assert_eq!(refused(login), expected);
    }
    let login = accounts.login("alice", "alice", at(0)).await.unwrap();
    let other = accounts.login("alice", "alice", at(0)).await.unwrap();
    let secret = login.secret.reveal();
    // A login is not made of a login.
    assert!(accounts.login("alice", secret, at(0)).await.is_err());
    assert!(accounts.known("alice", secret, at(35_999)).is_some());
    assert_eq!(accounts.known("alice", secret, at(36_000)), None);
    let late = accounts.authenticate("alice", secret, at(36_000)).await;
    assert_eq!(late.unwrap_err(), Denied::Expired);
    assert!(accounts.logout(secret, at(1)).await.unwrap());
    assert!(!accounts.logout(secret, at(1)).await.unwrap());
    assert_eq!(accounts.known("alice", secret, at(2)), None);

    let home = home.restart().await;
    let (accounts, other) = (&home.accounts, other.secret.reveal());
    assert_eq!(accounts.known("alice", secret, at(2)), None);
    assert!(accounts.known("alice", other, at(2)).is_some());
    accounts.forget_expired(at(36_000)).await.unwrap();
    assert!(accounts.db.tokens().await.unwrap().is_empty());
    assert_eq!(accounts.known("alice", other, at(2)), None);
}

#[tokio::test]
async fn a_token_is_listed_with_its_last_use_and_revoked() {
    let home = Home::with_people().await;
    let accounts = &home.accounts;
    let (alice, bob, root) = (
        home.caller("alice"),
        home.caller("bob"),
        home.caller("root"),
    );
    let new = || new_token(None, Some(at(100)));
    let made = accounts.create_token(&bob, "alice", new(), at(0)).await;
    assert_eq!(
        refused(made.map(|_| ())),
        "403 no permission to make a token for user alice"
    );
    let past = new_token(None, Some(at(0)));
    let made = accounts.create_token(&alice, "alice", past, at(0)).await;
    assert_eq!(
        refused(made.map(|_| ())),
        "400 a token cannot expire in the past"
    );
    let (token, secret) = accounts
        .create_token(&alice, "alice", new(), at(0))
        .await
        .unwrap();
    assert_eq!((token.kind(), token.last_used()), (TokenKind::Api, None));
    let (publisher, _) = accounts
        .create_publisher_token("alice", new(), at(1))
        .await
        .unwrap();
    // Not listed: there may be many, and nobody made them by hand.
    accounts.login("alice", "alice", at(0)).await.unwrap();
    let ids = |caller: &Caller| {
        let tokens = accounts.tokens(caller, "alice").unwrap();
        let ids = tokens.iter().map(|token| token.id().to_owned());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(ids(&alice), [token.id(), publisher.id()]);
    assert_eq!(ids(&root), ids(&alice));
    assert!(accounts.tokens(&bob, "alice").is_err());
    // A token that is limited is not shown the others.
    let limits = Scope {
        read: true,
        upload: true,
        remove: false,
        index: None,
        project: None,
    };
    let limited = alice.clone().within(limits);
    assert!(accounts.tokens(&limited, "alice").is_err());
    let made = accounts.create_token(&limited, "alice", new(), at(0)).await;
    assert!(made.is_err());

    accounts.known("", secret.reveal(), at(50)).unwrap();
    accounts.known("", secret.reveal(), at(40)).unwrap();
    assert_eq!(token.last_used(), Some(at(50)));
    assert_eq!(accounts.known("", secret.reveal(), at(100)), None);
    let home = home.restart().await;
    let accounts = &home.accounts;
    let [again, _] = &accounts.tokens(&alice, "alice").unwrap()[..] else {
        panic!("a token is lost")
    };
    assert_eq!(again.last_used(), Some(at(50)));
    assert_eq!((again.name(), again.expires()), ("ci", Some(at(100))));

    let id = token.id();
    let revoked = accounts.revoke_token(&bob, id, at(2)).await;
    assert_eq!(refused(revoked), format!("404 no token '{id}'"));
    accounts.revoke_token(&root, id, at(2)).await.unwrap();
    assert_eq!(accounts.known("", secret.reveal(), at(3)), None);
    assert!(accounts.revoke_token(&root, id, at(2)).await.is_err());
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

#[tokio::test]
async fn a_user_is_imported_as_they_were() {
    let home = Home::new(Admins::Owners).await;
    let fields = json!({
        "username": "alice", "email": "alice@example.com",
        "created": "2020-02-03T04:05:06Z", "modified": "2021-02-03T04:05:06Z",
        "pwhash": "$argon2id$v=19$m=1024,t=1,p=8$VqpVilHqPYdQijEG4BwjpA$AHbq4gY3Mm/o6S2BlciRX5OD1Q9iMBGKkO5BAaNUnP8",
    });
    let (accounts, root) = (&home.accounts, home.caller("root"));
    let import = || accounts.import_user(&root, "alice", fields.as_object().unwrap(), at(0));
    let alice = import().await.unwrap();
    let hash = fields["pwhash"].as_str();
    assert_eq!(alice.password().map(store::PasswordHash::as_str), hash);
    let mut shown = object(fields.clone());
    shown.remove("pwhash");
    assert_eq!(alice.to_json(), shown);
    assert!(accounts.is_password("alice", "secret").await);
    assert_eq!(refused(import().await), "409 user already exists");
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

/// Whoever is still being checked by the old password gets no login of it.
#[tokio::test]
async fn a_login_is_not_made_of_a_password_that_has_just_changed() {
    let home = Home::with_people().await;
    let accounts = &home.accounts;
    let before = accounts.user("alice").unwrap();
    accounts.set_password("alice", "new", at(1)).await.unwrap();
    let old = before.password().unwrap();
    let login = accounts.issue_login("alice", old, at(2)).await;
    let expected = "401 user 'alice' could not be authenticated";
    assert_eq!(refused(login), expected);
}
