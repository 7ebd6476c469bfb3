//! What files an index has of a project: asked for rules that judge by wheels.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use pyspec::{ProjectName, simple_json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use url::Url;

use crate::advice;
use crate::failure::Explained;

/// The names of the files of each project.
pub(super) type Files = BTreeMap<ProjectName, Vec<String>>;

/// Questions that are open at one time.
const AT_ONCE: usize = 16;

const JSON: &str = "application/vnd.pypi.simple.v1+json";

/// The index that is asked.
#[derive(Debug)]
pub(super) enum Asked {
    /// The one that a flag names: it must answer.
    Named(Url),
    /// The pilothouse of this machine, if one runs.
    Local(SocketAddr),
}

impl Asked {
    /// The files of these projects; `Err` within says why nobody was asked.
    pub(super) async fn files(
        &self,
        projects: BTreeSet<ProjectName>,
    ) -> anyhow::Result<Result<Files, String>> {
        let url = match self {
            Self::Named(url) => url.clone(),
            Self::Local(address) => {
                let address = SocketAddr::new(advice::reachable(address.ip()), address.port());
                let connecting = tokio::net::TcpStream::connect(address);
                let connected = tokio::time::timeout(Duration::from_secs(2), connecting).await;
                if !matches!(connected, Ok(Ok(_))) {
                    return Ok(Err(format!(
                        "no pilothouse answers at {address}: `--index URL` names another index"
                    )));
                }
                format!("http://{address}/simple/").parse()?
            }
        };
        fetch(url, projects).await.map(Ok)
    }
}

async fn fetch(mut index: Url, projects: BTreeSet<ProjectName>) -> anyhow::Result<Files> {
    if !index.path().ends_with('/') {
        index.set_path(&format!("{}/", index.path()));
    }
    let client = reqwest::Client::builder()
        .timeout(Duration::from_mins(1))
        .build()?;
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let mut asking = JoinSet::new();
    for project in projects {
        let (client, room) = (client.clone(), Arc::clone(&room));
        let url = index.join(&format!("{project}/"))?;
        asking.spawn(async move {
            let _permit = room.acquire().await;
            let files = page(&client, url, &project).await?;
            anyhow::Ok((project, files))
        });
    }
    let mut all = Files::new();
    while let Some(answer) = asking.join_next().await {
        let (project, files) = answer.context("a question to the index broke off")??;
        all.extend(files.map(|files| (project, files)));
    }
    Ok(all)
}

/// The files of one project; nothing if the index does not have it.
async fn page(
    client: &reqwest::Client,
    url: Url,
    project: &ProjectName,
) -> anyhow::Result<Option<Vec<String>>> {
    let silent = || {
        Explained::new(
            format!("the index does not say which files `{project}` has"),
            "`--index URL` names the index, like http://127.0.0.1:3141/simple/; `--ignore PH011,PH012` asks none",
        )
    };
    let answer = client.get(url).header("accept", JSON).send().await;
    let answer = answer
        .map_err(reqwest::Error::without_url)
        .with_context(silent)?;
    if matches!(answer.status().as_u16(), 404 | 410 | 403) {
        return Ok(None);
    }
    let answer = answer
        .error_for_status()
        .map_err(reqwest::Error::without_url);
    let answer = answer.with_context(silent)?;
    let url = answer.url().clone();
    let body = answer.bytes().await.map_err(reqwest::Error::without_url);
    let page = simple_json::parse_project(&body.with_context(silent)?, &url, project);
    let files = page.with_context(silent)?.value.files.into_iter();
    let files = files.filter(|file| file.yanked.is_no());
    Ok(Some(files.map(|file| file.filename.to_string()).collect()))
}
