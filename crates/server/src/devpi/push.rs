//! Pushing a release: `PUSH /{user}/{index}`, or JSON posted to where forms go.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use index::access::{Permission, Reach};
use index::hosted::{Elsewhere, PushWhat, Pushed, Sent, Target};
use index::mirror::Secret;
use pyspec::{ProjectName, Version};
use serde_json::{Map, Value};

use super::{bad, object};
use crate::app::App;
use crate::asking::Asking;
use crate::fault::Fault;
use crate::reply::Reply;
use crate::routes::Named;

/// The keys that a push may have.
const KEYS: [&str; 9] = [
    "name",
    "version",
    "targetindex",
    "posturl",
    "username",
    "password",
    "register_project",
    "no_docs",
    "only_docs",
];

/// Does what is asked: to another index here, or to one elsewhere.
pub(crate) async fn push(
    State(app): State<App>,
    named: Named,
    asking: Asking,
    request: Request,
) -> Result<Response, Fault> {
    let fields = object(request).await?;
    let order = Order::read(&fields, app.config().pushes_inside)?;
    let entry = named.entry(&app, &asking)?;
    if !asking.may_read(&app, &entry, Some(&order.project)) {
        let (project, index) = (&order.project, &entry.name);
        let why = asking.why_not(&app, Permission::Read, &entry, Reach::Project(project));
        let line = format!("no permission to read `{project}` on {index}: {why}");
        return Err(Fault::new(StatusCode::FORBIDDEN, "forbidden", line));
    }
    match &order.target {
        Place::Here(target) => here(&app, &entry, target.clone(), &asking, &order).await,
        Place::Elsewhere(target) => elsewhere(&app, &entry, target.clone(), &asking, &order).await,
    }
}

struct Order {
    project: ProjectName,
    version: String,
    what: PushWhat,
    target: Place,
}

enum Place {
    Here(String),
    Elsewhere(Arc<Elsewhere>),
}

impl Order {
    fn read(fields: &Map<String, Value>, may_be_private: bool) -> Result<Self, Fault> {
        let unknown: Vec<&str> = fields
            .keys()
            .map(String::as_str)
            .filter(|key| !KEYS.contains(key))
            .collect();
        if !unknown.is_empty() {
            return Err(bad(format!("unknown push options: {}", unknown.join(", "))));
        }
        let text = |key: &str| fields.get(key).and_then(Value::as_str);
        let is_set = |key: &str| {
            let value = fields.get(key);
            value.is_some_and(|value| value.as_bool().unwrap_or(!value.is_null()))
        };
        let name = text("name").ok_or_else(|| bad("a push needs the `name` of a project"))?;
        let version = text("version").ok_or_else(|| bad("a push needs a `version`"))?;
        let what = match (is_set("no_docs"), is_set("only_docs")) {
            (true, true) => {
                return Err(bad("can't use 'no_docs' and 'only_docs' together"));
            }
            (true, false) => PushWhat::WithoutDocs,
            (false, true) => PushWhat::OnlyDocs,
            (false, false) => PushWhat::All,
        };
        let target = match (text("targetindex"), text("posturl")) {
            (Some(index), None) => Place::Here(index.to_owned()),
            (None, Some(url)) => Place::Elsewhere(Arc::new(Elsewhere {
                url: posting_url(url)?,
                username: text("username").unwrap_or_default().to_owned(),
                password: Secret::new(text("password").unwrap_or_default()),
                may_be_private,
                register: is_set("register_project"),
            })),
            _ => return Err(bad("a push needs either a `targetindex` or a `posturl`")),
        };
        Ok(Self {
            project: name.parse().map_err(|error| bad(format!("{error}")))?,
            version: version.to_owned(),
            what,
            target,
        })
    }
}

async fn here(
    app: &App,
    entry: &index::Entry,
    target: String,
    asking: &Asking,
    order: &Order,
) -> Result<Response, Fault> {
    let name: index::IndexName = target
        .trim_matches('/')
        .parse()
        .map_err(|error| bad(format!("{error}")))?;
    let there = app.catalog().now().get(&name).cloned();
    let there = there.filter(|there| asking.concerns(app, there));
    let Some(there) = there else {
        return Err(asking.unseen(&name));
    };
    let may = |there: &index::Entry| {
        let reach = Reach::Project(&order.project);
        asking.may(app, Permission::Upload, there, reach)
    };
    let who = asking.who().unwrap_or_default();
    if !may(&there) {
        asking.believed()?;
        let line = format!("user '{who}' cannot upload to '{name}'");
        return Err(Fault::new(StatusCode::UNAUTHORIZED, "unauthorized", line));
    }
    let Some(target) = there.hosted.clone() else {
        return Err(bad(format!(
            "{name} is a mirror: nothing can be pushed to it"
        )));
    };
    let (rules, by, what) = (there.rules(), asking.by(), order.what);
    let (project, version) = (order.project.clone(), order.version.clone());
    let done: Vec<Pushed> = if let Some(from) = entry.hosted.clone() {
        let pushing = async move {
            let target = Target {
                index: &target,
                rules,
            };
            from.push(&project, &version, what, target, &by).await
        };
        app.domain(pushing).await?
    } else {
        let version: Version = version.parse().map_err(|error| bad(format!("{error}")))?;
        let (source, from) = (entry.source.clone(), entry.name.clone());
        let pulling = async move {
            target
                .pull(&*source, &from, (&project, &version), rules, &by)
                .await
        };
        app.domain(pulling).await?
    };
    let rows: Vec<Value> = done.iter().map(Pushed::to_json).collect();
    Ok(Reply::result("actionlog", rows).into_response())
}

/// Files are posted by this server, as devpi does it; 502 if the last of them was refused,
/// since its client prints the results in either case and looks for refusals itself.
async fn elsewhere(
    app: &App,
    entry: &index::Entry,
    target: Arc<Elsewhere>,
    asking: &Asking,
    order: &Order,
) -> Result<Response, Fault> {
    // Nobody is to send out files in this server's name without a name of their own.
    if asking.caller.user().is_none() {
        return Err(asking.lacks("log in to push to an index elsewhere"));
    }
    let limits = asking.caller.limits();
    if limits.is_some_and(|limits| !limits.upload) {
        return Err(asking.lacks("this token may not upload, here or elsewhere"));
    }
    let hosted = super::projects::hosted(entry)?;
    let (project, version, what) = (order.project.clone(), order.version.clone(), order.what);
    let sent = app
        .domain(async move {
            hosted
                .push_elsewhere(&project, &version, what, &target)
                .await
        })
        .await?;
    let rows: Vec<Value> = sent.iter().map(Sent::to_json).collect();
    let mut response = Reply::result("actionlog", rows).into_response();
    if sent.last().is_some_and(Sent::is_failure) {
        *response.status_mut() = StatusCode::BAD_GATEWAY;
    }
    Ok(response)
}

fn posting_url(text: &str) -> Result<url::Url, Fault> {
    match text.parse::<url::Url>() {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        _ => Err(bad(
            "`posturl` should be the http or https URL that takes uploads",
        )),
    }
}
