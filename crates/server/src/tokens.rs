//! API tokens: `/+tokens`. A token is shown once, when it is made.

use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{Path, Request, State};
use index::IndexName;
use index::access::{Rights, Scope};
use index::accounts::{NewToken, Token};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::asking::Asking;
use crate::devpi::{bad, object};
use crate::fault::Fault;
use crate::reply::Reply;
use crate::routes::parameter;

/// What may be said of a new token.
const KEYS: [&str; 9] = [
    "name",
    "user",
    "read",
    "upload",
    "remove",
    "everything",
    "index",
    "project",
    "expires",
];

/// `GET /+tokens[?user=…]`
pub(crate) async fn list(
    State(app): State<App>,
    asking: Asking,
    request: Request,
) -> Result<Reply, Fault> {
    let query = request.uri().query().unwrap_or_default();
    let owner = owner(&asking, parameter(query, "user"))?;
    let tokens = app.accounts().tokens(&asking.caller, &owner)?;
    let shown: Vec<Value> = tokens.iter().map(shown).collect();
    Ok(Reply::result("tokenlist", shown))
}

/// `POST /+tokens`
pub(crate) async fn create(
    State(app): State<App>,
    asking: Asking,
    request: Request,
) -> Result<Reply, Fault> {
    let fields = object(request).await?;
    let unknown = fields.keys().find(|key| !KEYS.contains(&key.as_str()));
    if let Some(unknown) = unknown {
        return Err(bad(format!(
            "a token has no `{unknown}`: it has {}",
            KEYS.join(", ")
        )));
    }
    let owner = owner(&asking, text(&fields, "user")?)?;
    let new = NewToken {
        name: text(&fields, "name")?.ok_or_else(|| bad("a token needs a `name`"))?,
        scope: scope(&app, &asking, &fields)?,
        expires: parsed(&fields, "expires")?,
    };
    let (accounts, caller) = (app.accounts().clone(), asking.caller);
    let now = Timestamp::now();
    let (token, secret) = app
        .domain(async move { accounts.create_token(&caller, &owner, new, now).await })
        .await?;
    let mut result = shown(&token);
    result["token"] = secret.reveal().into();
    Ok(Reply::result("token", result)
        .saying("this is the only time that the token is shown")
        .created())
}

/// `DELETE /+tokens/{id}`
pub(crate) async fn revoke(
    State(app): State<App>,
    Path(id): Path<String>,
    asking: Asking,
) -> Result<Reply, Fault> {
    let (accounts, caller) = (app.accounts().clone(), asking.believed()?);
    let line = format!("token {id} revoked");
    app.domain(async move { accounts.revoke_token(&caller, &id, Timestamp::now()).await })
        .await?;
    Ok(Reply::message(line))
}

/// Whose tokens are meant: one's own, unless somebody else is named.
fn owner(asking: &Asking, named: Option<String>) -> Result<String, Fault> {
    named
        .or_else(|| asking.who())
        .ok_or_else(|| asking.lacks("log in to see or make tokens"))
}

/// What the token may do at most. An index that is not there is a slip of the pen.
fn scope(app: &App, asking: &Asking, fields: &Map<String, Value>) -> Result<Option<Scope>, Fault> {
    let flag = |key: &str| match fields.get(key) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(bad(format!("`{key}` should be true or false"))),
    };
    let rights = Rights {
        read: flag("read")?,
        upload: flag("upload")?,
        remove: flag("remove")?,
        everything: flag("everything")?,
    };
    let index = parsed::<IndexName>(fields, "index")?;
    let scope = rights.scope(index, parsed(fields, "project")?)?;
    if let Some(name) = scope.as_ref().and_then(|scope| scope.index.as_ref()) {
        let now = app.catalog().now();
        let known = now.get(name);
        if !known.is_some_and(|entry| asking.concerns(app, entry)) {
            return Err(asking.hidden(name));
        }
    }
    Ok(scope)
}

fn text(fields: &Map<String, Value>, key: &str) -> Result<Option<String>, Fault> {
    match fields.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(bad(format!("`{key}` should be a text"))),
    }
}

fn parsed<T: FromStr>(fields: &Map<String, Value>, key: &str) -> Result<Option<T>, Fault>
where
    T::Err: std::fmt::Display,
{
    let text = text(fields, key)?;
    text.map(|text| text.parse())
        .transpose()
        .map_err(|error: T::Err| bad(format!("`{key}`: {error}")))
}

fn shown(token: &Arc<Token>) -> Value {
    let scope = token.scope().map(|scope| {
        json!({
            "read": scope.read,
            "upload": scope.upload,
            "remove": scope.remove,
            "index": scope.index.as_ref().map(ToString::to_string),
            "project": scope.project.as_ref().map(ToString::to_string),
        })
    });
    let time = |at: Option<Timestamp>| at.map(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    json!({
        "id": token.id(),
        "name": token.name(),
        "user": token.owner(),
        "scope": scope,
        "created": time(Some(token.created())),
        "expires": time(token.expires()),
        "last-used": time(token.last_used()),
    })
}
