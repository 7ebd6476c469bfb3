//! Logins begin with a password, and end.

use serde_json::json;

use super::{Home, at, new_token, refused};
use crate::accounts::Denied;
use crate::secret::Secret;

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
