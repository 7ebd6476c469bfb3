//! Uploads: the form that devpi, twine, uv, poetry and flit send.
//!
//! The form is read as it comes, its fields in any order; the file in it goes to
//! the disk and never as a whole through memory. What it means is decided in
//! `index`. devpi's client and twine print the reason phrase, uv and poetry the
//! body: a fault carries its line in both.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use bytes::Bytes;
use futures_util::StreamExt;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::ext::ReasonPhrase;
use index::access::{Permission, Reach};
use index::hosted::{Form, Hosted, Uploaded};
use index::{Entry, IndexName, IndexSettings};
use multer::{Field, Multipart};

use crate::app::App;
use crate::asking::Asking;
use crate::devpi::push;
use crate::fault::Fault;
use crate::portion::{Endless, Opener, Portions};
use crate::routes::Named;
use crate::silence::Silent;
use crate::stem::stems_from;

/// Bytes that all fields of a form but its file may have: descriptions are long.
const LONGEST_FIELDS: usize = 16 * 1024 * 1024;

/// Bytes that are read of an upload that is refused from the start.
const LONGEST_DRAINED: usize = 64 * 1024 * 1024;

/// How long a small request may take to come.
const WHILE: Duration = Duration::from_mins(2);

/// Fields that a form may have: classifiers and requirements are many.
const MOST_FIELDS: usize = 10_000;

/// `POST /{user}/{index}/`: a form is an upload, JSON is a push.
pub(crate) async fn submit(
    State(app): State<App>,
    named: Named,
    asking: Asking,
    request: Request,
) -> Result<Response<axum::body::Body>, Fault> {
    let content_type = text(&request, &CONTENT_TYPE);
    if is_type(&content_type, "application/json") {
        return push::push(State(app), named, asking, request).await;
    }
    let (entry, _) = match welcome(&app, &named, &asking) {
        Ok(found) => found,
        Err(fault) => {
            drain(request).await;
            return Err(fault);
        }
    };
    let headers = request.headers().clone();
    let form = if is_type(&content_type, "multipart/form-data") {
        Reader::new(&app, &entry)
            .multipart(&content_type, request)
            .await?
    } else {
        urlencoded(request).await?
    };
    let project = form.project()?;
    // A long body leaves time to lose the right to send it.
    let asking = Asking::of(&app, &headers).await?;
    let (entry, hosted) = welcome(&app, &named, &asking)?;
    if !asking.may(&app, Permission::Upload, &entry, Reach::Project(&project)) {
        return Err(no_permission(
            &app,
            &entry,
            &asking,
            Reach::Project(&project),
        ));
    }
    let (rules, by) = (entry.rules(), asking.by());
    let uploaded = app
        .domain(async move { hosted.upload(form, rules, &by).await })
        .await?;
    Ok(accepted(uploaded))
}

/// The index, if the caller may upload anything to it.
fn welcome(app: &App, named: &Named, asking: &Asking) -> Result<(Arc<Entry>, Arc<Hosted>), Fault> {
    let entry = named.entry(app, asking)?;
    let Some(hosted) = entry.hosted.clone() else {
        let line = format!("cannot submit to mirror index {}", entry.name);
        return Err(Fault::new(StatusCode::NOT_FOUND, "no-upload", line));
    };
    if asking.is_refused() || !asking.may(app, Permission::Upload, &entry, Reach::Some) {
        return Err(no_permission(app, &entry, asking, Reach::Some));
    }
    Ok((entry, hosted))
}

fn no_permission(app: &App, entry: &Entry, asking: &Asking, reach: Reach<'_>) -> Fault {
    let line = match reach {
        Reach::Project(project) => format!("no permission to submit `{project}` to {}", entry.name),
        _ => format!("no permission to submit to {}", entry.name),
    };
    let why = asking.why_not(app, Permission::Upload, entry, reach);
    asking.lacks(format!("{line}: {why}"))
}

/// Reads on for a while: a client that is still sending would take a closed
/// connection for a fault of the network, and never see the answer.
async fn drain(request: Request) {
    let mut body = request.into_body().into_data_stream();
    let mut left = LONGEST_DRAINED;
    while let Some(Ok(chunk)) = body.next().await {
        match left.checked_sub(chunk.len()) {
            Some(less) => left = less,
            None => return,
        }
    }
}

/// 200 and nothing else: devpi's client takes any other success for a failure.
fn accepted(uploaded: Uploaded) -> Response<axum::body::Body> {
    let mut response = Response::new(axum::body::Body::empty());
    let html = HeaderValue::from_static("text/html; charset=UTF-8");
    response.headers_mut().insert(CONTENT_TYPE, html);
    if uploaded == Uploaded::Same {
        let reason = ReasonPhrase::from_static(b"Upload of identical file to non volatile index.");
        response.extensions_mut().insert(reason);
    }
    response
}

/// Reads a form of many parts.
struct Reader<'a> {
    app: &'a App,
    form: Form,
    /// Bytes that the fields may still have.
    room: usize,
    /// Bytes that the file may have.
    longest: u64,
    /// Where it goes.
    index: &'a IndexName,
}

impl<'a> Reader<'a> {
    fn new(app: &'a App, entry: &'a Entry) -> Self {
        let quota = match &*entry.settings {
            IndexSettings::Stage(stage) => stage.quota,
            IndexSettings::Mirror(_) => None,
        };
        Self {
            app,
            form: Form {
                fields: Vec::new(),
                content: None,
            },
            room: LONGEST_FIELDS,
            longest: quota.unwrap_or(u64::MAX),
            index: &entry.name,
        }
    }

    async fn multipart(mut self, content_type: &str, request: Request) -> Result<Form, Fault> {
        let boundary = multer::parse_boundary(content_type).map_err(|error| malformed(&error))?;
        let (portions, opener) = Portions::of(request.into_body().into_data_stream());
        let mut parts = Multipart::new(portions, boundary);
        loop {
            let field = parts.next_field().await;
            opener.open();
            let Some(field) = field.map_err(|error| malformed(&error))? else {
                return Ok(self.form);
            };
            let name = field.name().unwrap_or_default().to_owned();
            match field.file_name().map(str::to_owned) {
                Some(filename) if name == "content" => {
                    self.content(filename, field, &opener).await?;
                }
                _ => self.field(name, field, &opener).await?,
            }
        }
    }

    async fn content(
        &mut self,
        filename: String,
        mut field: Field<'_>,
        opener: &Opener,
    ) -> Result<(), Fault> {
        if self.form.content.is_some() {
            return Err(bad_form("the form has more than one file"));
        }
        let mut incoming = self.app.storage().receive(&self.form.fields)?;
        let mut left = self.longest;
        while let Some(chunk) = field.chunk().await.map_err(|error| malformed(&error))? {
            opener.open();
            left = left.checked_sub(chunk.len() as u64).ok_or_else(|| {
                let (quota, index) = (self.longest, self.index);
                let line =
                    format!("the file alone is larger than {index}'s quota of {quota} bytes");
                Fault::new(StatusCode::PAYLOAD_TOO_LARGE, "over-quota", line)
            })?;
            incoming.write(chunk).await?;
        }
        self.form.content = Some((filename, incoming.finish().await?));
        Ok(())
    }

    async fn field(
        &mut self,
        name: String,
        mut field: Field<'_>,
        opener: &Opener,
    ) -> Result<(), Fault> {
        let mut value = Vec::new();
        self.takes(name.len())?;
        while let Some(chunk) = field.chunk().await.map_err(|error| malformed(&error))? {
            opener.open();
            self.takes(chunk.len())?;
            value.extend_from_slice(&chunk);
        }
        add(&mut self.form, name, value)
    }

    fn takes(&mut self, bytes: usize) -> Result<(), Fault> {
        self.room = self.room.checked_sub(bytes).ok_or_else(too_long)?;
        Ok(())
    }
}

async fn urlencoded(request: Request) -> Result<Form, Fault> {
    let body = whole(request, LONGEST_FIELDS).await?;
    let mut form = Form {
        fields: Vec::new(),
        content: None,
    };
    for (name, value) in url::form_urlencoded::parse(&body) {
        add(
            &mut form,
            name.into_owned(),
            value.into_owned().into_bytes(),
        )?;
    }
    Ok(form)
}

fn add(form: &mut Form, name: String, value: Vec<u8>) -> Result<(), Fault> {
    if form.fields.len() == MOST_FIELDS {
        return Err(bad_form("the form has too many fields"));
    }
    let value = String::from_utf8(value)
        .map_err(|_| bad_form(format!("the field `{name}` of the form is not UTF-8")))?;
    form.fields.push((name, value));
    Ok(())
}

/// The whole body of a request that is known to be small, and comes within a while.
pub(crate) async fn whole(request: Request, longest: usize) -> Result<Bytes, Fault> {
    let body = Limited::new(request.into_body(), longest).collect();
    let all = tokio::time::timeout(WHILE, body).await;
    match all.map_err(|_| silent())? {
        Ok(all) => Ok(all.to_bytes()),
        Err(error) if stems_from::<LengthLimitError>(&*error) => Err(too_long()),
        Err(error) if stems_from::<Silent>(&*error) => Err(silent()),
        Err(_) => Err(bad_form("the request broke off")),
    }
}

fn text(request: &Request, name: &http::HeaderName) -> String {
    let value = request.headers().get(name);
    let text = value.and_then(|value| value.to_str().ok());
    text.unwrap_or_default().trim().to_owned()
}

/// Whether a `Content-Type` is this media type; its parameters do not matter.
fn is_type(content_type: &str, media_type: &str) -> bool {
    let name = content_type.split(';').next().unwrap_or_default().trim();
    name.eq_ignore_ascii_case(media_type)
}

fn bad_form(line: impl Into<String>) -> Fault {
    Fault::new(StatusCode::BAD_REQUEST, "bad-upload", line)
}

fn malformed(error: &multer::Error) -> Fault {
    if stems_from::<Silent>(error) {
        return silent();
    }
    if stems_from::<Endless>(error) {
        return too_long();
    }
    bad_form(format!("the upload form is malformed: {error}"))
}

fn silent() -> Fault {
    let line = "the request stopped in its middle and was given up";
    Fault::new(StatusCode::REQUEST_TIMEOUT, "timeout", line)
}

fn too_long() -> Fault {
    let line = "the request is too long for what it is";
    Fault::new(StatusCode::PAYLOAD_TOO_LARGE, "too-long", line)
}
