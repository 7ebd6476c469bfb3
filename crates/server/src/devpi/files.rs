//! Files as devpi's client handles them: test results beside them, removal.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use index::access::{Permission, Reach};
use index::{IndexSettings, Source as _};

use super::indexes::denied;
use super::projects::{force, hosted};
use crate::app::App;
use crate::asking::Asking;
use crate::fault::Fault;
use crate::reply::Reply;
use crate::routes::Named;
use crate::upload::whole;

/// Logs of test runs are long, but not that long; by default anybody may send them.
const LONGEST_RESULT: usize = 16 * 1024 * 1024;

/// `POST …/+f/…`: what came of testing this file, as JSON.
pub(crate) async fn add_result(
    State(app): State<App>,
    named: Named,
    asking: Asking,
    request: Request,
) -> Result<Response, Fault> {
    let entry = named.entry(&app, &asking)?;
    let hosted = hosted(&entry)?;
    let path = named.tail().to_owned();
    let Some(project) = hosted.project_at(&path).await? else {
        return Err(no_such_file());
    };
    let reach = Reach::Project(&project);
    if !asking.may(&app, Permission::TestResult, &entry, reach) {
        let line = "No permission to upload tox results. You can use the devpi test --no-upload option to skip the upload.";
        return Err(denied(&asking, line.to_owned()));
    }
    let result = whole(request, LONGEST_RESULT).await?;
    let quota = match &*entry.settings {
        IndexSettings::Stage(stage) => stage.quota,
        IndexSettings::Mirror(_) => None,
    };
    let by = asking.by();
    let kept = app
        .domain(async move { hosted.add_result(&path, result, quota, &by).await })
        .await?;
    let result = format!("{}/+f/{}#sha256={}", entry.name, kept.path, kept.digest);
    Ok(Reply::result("toxresultpath", result).into_response())
}

/// `DELETE …/+f/…`
pub(crate) async fn remove(
    State(app): State<App>,
    named: Named,
    asking: Asking,
    request: Request,
) -> Result<Reply, Fault> {
    let entry = named.entry(&app, &asking)?;
    let hosted = hosted(&entry)?;
    let path = named.tail().to_owned();
    let Some(project) = hosted.project_at(&path).await? else {
        return Err(no_such_file());
    };
    let reach = Reach::Project(&project);
    if !asking.may(&app, Permission::Remove, &entry, reach) {
        let why = asking.why_not(&app, Permission::Remove, &entry, reach);
        let index = &entry.name;
        let line = format!("no permission to remove files of `{project}` from {index}: {why}");
        return Err(denied(&asking, line));
    }
    let (force, rules, by) = (force(&request), entry.rules(), asking.by());
    let line = format!("package '{}/+f/{path}' deleted", entry.name);
    app.domain(async move { hosted.remove_file(&path, force, rules, &by).await })
        .await?;
    Ok(Reply::message(line))
}

fn no_such_file() -> Fault {
    Fault::new(StatusCode::NOT_FOUND, "no-such-file", "no such file")
}
