//! `+api`, `+login` and `+status`: where things are, and who one is.

use axum::extract::{Path, Request, State};
use http::{HeaderMap, StatusCode, Uri};
use index::IndexSettings;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{bad, encoded, object};
use crate::app::App;
use crate::asking::Asking;
use crate::fault::Fault;
use crate::outside::Outside;
use crate::reply::Reply;
use crate::routes::Named;

/// What devpi's client may rely on.
const FEATURES: [&str; 4] = [
    "push-no-docs",
    "push-only-docs",
    "push-register-project",
    "server-keyvalue-parsing",
];

/// `GET /+api`
pub(crate) async fn of_server(
    State(app): State<App>,
    asking: Asking,
    headers: HeaderMap,
    uri: Uri,
) -> Reply {
    let outside = Outside::of(app.config().outside_url.as_deref(), &headers, &uri);
    Reply::result("apiconfig", members(&outside, &asking))
}

/// `GET /{user}/+api`
pub(crate) async fn of_user(
    State(app): State<App>,
    Path(_user): Path<String>,
    asking: Asking,
    headers: HeaderMap,
    uri: Uri,
) -> Reply {
    of_server(State(app), asking, headers, uri).await
}

/// `GET /{user}/{index}/+api`
pub(crate) async fn of_index(
    State(app): State<App>,
    named: Named,
    asking: Asking,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Reply, Fault> {
    let entry = named.entry(&app, &asking)?;
    let outside = Outside::of(app.config().outside_url.as_deref(), &headers, &uri);
    let mut members = members(&outside, &asking);
    let base = format!("/{}", encoded(entry.name.as_str()));
    members.insert("index".to_owned(), outside.url(&base).into());
    let simple = outside.url(&format!("{base}/+simple/"));
    members.insert("simpleindex".to_owned(), simple.into());
    if matches!(*entry.settings, IndexSettings::Stage(_)) {
        let submit = outside.url(&format!("{base}/"));
        members.insert("pypisubmit".to_owned(), submit.into());
    }
    Ok(Reply::result("apiconfig", members))
}

fn members(outside: &Outside, asking: &Asking) -> Map<String, Value> {
    let caller = &asking.caller;
    let status = match caller.user() {
        Some(user) => json!(["ok", user.as_str(), caller.groups()]),
        None => json!(["noauth", "", []]),
    };
    Map::from_iter([
        ("login".to_owned(), outside.url("/+login").into()),
        ("authstatus".to_owned(), status),
        ("features".to_owned(), json!(FEATURES)),
    ])
}

/// `POST /+login`
pub(crate) async fn login(State(app): State<App>, request: Request) -> Result<Reply, Fault> {
    let (user, password) = {
        let fields = object(request).await?;
        let text = |key: &str| fields.get(key).and_then(Value::as_str).map(str::to_owned);
        let both = text("user").zip(text("password"));
        both.ok_or_else(|| bad("Bad request: no user/password specified"))?
    };
    let (accounts, now) = (app.accounts().clone(), Timestamp::now());
    let login = app
        .domain(async move { accounts.login(&user, &password, now).await })
        .await
        .map_err(without_challenge)?;
    Ok(Reply::result("proxyauth", shown(&login, now)).saying("login successful"))
}

/// A failed login is no challenge: the client would take it for one.
fn without_challenge(mut fault: Fault) -> Fault {
    if fault.status == StatusCode::UNAUTHORIZED {
        fault.headers.remove(http::header::WWW_AUTHENTICATE);
    }
    fault
}

/// A login as the client keeps it.
pub(crate) fn shown(login: &index::accounts::Login, now: Timestamp) -> Value {
    json!({
        "password": login.secret.reveal(),
        "expiration": login.expires.duration_since(now).as_secs(),
    })
}

/// `POST /+logout`: ends the login that the request is made with.
pub(crate) async fn logout(State(app): State<App>, headers: HeaderMap) -> Result<Reply, Fault> {
    let credentials = crate::credentials::Credentials::of(&headers);
    let secret = credentials.map(|credentials| credentials.secret);
    let secret = secret.ok_or_else(|| bad("there is no login to end in this request"))?;
    let (accounts, now) = (app.accounts().clone(), Timestamp::now());
    let ended = app
        .domain(async move { accounts.logout(&secret, now).await })
        .await?;
    if ended {
        Ok(Reply::message("logged out"))
    } else {
        Err(bad("this request is not made with a login token"))
    }
}

/// `GET /+status`: what runs here.
pub(crate) async fn status(State(app): State<App>) -> Reply {
    let version = env!("CARGO_PKG_VERSION");
    Reply::result(
        "status",
        json!({
            "versioninfo": { "pilothouse": version },
            "server-code": "pilothouse",
            "role": "STANDALONE",
            "serial": app.catalog().changes().count(),
        }),
    )
}
