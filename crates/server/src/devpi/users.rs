//! Users: `/` and `/{user}`.

use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use http::header::ACCEPT;
use index::accounts::User;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::api::shown;
use super::object;
use crate::app::App;
use crate::asking::Asking;
use crate::fault::Fault;
use crate::home;
use crate::reply::Reply;

/// First parts of our own addresses, which a user of that name would stand behind.
const RESERVED: [&str; 2] = ["simple", "views"];

/// `GET /`: every user for devpi's client, the page for everybody else.
pub(crate) async fn list(State(app): State<App>, asking: Asking, request: Request) -> Response {
    let accept = request.headers().get(ACCEPT);
    if accept.is_none_or(|accept| accept != "application/json") {
        return home::page(&app, &request).map(axum::body::Body::new);
    }
    let users = app.accounts().users();
    let shown = users.iter().map(|user| {
        let name = user.name().to_string();
        (name, Value::from(config(&app, &asking, user)))
    });
    Reply::result("list:userconfig", shown.collect::<Map<_, _>>()).into_response()
}

/// `GET /{user}`
pub(crate) async fn show(
    State(app): State<App>,
    Path(name): Path<String>,
    asking: Asking,
) -> Result<Reply, Fault> {
    let user = app.accounts().user(&name)?;
    Ok(Reply::result("userconfig", config(&app, &asking, &user)))
}

/// `PUT /{user}`
pub(crate) async fn create(
    State(app): State<App>,
    Path(name): Path<String>,
    asking: Asking,
    request: Request,
) -> Result<Reply, Fault> {
    let fields = object(request).await?;
    if RESERVED.contains(&name.as_str()) {
        return Err(super::bad(format!(
            "`{name}` cannot be the name of a user here: choose another"
        )));
    }
    let (accounts, caller) = (app.accounts().clone(), asking.caller.clone());
    let now = Timestamp::now();
    let user = app
        .domain(async move { accounts.create_user(&caller, &name, &fields, now).await })
        .await?;
    Ok(Reply::result("userconfig", config(&app, &asking, &user)).created())
}

/// `PATCH /{user}`
pub(crate) async fn modify(
    State(app): State<App>,
    Path(name): Path<String>,
    asking: Asking,
    request: Request,
) -> Result<Reply, Fault> {
    let fields = object(request).await?;
    let (accounts, caller) = (app.accounts().clone(), asking.believed()?);
    let now = Timestamp::now();
    let login = app
        .domain(async move { accounts.modify_user(&caller, &name, &fields, now).await })
        .await?;
    Ok(match login {
        None => Reply::message("user updated"),
        Some(login) => {
            let result = shown(&login, now);
            Reply::result("userpassword", result).saying("user updated, new proxy auth")
        }
    })
}

/// `DELETE /{user}`
pub(crate) async fn remove(
    State(app): State<App>,
    Path(name): Path<String>,
    asking: Asking,
) -> Result<Reply, Fault> {
    let (accounts, indexes) = (app.accounts().clone(), app.indexes().clone());
    let caller = asking.believed()?;
    let line = format!("user '{name}' deleted");
    app.domain(async move {
        let now = Timestamp::now();
        accounts.remove_user(&caller, &name, now).await?;
        indexes.forget_user(&name).await;
        Ok::<_, index::Error>(())
    })
    .await?;
    Ok(Reply::message(line))
}

/// A user with those of their indexes that the caller may read.
fn config(app: &App, asking: &Asking, user: &User) -> Map<String, Value> {
    let now = app.catalog().now();
    let indexes = now.of_user(user.name().as_str());
    let readable = indexes.filter(|entry| asking.may_read(app, entry, None));
    let indexes = readable.map(|entry| {
        let name = entry.name.index().to_owned();
        (name, Value::from(entry.settings.to_json()))
    });
    let mut config = user.to_json();
    config.insert("indexes".to_owned(), indexes.collect::<Map<_, _>>().into());
    config
}
