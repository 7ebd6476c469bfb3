//! Uploads: the form that devpi, twine, uv, poetry and flit send.
//!
//! The form is read as it comes, its fields in any order; the file in it goes to
//! the disk and never as a whole through memory. What it means is decided in
//! `index`. devpi's client and twine print the reason phrase, uv and poetry the
//! body: a fault carries its line in both.

use std::sync::Arc;

use axum::extract::{Request, State};
use bytes::Bytes;
use futures_util::StreamExt;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use hyper::ext::ReasonPhrase;
use index::Entry;
use index::access::{Permission, Reach};
use index::hosted::{Form, Hosted, Uploaded};
use multer::Multipart;
use pyspec::ProjectName;

use crate::app::App;
use crate::asking::Asking;
use crate::devpi::push;
use crate::fault::Fault;
use crate::routes::Named;
use crate::silence::Silent;

/// Bytes that all fields of a form but its file may have: descriptions are long.
const LONGEST_FIELDS: usize = 16 * 1024 * 1024;

/// Bytes that are read of an upload that is refused from the start.
const LONGEST_DRAINED: usize = 64 * 1024 * 1024;

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
    let (entry, hosted) = match welcome(&app, &named, &asking) {
        Ok(found) => found,
        Err(fault) => {
            drain(request).await;
            return Err(fault);
        }
    };
    let form = if is_type(&content_type, "multipart/form-data") {
        multipart(&app, &content_type, request).await?
    } else {
        urlencoded(request).await?
    };
    let name = form.fields.iter().find(|(name, _)| name == "name");
    let project: Option<ProjectName> = name.and_then(|(_, value)| value.trim().parse().ok());
    let reach = project.as_ref().map_or(Reach::Some, Reach::Project);
    if !asking.may(&app, Permission::Upload, &entry, reach) {
        return Err(asking.lacks("this token may not upload to this project"));
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
        let line = "cannot submit to mirror index";
        return Err(Fault::new(StatusCode::NOT_FOUND, "no-upload", line));
    };
    let no_permission = "no permission to submit";
    if asking.is_refused() {
        return Err(asking.lacks(no_permission));
    }
    if !asking.may(app, Permission::Upload, &entry, Reach::Some) {
        return Err(asking.lacks(no_permission));
    }
    Ok((entry, hosted))
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

async fn multipart(app: &App, content_type: &str, request: Request) -> Result<Form, Fault> {
    let boundary = multer::parse_boundary(content_type).map_err(|error| malformed(&error))?;
    let mut parts = Multipart::new(request.into_body().into_data_stream(), boundary);
    let mut form = Form {
        fields: Vec::new(),
        content: None,
    };
    let mut room = LONGEST_FIELDS;
    while let Some(mut field) = parts
        .next_field()
        .await
        .map_err(|error| malformed(&error))?
    {
        let name = field.name().unwrap_or_default().to_owned();
        let filename = field.file_name().map(str::to_owned);
        match filename {
            Some(filename) if name == "content" => {
                let mut incoming = app.storage().receive(&form.fields)?;
                while let Some(chunk) = field.chunk().await.map_err(|error| malformed(&error))? {
                    incoming.write(chunk).await?;
                }
                form.content = Some((filename, incoming.finish().await?));
            }
            _ => {
                let mut value = Vec::new();
                while let Some(chunk) = field.chunk().await.map_err(|error| malformed(&error))? {
                    room = room.checked_sub(chunk.len()).ok_or_else(too_long)?;
                    value.extend_from_slice(&chunk);
                }
                add(&mut form, name, value)?;
            }
        }
    }
    Ok(form)
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

/// The whole body of a request that is known to be small.
pub(crate) async fn whole(request: Request, longest: usize) -> Result<Bytes, Fault> {
    let mut body = request.into_body().into_data_stream();
    let mut all = Vec::new();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|error| {
            if Silent::is_in(&error) {
                return silent();
            }
            bad_form("the request broke off")
        })?;
        if all.len() + chunk.len() > longest {
            return Err(too_long());
        }
        all.extend_from_slice(&chunk);
    }
    Ok(all.into())
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
    if Silent::is_in(error) {
        return silent();
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
