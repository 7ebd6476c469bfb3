//! Indexes: `/{user}/{index}`.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use http::header::USER_AGENT;
use http::{HeaderMap, StatusCode};
use index::access::{Permission, Reach};
use index::indexes::{self, Editor, Noop};
use index::{Entry, IndexName, IndexSettings};
use serde_json::{Map, Value};

use super::{asks, json, object};
use crate::app::App;
use crate::asking::Asking;
use crate::fault::Fault;
use crate::reply::Reply;
use crate::routes::{self, Named};

/// `GET /{user}/{index}`: its settings, and its projects unless `?no_projects`.
///
/// An installer that was pointed here, and not at `+simple/`, is sent there.
pub(crate) async fn show(
    State(app): State<App>,
    named: Named,
    asking: Asking,
    request: Request,
) -> Result<Response, Fault> {
    let entry = named.entry(&app, &asking)?;
    if is_installer(request.headers()) {
        let slash = request.uri().path().ends_with('/');
        let name = entry.name.index();
        let target = if slash {
            "+simple/".to_owned()
        } else {
            format!("{name}/+simple/")
        };
        return Ok(routes::moved(&target, None).map(axum::body::Body::new));
    }
    let mut config = entry.settings.to_json();
    if !asks(&request, "no_projects") && asking.may(&app, Permission::Read, &entry, Reach::Whole) {
        let source = entry.source.clone();
        let listing = app.domain(async move { source.projects().await }).await?;
        let projects: Vec<Value> = listing.names.iter().map(Value::from).collect();
        config.insert("projects".to_owned(), projects.into());
    }
    Ok(Reply::result("indexconfig", config).into_response())
}

/// `PUT /{user}/{index}`
pub(crate) async fn create(
    State(app): State<App>,
    Path((user, index)): Path<(String, String)>,
    asking: Asking,
    request: Request,
) -> Result<Reply, Fault> {
    let fields = object(request).await?;
    app.accounts().user(&user)?;
    let name = indexes::named(&user, &index)?;
    if !app.accounts().admins().admit(&asking.caller, &user) {
        return Err(denied(
            &asking,
            format!("no permission to create index {name}"),
        ));
    }
    let indexes = app.indexes().clone();
    let editor = editor(&app, asking);
    let settings = app
        .domain(async move { indexes.create(&editor, &name, &fields).await })
        .await?;
    Ok(configured(&settings))
}

/// `PATCH /{user}/{index}`
pub(crate) async fn modify(
    State(app): State<App>,
    named: Named,
    asking: Asking,
    request: Request,
) -> Result<Reply, Fault> {
    let noop = if asks(&request, "error_on_noop") {
        Noop::Wrong
    } else {
        Noop::Fine
    };
    let entry = changeable(&app, &named, &asking, "modify")?;
    let sent = json(request).await?;
    let indexes = app.indexes().clone();
    let (editor, name) = (editor(&app, asking), entry.name.clone());
    let settings = app
        .domain(async move { indexes.patch(&editor, &name, &sent, noop).await })
        .await?;
    Ok(configured(&settings))
}

/// `DELETE /{user}/{index}`: 201, as devpi answers.
pub(crate) async fn remove(
    State(app): State<App>,
    named: Named,
    asking: Asking,
) -> Result<Reply, Fault> {
    let entry = changeable(&app, &named, &asking, "delete")?;
    let (indexes, by) = (app.indexes().clone(), asking.by());
    let name = entry.name.clone();
    let line = format!("index {name} deleted");
    app.domain(async move { indexes.remove(&by, &name).await })
        .await?;
    Ok(Reply::message(line).created())
}

fn editor(app: &App, asking: Asking) -> Editor {
    let app = app.clone();
    let by = asking.by();
    Editor::new(by, move |entry| asking.concerns(&app, entry))
}

fn changeable(app: &App, named: &Named, asking: &Asking, doing: &str) -> Result<Arc<Entry>, Fault> {
    let entry = named.entry(app, asking)?;
    if !asking.may(app, Permission::Modify, &entry, Reach::Whole) {
        let name: &IndexName = &entry.name;
        return Err(denied(
            asking,
            format!("no permission to {doing} index {name}"),
        ));
    }
    Ok(entry)
}

/// devpi answers 403 to whom it does not know as well: its client asks for no password.
pub(super) fn denied(asking: &Asking, line: String) -> Fault {
    if asking.is_refused() {
        return asking.lacks(line);
    }
    Fault::new(StatusCode::FORBIDDEN, "forbidden", line)
}

fn configured(settings: &IndexSettings) -> Reply {
    let config: Map<String, Value> = settings.to_json();
    Reply::result("indexconfig", config)
}

/// Tools that install and know nothing of devpi.
fn is_installer(headers: &HeaderMap) -> bool {
    let agent = headers
        .get(USER_AGENT)
        .and_then(|agent| agent.to_str().ok());
    let first = agent
        .unwrap_or_default()
        .split('/')
        .next()
        .unwrap_or_default();
    matches!(first, "pip" | "uv" | "pex" | "setuptools" | "distribute")
}
