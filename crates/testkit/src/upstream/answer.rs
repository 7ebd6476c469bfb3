//! From a request to an answer: routes, conditions, ranges, faults.

use std::io::{BufReader, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

use base64::Engine as _;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::fault::{Fault, What};
use super::log::Request;
use super::project::normal;
use super::settings::{Auth, Pages};
use super::wire::{self, Delivery, End, Reply};
use super::{Shared, State, page};
use crate::dist::{Built, md5};

/// Serves one connection until its end.
pub(super) fn serve(shared: &Arc<Shared>, stream: &TcpStream, connection: usize) {
    // One answer is one write, but a slow one is many; none should wait for more.
    drop(stream.set_nodelay(true));
    let mut reader = BufReader::new(stream);
    while let Some(request) = wire::read(&mut reader, connection) {
        let (fault, number) = note(&mut shared.state(), &request);
        if !serve_one(shared, stream, &request, fault.as_ref(), number) {
            return;
        }
    }
}

/// Answers where nothing can go wrong but the answer itself.
pub(super) fn at_once(shared: &Shared, request: &Request) -> Reply {
    let mut state = shared.state();
    let (fault, number) = note(&mut state, request);
    let mut reply = answer(&state, request, fault.as_ref());
    if let Some(fault) = &fault {
        apply(fault, &mut reply, &mut Delivery::at(None));
    }
    let noted = &mut state.log[number];
    noted.status = reply.status;
    noted.bytes = reply.body.len() as u64;
    reply
}

/// Writes a request down, and finds what goes wrong with it and its place in the log.
fn note(state: &mut State, request: &Request) -> (Option<Fault>, usize) {
    state.log.push(request.clone());
    let fault = Fault::take(&mut state.faults, &request.path);
    (fault, state.log.len() - 1)
}

fn serve_one(
    shared: &Shared,
    stream: &TcpStream,
    request: &Request,
    fault: Option<&Fault>,
    number: usize,
) -> bool {
    match fault.map(|fault| &fault.what) {
        Some(What::Hang) => {
            wire::hang(stream);
            return false;
        }
        Some(What::Delay(by)) => std::thread::sleep(*by),
        _ => {}
    }
    let (mut reply, rate) = {
        let state = shared.state();
        (answer(&state, request, fault), state.settings.rate)
    };
    let mut delivery = Delivery::at(rate);
    if let Some(fault) = fault {
        apply(fault, &mut reply, &mut delivery);
    }
    let update = |change: &dyn Fn(&mut Request)| {
        // The test may have forgotten the log meanwhile.
        if let Some(request) = shared.state().log.get_mut(number) {
            change(request);
        }
    };
    update(&|request| request.status = reply.status);
    let head_only = request.method == "HEAD";
    wire::send(stream, &reply, head_only, delivery, |bytes| {
        update(&|request| request.bytes += bytes as u64);
    })
}

fn apply(fault: &Fault, reply: &mut Reply, delivery: &mut Delivery) {
    match fault.what {
        What::Trickle { bytes, every } => {
            delivery.piece = bytes;
            delivery.pause = every;
        }
        What::Truncate(after) => delivery.end = End::Close(after),
        What::Reset(after) => delivery.end = End::Reset(after),
        What::StallAfter(after) => delivery.end = End::Stall(after),
        What::Endless => {
            delivery.end = End::Never;
            reply.headers.retain(|(name, _)| name != "Content-Encoding");
        }
        _ => {}
    }
    for (name, value) in &fault.headers {
        reply.set(name, value);
    }
}

fn answer(state: &State, request: &Request, fault: Option<&Fault>) -> Reply {
    match fault.map(|fault| &fault.what) {
        Some(What::Status(status)) => {
            return Reply::new(*status, "text/plain", "this is a fault of the test\n");
        }
        Some(What::Body { content_type, body }) => {
            return Reply::new(200, content_type, body.clone());
        }
        _ => {}
    }
    if let Some(refusal) = refuse(&state.settings.auth, request) {
        return refusal;
    }
    let path = request.path.replace("%2B", "+").replace("%2b", "+");
    if let Some(project) = path.strip_prefix("/simple/") {
        return conditional(state, request, fault, simple(state, request, project));
    }
    if path == "/links/" {
        let reply = Reply::new(200, page::HTML, page::find_links(state));
        return conditional(state, request, fault, reply);
    }
    file(state, request, fault, &path).unwrap_or_else(|| missing(404))
}

fn refuse(auth: &Auth, request: &Request) -> Option<Reply> {
    let (expected, challenge) = match auth {
        Auth::None => return None,
        Auth::Basic(user, password) => {
            let pair =
                base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
            (format!("Basic {pair}"), "Basic realm=\"testkit\"")
        }
        Auth::Bearer(token) => (format!("Bearer {token}"), "Bearer"),
    };
    if request.header("authorization") == Some(&expected) {
        return None;
    }
    let mut reply = missing(401);
    reply.set("WWW-Authenticate", challenge);
    Some(reply)
}

fn missing(status: u16) -> Reply {
    Reply::new(status, "text/plain", "there is nothing of this name\n")
}

fn simple(state: &State, request: &Request, project: &str) -> Reply {
    let as_json = match state.settings.pages {
        Pages::Json => true,
        Pages::Html => false,
        Pages::Negotiated => request
            .header("accept")
            .is_some_and(|accept| accept.contains(page::JSON)),
    };
    let content_type = if as_json { page::JSON } else { page::HTML };
    let mut reply = if project.is_empty() {
        Reply::new(200, content_type, page::root(state, as_json))
    } else {
        let name = project.trim_end_matches('/');
        let canonical = normal(name);
        if canonical != name || !project.ends_with('/') {
            let mut reply = missing(301);
            reply.set("Location", format!("/simple/{canonical}/"));
            return reply;
        }
        match state.projects.get(name) {
            Some(project) if as_json => Reply::new(200, content_type, page::json(state, project)),
            Some(project) => Reply::new(200, content_type, page::html(state, project)),
            None => missing(state.settings.missing),
        }
    };
    if let Some(cache_control) = &state.settings.cache_control {
        reply.set("Cache-Control", cache_control);
    }
    if let Some(serial) = state.settings.serial {
        reply.set("X-PyPI-Last-Serial", serial.to_string());
    }
    reply.set("Vary", "Accept, Accept-Encoding");
    reply
}

/// Adds the etag of a page, answers 304 where it is known, and compresses.
fn conditional(state: &State, request: &Request, fault: Option<&Fault>, mut reply: Reply) -> Reply {
    if reply.status != 200 {
        return reply;
    }
    tag(state, fault, &mut reply);
    if knows(request, &reply) {
        reply.status = 304;
        reply.body = Bytes::new();
        return reply;
    }
    let accepts = request
        .header("accept-encoding")
        .is_some_and(|accepted| accepted.contains("gzip"));
    if state.settings.gzip && accepts {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&reply.body).expect("a Vec takes bytes");
        reply.body = gzip.finish().expect("a Vec takes bytes").into();
        reply.set("Content-Encoding", "gzip");
    }
    reply
}

fn tag(state: &State, fault: Option<&Fault>, reply: &mut Reply) {
    if fault.is_some_and(|fault| matches!(fault.what, What::ChangingEtag)) {
        reply.set("ETag", format!("\"changing-{}\"", state.log.len()));
    } else if state.settings.etags {
        reply.set("ETag", format!("\"{}\"", md5(&reply.body)));
    }
}

fn own<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    reply
        .headers
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

fn knows(request: &Request, reply: &Reply) -> bool {
    if let Some(known) = request.header("if-none-match") {
        return own(reply, "ETag")
            .is_some_and(|etag| known.split(',').any(|known| known.trim() == etag));
    }
    let since = request.header("if-modified-since");
    since.is_some() && since == own(reply, "Last-Modified")
}

const UPLOADED: &str = "Tue, 02 Jan 2024 03:04:05 GMT";

/// A file, its metadata, or its provenance.
fn file(state: &State, request: &Request, fault: Option<&Fault>, path: &str) -> Option<Reply> {
    let (built, content) = find(state, path)?;
    if built.is_some() && request.query != state.settings.file_query {
        return Some(missing(403));
    }
    let mut reply = Reply::new(200, "application/octet-stream", content);
    reply.set("Cache-Control", "max-age=365000000, immutable, public");
    tag(state, fault, &mut reply);
    if state.settings.last_modified {
        reply.set("Last-Modified", UPLOADED);
    }
    if knows(request, &reply) {
        reply.status = 304;
        reply.body = Bytes::new();
        return Some(reply);
    }
    if let Some(Fault {
        what: What::Corrupt(at),
        ..
    }) = fault
    {
        let mut bytes = reply.body.to_vec();
        if let Some(byte) = bytes.get_mut(*at as usize) {
            *byte ^= 0x20;
        }
        reply.body = bytes.into();
    }
    if state.settings.ranges {
        reply.set("Accept-Ranges", "bytes");
        range(request, &mut reply);
    }
    Some(reply)
}

fn find<'a>(state: &'a State, path: &str) -> Option<(Option<&'a Built>, Bytes)> {
    if path.starts_with("/integrity/") {
        let body = "{\"version\":1,\"attestation_bundles\":[]}";
        return Some((None, Bytes::from_static(body.as_bytes())));
    }
    let files = || state.projects.values().flat_map(|project| &project.files);
    if let Some((_, built)) = files().find(|(_, built)| built.path == path) {
        return Some((Some(built), built.content.clone()));
    }
    let of = path.strip_suffix(".metadata")?;
    let (dist, built) = files().find(|(_, built)| built.path == of)?;
    let served = state.settings.metadata && dist.metadata == crate::dist::Metadata::Advertised;
    let metadata = built.metadata.as_ref().filter(|_| served)?;
    Some((Some(built), metadata.clone()))
}

/// Cuts the body to the one range asked for, unless `If-Range` is not ours.
fn range(request: &Request, reply: &mut Reply) {
    let Some(asked) = request
        .header("range")
        .and_then(|range| range.strip_prefix("bytes="))
    else {
        return;
    };
    if let Some(condition) = request.header("if-range")
        && own(reply, "ETag") != Some(condition)
        && own(reply, "Last-Modified") != Some(condition)
    {
        return;
    }
    let total = reply.body.len();
    let parse = |text: &str| text.parse::<usize>().ok();
    let span = match asked.split_once('-') {
        Some(("", last)) => parse(last).map(|last| (total.saturating_sub(last), total)),
        Some((first, "")) => parse(first).map(|first| (first, total)),
        Some((first, last)) => parse(first)
            .zip(parse(last))
            .map(|(first, last)| (first, (last + 1).min(total))),
        None => None,
    };
    match span {
        Some((from, to)) if from < to => {
            reply.body = reply.body.slice(from..to);
            reply.status = 206;
            reply.set("Content-Range", format!("bytes {from}-{}/{total}", to - 1));
        }
        _ => {
            reply.body = Bytes::new();
            reply.status = 416;
            reply.set("Content-Range", format!("bytes */{total}"));
        }
    }
}
