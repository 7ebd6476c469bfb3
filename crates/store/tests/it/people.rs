//! Users, their indexes and tokens, and the events that tell of them.

use store::{Error, Event, EventFilter, PasswordHash, TokenKind, TokenRow, UserRow};

use crate::{Home, at, event, index, project, settle, user};

const ALL: EventFilter = EventFilter {
    after: None,
    who: None,
    stage: None,
    project: None,
    limit: 100,
};

fn token(id: &str, owner: &str, kind: TokenKind) -> TokenRow {
    TokenRow {
        id: id.to_owned(),
        owner: owner.to_owned(),
        kind,
        name: "ci".to_owned(),
        secret: format!("hash of {id}"),
        scope: "{}".to_owned(),
        created_at: at(0),
        expires_at: None,
        last_used: None,
    }
}

async fn what_happened(db: &store::Db) -> Vec<String> {
    let events = db.events(&ALL).await.unwrap();
    events.into_iter().map(|row| row.event.what).collect()
}

#[tokio::test]
async fn a_user_comes_changes_and_goes() {
    let (_home, _, db) = Home::with_db().await;
    let alice = user("alice");
    assert!(db.create_user(&alice, &event("came")).await.unwrap());
    assert!(!db.create_user(&alice, &event("came twice")).await.unwrap());
    assert_eq!(db.user("alice").await.unwrap(), Some(alice.clone()));
    let changed = UserRow {
        password: None,
        details: r#"{"email":"alice@example.com"}"#.to_owned(),
        modified_at: Some(at(5)),
        ..alice
    };
    assert!(
        db.update_user(&changed, None, &event("changed"))
            .await
            .unwrap()
    );
    assert_eq!(db.users().await.unwrap(), [changed]);
    let nobody = user("nobody");
    assert!(
        !db.update_user(&nobody, None, &event("changed"))
            .await
            .unwrap()
    );
    assert!(db.remove_user("alice", &event("went")).await.unwrap());
    assert!(!db.remove_user("alice", &event("went twice")).await.unwrap());
    assert_eq!(db.user("alice").await.unwrap(), None);
    // What changed nothing has no event.
    assert_eq!(what_happened(&db).await, ["came", "changed", "went"]);
}

#[test]
fn a_password_hash_is_hidden_from_logs() {
    let hash = PasswordHash::from("$argon2id$secret".to_owned());
    assert_eq!(hash.as_str(), "$argon2id$secret");
    let shown = format!("{:?}", user("alice"));
    assert!(shown.contains("PasswordHash(hidden)"), "{shown}");
}

#[tokio::test]
async fn an_index_comes_changes_and_goes() {
    let (_home, _, db) = Home::with_db().await;
    let row = index("alice", "dev");
    let error = db.create_index(&row, &event("made")).await.unwrap_err();
    assert_eq!(error.to_string(), "user `alice` is not in the store");
    settle(&db).await;
    assert!(!db.create_index(&row, &event("made")).await.unwrap());
    let mut changed = row.clone();
    changed.settings = r#"{"type":"stage","volatile":false}"#.to_owned();
    assert!(db.update_index(&changed, &event("changed")).await.unwrap());
    assert_eq!(db.indexes().await.unwrap(), [changed]);
    let other = index("alice", "prod");
    assert!(!db.update_index(&other, &event("changed")).await.unwrap());
    let remove = || async { db.remove_index("alice", "dev", &event("went")).await };
    assert!(remove().await.unwrap());
    assert!(!remove().await.unwrap());
    assert!(db.indexes().await.unwrap().is_empty());
    let told = ["user", "index", "changed", "went"];
    assert_eq!(what_happened(&db).await, told);
}

#[tokio::test]
async fn a_token_is_kept_until_it_is_revoked_or_expires() {
    let (_home, _, db) = Home::with_db().await;
    settle(&db).await;
    let short = TokenRow {
        expires_at: Some(at(10)),
        ..token("a", "alice", TokenKind::Login)
    };
    let long = token("b", "alice", TokenKind::Api);
    let publisher = token("c", "alice", TokenKind::Publisher);
    for row in [&short, &long, &publisher] {
        db.save_token(row, &event("token")).await.unwrap();
    }
    let stray = token("d", "bob", TokenKind::Api);
    let error = db.save_token(&stray, &event("token")).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
    let all = [short, long.clone(), publisher.clone()];
    assert_eq!(db.tokens().await.unwrap(), all);

    let uses = [("b".to_owned(), at(7)), ("gone".to_owned(), at(7))];
    db.note_token_uses(&uses).await.unwrap();
    let earlier = [("b".to_owned(), at(3))];
    db.note_token_uses(&earlier).await.unwrap();
    assert_eq!(db.remove_expired_tokens(at(9)).await.unwrap(), 0);
    assert_eq!(db.remove_expired_tokens(at(10)).await.unwrap(), 1);
    let used = TokenRow {
        last_used: Some(at(7)),
        ..long
    };
    assert_eq!(db.tokens().await.unwrap(), [used, publisher]);
    assert!(db.remove_token("b", &event("revoked")).await.unwrap());
    assert!(!db.remove_token("b", &event("revoked")).await.unwrap());
    let of = |kind| {
        let db = db.clone();
        async move { db.remove_tokens_of("alice", kind, &event("revoked")).await }
    };
    assert_eq!(of(TokenKind::Api).await.unwrap(), 0);
    assert_eq!(of(TokenKind::Publisher).await.unwrap(), 1);
    assert!(db.tokens().await.unwrap().is_empty());
}

#[tokio::test]
async fn another_password_ends_the_other_logins_and_nothing_else_does() {
    let (_home, _, db) = Home::with_db().await;
    settle(&db).await;
    let bob = user("bob");
    db.create_user(&bob, &event("user")).await.unwrap();
    for row in [
        token("a", "alice", TokenKind::Login),
        token("b", "alice", TokenKind::Api),
        token("c", "bob", TokenKind::Login),
        token("d", "alice", TokenKind::Login),
    ] {
        db.save_token(&row, &event("token")).await.unwrap();
    }
    let ids = || async {
        let rows = db.tokens().await.unwrap();
        rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    let titled = UserRow {
        details: r#"{"title":"Dr"}"#.to_owned(),
        ..user("alice")
    };
    db.update_user(&titled, None, &event("title"))
        .await
        .unwrap();
    assert_eq!(ids().await, ["a", "b", "c", "d"]);
    let other = UserRow {
        password: Some("another hash".to_owned().into()),
        ..titled
    };
    let told = event("password");
    db.update_user(&other, Some("d"), &told).await.unwrap();
    assert_eq!(ids().await, ["b", "c", "d"]);
    db.remove_user("alice", &event("went")).await.unwrap();
    assert_eq!(ids().await, ["c"]);
}

#[tokio::test]
async fn events_are_found_by_who_and_where_and_after_what() {
    let (_home, _, db) = Home::with_db().await;
    for n in 0..6 {
        let told = Event {
            who: Some(if n % 2 == 0 { "alice" } else { "bob" }.to_owned()),
            stage: (n > 2).then(|| "alice/dev".to_owned()),
            project: (n == 4).then(|| project("Flask")),
            version: Some("1.0".to_owned()),
            file: Some("flask-1.0.zip".to_owned()),
            detail: format!(r#"{{"n":{n}}}"#),
            ..Event::new(at(n), "user")
        };
        let row = user(&format!("u{n}"));
        db.create_user(&row, &told).await.unwrap();
        if n == 4 {
            let kept = db.events(&ALL).await.unwrap();
            assert_eq!(kept.last().map(|row| &row.event), Some(&told));
        }
    }
    let serials = |filter: EventFilter| {
        let db = db.clone();
        async move {
            let rows = db.events(&filter).await.unwrap();
            rows.into_iter().map(|row| row.serial).collect::<Vec<_>>()
        }
    };
    let some = |text: &str| Some(text.to_owned());
    for (filter, expected) in [
        (ALL, vec![1, 2, 3, 4, 5, 6]),
        (EventFilter { limit: 2, ..ALL }, vec![5, 6]),
        (
            EventFilter {
                after: Some(1),
                limit: 2,
                ..ALL
            },
            vec![2, 3],
        ),
        (
            EventFilter {
                after: Some(6),
                ..ALL
            },
            vec![],
        ),
        (
            EventFilter {
                who: some("alice"),
                ..ALL
            },
            vec![1, 3, 5],
        ),
        (
            EventFilter {
                stage: some("alice/dev"),
                ..ALL
            },
            vec![4, 5, 6],
        ),
        (
            EventFilter {
                project: Some(project("flask")),
                ..ALL
            },
            vec![5],
        ),
    ] {
        assert_eq!(serials(filter.clone()).await, expected, "{filter:?}");
    }
    assert_eq!(db.prune_events(at(6)).await.unwrap(), 6);
    db.create_user(&user("late"), &event("user")).await.unwrap();
    assert_eq!(serials(ALL).await, [7], "a serial is never given twice");
}
