//! Events on their way to somebody's URL.

use store::Db;

use crate::{Home, at, event, user};

const HOOK: &str = "https://chat.example/hook";

async fn happen(db: &Db, name: &str, what: &str) {
    db.create_user(&user(name), &event(what)).await.unwrap();
}

/// Which events are due, by their words.
async fn due(db: &Db, seconds: i64) -> Vec<(u64, String)> {
    let rows = db.due_deliveries(at(seconds), 10).await.unwrap();
    rows.into_iter()
        .map(|row| (row.id, row.event.event.what))
        .collect()
}

#[tokio::test]
async fn a_url_is_told_of_what_happens_from_now_on() {
    let (_home, _, db) = Home::with_db().await;
    happen(&db, "before", "upload").await;
    let queue = |url: &'static str| {
        let db = db.clone();
        async move { db.queue_deliveries(url, &["upload", "push"], at(0)).await }
    };
    assert_eq!(queue(HOOK).await.unwrap(), 0);
    for (name, what) in [
        ("a", "upload"),
        ("b", "login"),
        ("c", "load"),
        ("d", "push"),
    ] {
        happen(&db, name, what).await;
    }
    assert_eq!(queue(HOOK).await.unwrap(), 2);
    assert_eq!(queue(HOOK).await.unwrap(), 0);
    let told = |what: &str, id| (id, what.to_owned());
    assert_eq!(due(&db, 0).await, [told("upload", 1), told("push", 2)]);
    assert!(due(&db, -1).await.is_empty());

    // A second one is told apart.
    let second = "https://second.example/";
    assert_eq!(queue(second).await.unwrap(), 0);
    happen(&db, "e", "upload").await;
    assert_eq!(queue(second).await.unwrap(), 1);
    assert_eq!(db.hooks().await.unwrap(), [HOOK, second]);
    assert!(db.forget_hook(HOOK).await.unwrap());
    assert!(!db.forget_hook(HOOK).await.unwrap());
    assert_eq!(due(&db, 0).await, [told("upload", 3)]);
}

#[tokio::test]
async fn a_delivery_is_tried_until_it_arrives() {
    let (_home, _, db) = Home::with_db().await;
    let queue = || db.queue_deliveries(HOOK, &["upload"], at(0));
    queue().await.unwrap();
    happen(&db, "a", "upload").await;
    queue().await.unwrap();
    db.delivery_failed(1, "connection refused", at(30))
        .await
        .unwrap();
    assert!(due(&db, 29).await.is_empty());
    let [row] = &db.due_deliveries(at(30), 10).await.unwrap()[..] else {
        panic!("it is lost")
    };
    assert_eq!((row.attempts, row.url.as_str()), (1, HOOK));
    assert_eq!(row.last_error.as_deref(), Some("connection refused"));
    // An event is kept until it has arrived.
    assert_eq!(db.prune_events(at(99)).await.unwrap(), 0);
    db.end_delivery(row.id).await.unwrap();
    assert!(due(&db, 99).await.is_empty());
    assert_eq!(db.prune_events(at(99)).await.unwrap(), 1);
    // What was pruned is not waited for.
    happen(&db, "b", "upload").await;
    assert_eq!(queue().await.unwrap(), 1);
}
