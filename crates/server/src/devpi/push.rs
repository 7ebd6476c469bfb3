//! Pushing a release: `PUSH /{user}/{index}`, or JSON posted to where forms go.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use index::access::{Permission, Reach};
use index::hosted::{PushWhat, Pushed};
use pyspec::ProjectName;
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
    let order = Order::read(&fields)?;
    let entry = named.entry(&app, &asking)?;
    if !asking.may_read(&app, &entry, Some(&order.project)) {
        let line = "package read forbidden";
        return Err(Fault::new(StatusCode::FORBIDDEN, "forbidden", line));
    }
    match &order.target {
        Target::Here(target) => here(&app, &entry, target.clone(), &asking, &order).await,
        Target::Elsewhere { .. } => Err(bad(
            "pushing to an index outside of this server is not supported yet: download the files and upload them there",
        )),
    }
}

struct Order {
    project: ProjectName,
    version: String,
    what: PushWhat,
    target: Target,
}

enum Target {
    Here(String),
    Elsewhere,
}

impl Order {
    fn read(fields: &Map<String, Value>) -> Result<Self, Fault> {
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
            (Some(index), None) => Target::Here(index.to_owned()),
            (None, Some(_)) => Target::Elsewhere,
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
    let may = |there: &index::Entry| {
        let reach = Reach::Project(&order.project);
        asking.may(app, Permission::Upload, there, reach)
    };
    let who = asking.who().unwrap_or_default();
    let there = there.filter(|there| may(there)).ok_or_else(|| {
        let line = format!("user '{who}' cannot upload to '{name}'");
        Fault::new(StatusCode::UNAUTHORIZED, "unauthorized", line)
    })?;
    let Some(target) = there.hosted.clone() else {
        return Err(bad(format!("{name} is a mirror: nothing can be pushed to it")));
    };
    let (rules, by, what) = (there.rules(), asking.by(), order.what);
    let (project, version) = (order.project.clone(), order.version.clone());
    let done: Vec<Pushed> = match entry.hosted.clone() {
        Some(from) => {
            let pushing = async move {
                from.push(&project, &version, what, &target, rules, &by)
                    .await
            };
            app.domain(pushing).await?
        }
        None => {
            let (source, from) = (entry.source.clone(), entry.name.clone());
            let pulling = async move {
                target
                    .pull(&*source, &from, &project, &version, rules, &by)
                    .await
            };
            app.domain(pulling).await?
        }
    };
    let rows: Vec<Value> = done.iter().map(Pushed::to_json).collect();
    Ok(Reply::result("actionlog", rows).into_response())
}
