//! Projects and releases: `/{user}/{index}/{project}` and `…/{version}`.
//!
//! They are answered under whatever way the project's name is written: devpi's
//! client writes names as the person typed them, and follows no redirect of a DELETE.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use index::access::{Permission, Reach};
use index::hosted::{Force, Verdata};
use index::{Entry, Error, IndexName};
use pyspec::{PageFile, ProjectName, Version};
use serde_json::{Map, Value, json};

use super::indexes::denied;
use super::{asks, href};
use crate::app::App;
use crate::asking::Asking;
use crate::fault::Fault;
use crate::outside::Outside;
use crate::reply::Reply;
use crate::routes::Named;

/// `GET /{user}/{index}/{project}`: every release, of the bases as well unless `?ignore_bases`.
pub(crate) async fn show(
    State(app): State<App>,
    named: Named,
    asking: Asking,
    request: Request,
) -> Result<Response, Fault> {
    let outside = outside(&app, &request);
    let releases = releases(
        &app,
        &named,
        &asking,
        &outside,
        asks(&request, "ignore_bases"),
    )
    .await?;
    Ok(Reply::result("projectconfig", releases).into_response())
}

/// `GET /{user}/{index}/{project}/{version}`
pub(crate) async fn release(
    State(app): State<App>,
    named: Named,
    asking: Asking,
    request: Request,
) -> Result<Response, Fault> {
    let outside = outside(&app, &request);
    let mut releases = releases(&app, &named, &asking, &outside, false).await?;
    let wanted = named.version();
    let same = |text: &str| match (text.parse::<Version>(), wanted.parse::<Version>()) {
        (Ok(a), Ok(b)) => a == b,
        _ => text == wanted,
    };
    let found = releases.keys().find(|version| same(version)).cloned();
    let Some(verdata) = found.and_then(|version| releases.remove(&version)) else {
        return Err(Fault::from(Error::NoSuchRelease {
            index: named.name()?.to_string(),
            project: named.project()?.to_string(),
            version: wanted.to_owned(),
        }));
    };
    Ok(Reply::result("versiondata", verdata).into_response())
}

/// `DELETE /{user}/{index}/{project}`
pub(crate) async fn remove(
    State(app): State<App>,
    named: Named,
    asking: Asking,
    request: Request,
) -> Result<Reply, Fault> {
    let (entry, project) = removable(&app, &named, &asking)?;
    let hosted = hosted(&entry)?;
    let (force, rules, by) = (force(&request), entry.rules(), asking.by());
    let line = format!("project {project} deleted from stage {}", entry.name);
    app.domain(async move { hosted.remove_project(&project, force, rules, &by).await })
        .await?;
    Ok(Reply::message(line))
}

/// `DELETE /{user}/{index}/{project}/{version}`
pub(crate) async fn remove_release(
    State(app): State<App>,
    named: Named,
    asking: Asking,
    request: Request,
) -> Result<Reply, Fault> {
    let (entry, project) = removable(&app, &named, &asking)?;
    let hosted = hosted(&entry)?;
    let (force, rules, by) = (force(&request), entry.rules(), asking.by());
    let version = named.version().to_owned();
    let line = format!("project '{project}' version '{version}' deleted");
    app.domain(async move {
        hosted
            .remove_release(&project, &version, force, rules, &by)
            .await
    })
    .await?;
    Ok(Reply::message(line))
}

fn removable(
    app: &App,
    named: &Named,
    asking: &Asking,
) -> Result<(Arc<Entry>, ProjectName), Fault> {
    let entry = named.entry(app, asking)?;
    let project = named.project()?;
    let reach = Reach::Project(&project);
    if !asking.may(app, Permission::Remove, &entry, reach) {
        let why = asking.why_not(app, Permission::Remove, &entry, reach);
        let index = &entry.name;
        let line = format!("no permission to remove `{project}` from {index}: {why}");
        return Err(denied(asking, line));
    }
    Ok((entry, project))
}

/// What people uploaded to an index; a mirror's files are removed with `pilothouse cache prune`.
pub(crate) fn hosted(entry: &Entry) -> Result<Arc<index::hosted::Hosted>, Fault> {
    entry.hosted.clone().ok_or_else(|| {
        Fault::from(Error::Forbidden {
            why: format!(
                "{} is a mirror: `pilothouse cache prune` removes what it keeps",
                entry.name
            ),
        })
    })
}

pub(super) fn force(request: &Request) -> Force {
    if asks(request, "force") {
        Force::Yes
    } else {
        Force::No
    }
}

pub(super) fn outside(app: &App, request: &Request) -> Outside {
    let configured = app.config().outside_url.as_deref();
    Outside::of(configured, request.headers(), request.uri())
}

/// Every release of a project that the caller may see, by version, as JSON.
async fn releases(
    app: &App,
    named: &Named,
    asking: &Asking,
    outside: &Outside,
    ignore_bases: bool,
) -> Result<Map<String, Value>, Fault> {
    let entry = named.entry(app, asking)?;
    let project = named.project()?;
    if !asking.may_read(app, &entry, Some(&project)) {
        return Err(asking.hidden(&entry.name));
    }
    let snapshot = app.catalog().now();
    let order = snapshot.order(&entry.name);
    let asking = asking.reading_through(&entry.name);
    let mut releases = Map::new();
    let mut is_known = false;
    let mut is_hosted = false;
    for part in &order {
        let may_read = asking.may_read(app, part, Some(&project));
        // Without its bases a project that only they have is known, and has no releases.
        let is_ignored = ignore_bases && part.name != entry.name;
        if is_ignored && is_known {
            break;
        }
        let Some(hosted) = part.hosted.clone() else {
            let shielded = is_hosted && !snapshot.whitelists(&entry.name, &project);
            if may_read && !shielded {
                let found = mirrored(app, part, &project, outside).await?;
                is_known |= found.is_some();
                for (version, json) in found.into_iter().flatten().filter(|_| !is_ignored) {
                    shadow(&mut releases, &version, json);
                }
            }
            continue;
        };
        let name = project.clone();
        let own = app
            .domain(async move { hosted.releases(&name).await })
            .await?;
        is_hosted |= own.is_some();
        for verdata in own.iter().flatten().filter(|_| may_read) {
            is_known = true;
            if !is_ignored {
                add(&mut releases, verdata, outside);
            }
        }
    }
    if is_known {
        return Ok(releases);
    }
    let line = format!("no project '{}'", named.project_as_written());
    Err(Fault::new(
        http::StatusCode::NOT_FOUND,
        "no-such-project",
        line,
    ))
}

/// The first index that has a release wins; the others stand in its shadow.
fn add(releases: &mut Map<String, Value>, verdata: &Verdata, outside: &Outside) {
    let json = verdata.to_json(&|index: &IndexName, path: &str| href(outside, index, path));
    shadow(releases, &verdata.version, json);
}

fn shadow(releases: &mut Map<String, Value>, version: &str, json: Value) {
    let Some(Value::Object(first)) = releases.get_mut(version) else {
        releases.insert(version.to_owned(), json);
        return;
    };
    let shadowed = first.entry("+shadowing").or_insert_with(|| json!([]));
    if let Value::Array(shadowed) = shadowed {
        shadowed.push(json);
    }
}

/// What a mirror knows of a project, if it does: its releases have no more than names and files.
async fn mirrored(
    app: &App,
    part: &Entry,
    project: &ProjectName,
    outside: &Outside,
) -> Result<Option<Vec<(String, Value)>>, Fault> {
    let (source, name) = (part.source.clone(), project.clone());
    let answer = app
        .domain(async move { source.project(&name).await })
        .await?;
    let Some(answer) = answer else {
        return Ok(None);
    };
    let page = &answer.project.page;
    let mut versions = BTreeSet::new();
    let versioned: Vec<(String, &PageFile)> = page
        .files
        .iter()
        .filter_map(|file| {
            let version = file.filename.version_of(project)?.to_string();
            versions.insert(version.clone());
            Some((version, file))
        })
        .collect();
    let releases = versions.into_iter().map(|version| {
        let files = versioned.iter().filter(|(of, _)| *of == version);
        let links: Vec<Value> = files
            .map(|(_, file)| link(&part.name, &answer.project, file, outside))
            .collect();
        let json = json!({ "name": project.as_str(), "version": version, "+links": links });
        (version, json)
    });
    Ok(Some(releases.collect()))
}

fn link(index: &IndexName, project: &index::Project, file: &PageFile, outside: &Outside) -> Value {
    let path = project.href(file);
    let path = path.trim_start_matches("../../+f/");
    let hashes = serde_json::to_value(&file.hashes).unwrap_or_default();
    let mut link = json!({
        "rel": "releasefile",
        "href": outside.url(&format!("/{}/+f/{path}", super::encoded(index.as_str()))),
        "hashes": hashes,
    });
    if let Some((kind, value)) = file.hashes.best() {
        link["hash_spec"] = format!("{kind}={value}").into();
    }
    link
}
