//! Tokens are made, listed and revoked.

use serde_json::json;
use store::TokenKind;

use super::{Home, at, new_token, refused};
use crate::access::{Admins, Caller, Scope};

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
    let twice = accounts.create_token(&alice, "alice", new(), at(99)).await;
    assert_eq!(
        refused(twice.map(|_| ())),
        "409 alice has a token `ci` already: revoke it, or choose another name"
    );
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
