//! Yanking: `/{user}/{index}/{project}/{version}/+yank` (PEP 592).
//!
//! devpi cannot do it and no client has a command for it, so this address is ours.

use axum::extract::{Request, State};
use index::access::{Permission, Reach};
use index::hosted::Which;
use pyspec::Filename;
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::asking::Asking;
use crate::devpi::projects::hosted;
use crate::devpi::{bad, object};
use crate::fault::Fault;
use crate::reply::Reply;
use crate::routes::Named;

/// `POST …/+yank` with `{"reason": …, "files": […]}`, both optional.
pub(crate) async fn yank(
    State(app): State<App>,
    named: Named,
    asking: Asking,
    request: Request,
) -> Result<Reply, Fault> {
    let fields = object(request).await?;
    let reason = match fields.get("reason") {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(reason)) => reason.clone(),
        Some(_) => return Err(bad("`reason` should be a text")),
    };
    change(&app, &named, &asking, which(&fields)?, Some(reason)).await
}

/// `DELETE …/+yank` takes that back.
pub(crate) async fn unyank(
    State(app): State<App>,
    named: Named,
    asking: Asking,
) -> Result<Reply, Fault> {
    change(&app, &named, &asking, Which::All, None).await
}

async fn change(
    app: &App,
    named: &Named,
    asking: &Asking,
    which: Which,
    reason: Option<String>,
) -> Result<Reply, Fault> {
    let entry = named.entry(app, asking)?;
    let hosted = hosted(&entry)?;
    let project = named.project()?;
    let reach = Reach::Project(&project);
    if !asking.may(app, Permission::Remove, &entry, reach) {
        let why = asking.why_not(app, Permission::Remove, &entry, reach);
        let index = &entry.name;
        let line = format!("no permission to yank files of `{project}` on {index}: {why}");
        return Err(asking.lacks(line));
    }
    let (version, by) = (named.version().to_owned(), asking.by());
    let changed = app
        .domain(async move {
            match reason {
                Some(reason) => hosted.yank(&project, &version, &which, &reason, &by).await,
                None => hosted.unyank(&project, &version, &which, &by).await,
            }
        })
        .await?;
    Ok(Reply::result("yank", json!({ "changed": changed })))
}

fn which(fields: &Map<String, Value>) -> Result<Which, Fault> {
    let wrong = || bad("`files` should be a list of names of files");
    match fields.get("files") {
        None | Some(Value::Null) => Ok(Which::All),
        Some(Value::Array(files)) => {
            let names = files.iter().map(|name| {
                let name = name.as_str().ok_or_else(wrong)?;
                name.parse::<Filename>()
                    .map_err(|error| bad(error.to_string()))
            });
            Ok(Which::Files(names.collect::<Result<_, Fault>>()?))
        }
        Some(_) => Err(wrong()),
    }
}
