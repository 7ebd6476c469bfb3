//! Pushing a release to an index elsewhere: an upload, as twine would do it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use pyspec::{Field, Filename, Metadata, ProjectName};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use store::{Blob, HostedRow, Role};
use url::Url;

use super::push::{PushWhat, chosen};
use super::{Hosted, lost};
use crate::Error;
use crate::mirror::Secret;
use crate::mirror::hosts::{Hosts, Resolver};

/// Bytes of a file that are sent at a time.
const STEP: u64 = 1 << 20;

/// Bytes of an answer that are told.
const LONGEST_ANSWER: usize = 1000;

/// An index that says nothing for so long is not going to.
const PATIENCE: Duration = Duration::from_mins(5);

/// Where a release is pushed, and as whom.
pub struct Elsewhere {
    /// Where forms are posted.
    pub url: Url,
    /// Sent as HTTP Basic.
    pub username: String,
    /// Its password or token.
    pub password: Secret,
    /// Whether it may be inside our own network: not if strangers may push.
    pub may_be_private: bool,
    /// Whether the release is described before its files come, which old indexes want.
    pub register: bool,
}

/// What the index elsewhere said to one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    status: i32,
    what: &'static str,
    about: Vec<String>,
}

impl Hosted {
    /// Pushes a release to an index elsewhere, file by file; what is refused keeps back no other.
    /// Only if it does not want to hear of the release, no file of it is sent.
    pub async fn push_elsewhere(
        &self,
        project: &ProjectName,
        version: &str,
        what: PushWhat,
        target: &Elsewhere,
    ) -> Result<Vec<Sent>, Error> {
        let snapshot = self.snapshot(project).await?;
        let release = snapshot.release(version);
        let release = &release.ok_or_else(|| self.no_files(project, version))?.row;
        let files = chosen(&snapshot, &release.version, what);
        let files: Vec<_> = files
            .into_iter()
            .filter(|row| row.role != Role::ToxResult)
            .collect();
        if files.is_empty() {
            return Err(self.no_files(project, version));
        }
        let verdata = serde_json::from_str(&release.metadata).unwrap_or_default();
        let metadata = Metadata::from_verdata(&verdata).map_err(|why| Error::BadRequest {
            why: format!("the metadata of {project} {version} cannot be sent: {why}"),
        })?;
        let client = client(target).map_err(|why| Error::BadRequest { why })?;
        let mut done = Vec::new();
        if target.register {
            let form = described(&metadata, "submit");
            let sent = post(&client, target, form).await;
            done.push(sent.row(
                "register",
                vec![release.spelled.clone(), release.version.clone()],
            ));
        }
        if done.iter().any(Sent::is_failure) {
            return Ok(done);
        }
        for row in files {
            done.push(self.send(&client, target, &metadata, row).await?);
        }
        Ok(done)
    }

    async fn send(
        &self,
        client: &reqwest::Client,
        target: &Elsewhere,
        metadata: &Metadata,
        row: &HostedRow,
    ) -> Result<Sent, Error> {
        let blob = self.storage.blob(&row.digest, row.size)?;
        let blob = blob.ok_or_else(|| lost(&row.digest))?;
        let name = metadata.first(Field::Name).unwrap_or_default().to_owned();
        if row.role == Role::DocZip {
            let form = described(metadata, "doc_upload")
                .part("content", part(blob, format!("{name}.zip")));
            return Ok(post(client, target, form).await.row("docfile", vec![name]));
        }
        let (filetype, pyversion) = kind(&row.filename);
        let form = described(metadata, "file_upload")
            .text("filetype", filetype)
            .text("pyversion", pyversion)
            .text("sha256_digest", row.digest.to_string())
            .part("content", part(blob, row.filename.to_string()));
        let path = format!("{}/+f/{}", self.name, row.path);
        Ok(post(client, target, form).await.row("upload", vec![path]))
    }
}

/// What came back for one form.
struct Reply {
    status: i32,
    text: String,
}

impl Reply {
    fn row(self, what: &'static str, mut about: Vec<String>) -> Sent {
        let is_failure = !matches!(self.status, 200 | 201 | 410);
        if self.status < 0 {
            return Sent {
                status: self.status,
                what: match what {
                    "register" => "exception on register:",
                    "docfile" => "exception on documentation upload:",
                    _ => "exception on release upload:",
                },
                about: vec![self.text],
            };
        }
        if what == "upload" {
            about.push(if is_failure { self.text } else { String::new() });
        }
        Sent {
            status: self.status,
            what,
            about,
        }
    }
}

impl Sent {
    /// Whether this step failed; 410 is what a legacy index says to a description that it no longer needs.
    pub fn is_failure(&self) -> bool {
        !matches!(self.status, 200 | 201 | 410)
    }

    /// As devpi's client reads it.
    pub fn to_json(&self) -> Value {
        let mut row = vec![json!(self.status), json!(self.what)];
        row.extend(self.about.iter().map(|text| Value::from(text.as_str())));
        Value::from(row)
    }
}

fn client(target: &Elsewhere) -> Result<reqwest::Client, String> {
    let mut client = reqwest::Client::builder()
        .read_timeout(PATIENCE)
        // An upload that is redirected would be repeated as a GET.
        .redirect(reqwest::redirect::Policy::none());
    if !target.may_be_private {
        let hosts = Hosts::public();
        hosts.check(&target.url)?;
        client = client.dns_resolver(Resolver::new(Arc::new(hosts)));
    }
    client.build().map_err(|error| error.to_string())
}

/// The beginning of an answer, however long it is and however slowly it comes.
async fn beginning(mut response: reqwest::Response) -> String {
    let mut bytes = Vec::new();
    let reading = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            bytes.extend_from_slice(&chunk);
            if bytes.len() >= LONGEST_ANSWER {
                break;
            }
        }
    };
    // What came until then is told.
    let _ = tokio::time::timeout(PATIENCE, reading).await;
    bytes.truncate(LONGEST_ANSWER);
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn post(client: &reqwest::Client, target: &Elsewhere, form: Form) -> Reply {
    let request = client
        .post(target.url.clone())
        .basic_auth(&target.username, Some(target.password.reveal()))
        .multipart(form);
    match request.send().await {
        Ok(response) => {
            let status = i32::from(response.status().as_u16());
            let text = beginning(response).await;
            Reply { status, text }
        }
        Err(error) => Reply {
            status: -1,
            text: error.without_url().to_string(),
        },
    }
}

fn described(metadata: &Metadata, action: &'static str) -> Form {
    let form = Form::new()
        .text(":action", action)
        .text("protocol_version", "1");
    metadata.to_form().fold(form, |form, (name, value)| {
        form.text(name, value.to_owned())
    })
}

/// The file as it lies in the store, in windows: never as a whole in memory.
fn part(blob: Blob, filename: String) -> Part {
    let len = blob.len();
    let starts = stream::iter((0..len).step_by(STEP as usize));
    let windows = starts.map(move |start| blob.slice(start, STEP.min(len - start) as usize));
    Part::stream_with_length(reqwest::Body::wrap_stream(windows), len).file_name(filename)
}

fn kind(filename: &Filename) -> (&'static str, String) {
    match filename.kind() {
        pyspec::FileKind::Wheel => {
            let tag = filename
                .as_str()
                .trim_end_matches(".whl")
                .rsplit('-')
                .nth(2);
            ("bdist_wheel", tag.unwrap_or("py3").to_owned())
        }
        pyspec::FileKind::Sdist => ("sdist", "source".to_owned()),
        pyspec::FileKind::Other => ("bdist_dumb", "any".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_pushes_nothing_into_our_network() {
        let target = |url: &str, may_be_private| Elsewhere {
            url: url.parse().unwrap(),
            username: String::new(),
            password: Secret::new(""),
            may_be_private,
            register: false,
        };
        for url in ["http://127.0.0.1:8080/", "http://169.254.169.254/latest/"] {
            assert!(client(&target(url, true)).is_ok(), "{url}");
            assert!(client(&target(url, false)).is_err(), "{url}");
        }
        assert!(client(&target("https://index.example/", false)).is_ok());
    }
}
