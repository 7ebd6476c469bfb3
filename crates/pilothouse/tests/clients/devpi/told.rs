//! What a client said, without what differs from run to run or from server to server.
//!
//! What is hidden must be what it is taken for: a digest is hexadecimal, a time
//! is one that a calendar has.

use jiff::civil::DateTime;
use serde_json::Value;

/// What is the same for one session and no other.
pub(super) struct Told<'a> {
    pub(super) url: &'a str,
    pub(super) upstream: &'a str,
    pub(super) home: &'a str,
}

impl Told<'_> {
    /// The text as it is in every run.
    pub(super) fn text(&self, text: &str) -> String {
        let text = document(text).unwrap_or_else(|| text.to_owned());
        let host = |url: &str| url.replace("http://", "").replace("/simple/", "");
        let mut text = text
            .replace(self.home, "~")
            .replace(&host(self.url), "localhost:3141")
            .replace(&host(self.upstream), "pypi.example")
            .replace(&clients(), "[clients]");
        text = without_upstream_paths(&text);
        for (before, length, holds, shown) in HIDDEN {
            text = hide(&text, before, *length, *holds, shown);
        }
        for (accident, meant) in ACCIDENTS {
            text = text.replace(accident, meant);
        }
        // twine fills its lines up, and breaks them where a terminal would end.
        let ended: Vec<_> = text.lines().map(str::trim_end).collect();
        text = ended.join("\n");
        for (ours, devpis) in SAID_WITH_REASONS {
            text = text.replace(ours, devpis);
        }
        lines(&text)
    }
}

/// Where the clients are.
fn clients() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/python");
    let path = std::path::Path::new(path).canonicalize().unwrap();
    path.display().to_string()
}

/// What devpi's server lets slip, and what it means.
const ACCIDENTS: [(&str, &str); 2] = [
    (
        "Access was denied to this resource.\n\n\nUnauthorized: PyPIView failed permission check\n\n\n",
        "[no permission]\n",
    ),
    ("<NormalizedName 'foo' 'foo'>", "'foo'"),
];

/// What our server says, and what devpi's says in its place: ours names what is refused, or whom
/// it does not know, since the clients show nothing else of an answer. Word for word, so
/// that what we say is asserted as well.
const SAID_WITH_REASONS: &[(&str, &str)] = &[
    // twine
    (
        "         user 'viktor' could not be authenticated",
        "         Unauthorized",
    ),
    (
        "         The stage viktor/none could not be found.",
        "         Not Found",
    ),
    (
        "non-volatile index\n         viktor/dev",
        "non-volatile index",
    ),
    (
        "submit to viktor/dev: its `acl_upload` does not name\n         wanda",
        "submit",
    ),
    // everybody
    (
        "exists in non-volatile index viktor/dev",
        "exists in non-volatile index",
    ),
    (
        "exists in non-volatile index ivan/dev",
        "exists in non-volatile index",
    ),
    (
        "exists in non-volatile index nora/prod",
        "exists in non-volatile index",
    ),
    (
        "version on non-volatile index lea/dev",
        "version on non-volatile index",
    ),
    (
        "submit to viktor/dev: its `acl_upload` does not name wanda",
        "submit",
    ),
    (
        "submit to ivan/dev: its `acl_upload` does not name jo",
        "submit",
    ),
    (
        "cannot submit to mirror index root/pypi",
        "cannot submit to mirror index",
    ),
    // Poetry
    (
        "Error 401: user 'viktor' could not be authenticated",
        "Error 401: Unauthorized",
    ),
    (
        "Error 404: The stage viktor/none could not be found.",
        "Error 404: Not Found",
    ),
    // flit
    (
        "401 Client Error: user 'viktor' could not be authenticated for",
        "401 Client Error: Unauthorized for",
    ),
    (
        "404 Client Error: The stage viktor/none could not be found. for",
        "404 Client Error: Not Found for",
    ),
    // hatch
    (
        "'401 user 'viktor' could not be authenticated'",
        "'401 Unauthorized'",
    ),
    (
        "'404 The stage viktor/none could not be found.'",
        "'404 Not Found'",
    ),
    // devpi, logged off
    (
        "401 FAIL file_upload of foo-1.0-py3-none-any.whl to http://localhost:3141/ivan/dev/\n\
         no permission to submit to ivan/dev: nobody is logged in",
        "401 FAIL file_upload of foo-1.0-py3-none-any.whl to http://localhost:3141/ivan/dev/\n\
         Unauthorized",
    ),
    // devpi, logged in as somebody else
    ("no permission to delete user root", "[no permission]"),
    ("no permission to delete user nobody", "[no permission]"),
    ("no permission to modify index root/pypi", "[no permission]"),
    ("no permission to delete index root/pypi", "[no permission]"),
    (
        "DELETE http://localhost:3141/gina/none\n404 Not Found: The stage gina/none could not be found.",
        "DELETE http://localhost:3141/gina/none\n403 Forbidden: [no permission]",
    ),
    (
        "PATCH http://localhost:3141/rosa/none\n404 Not Found: The stage rosa/none could not be found.",
        "PATCH http://localhost:3141/rosa/none\n403 Forbidden: [no permission]",
    ),
    (
        "no permission to remove `foo` from lea/dev: its `acl_upload` does not name mo",
        "[no permission]",
    ),
];

/// What stands before it, how long it is, what it must be, and what is shown.
type Hidden = (&'static str, usize, fn(&str) -> bool, &'static str);

const HIDDEN: &[Hidden] = &[
    ("/+f/", 17, is_digest, "[digest]"),
    ("~/devpi-test-", 8, is_random, "[random]"),
    ("~/devpi-", 8, is_random, "[random]"),
    ("~/tmp", 8, is_random, "[random]"),
    (".toxresult-", 14, is_time, "[time]"),
    ("created=", 20, is_time, "[time]"),
    ("modified=", 20, is_time, "[time]"),
    ("\"created\": \"", 20, is_time, "[time]"),
    ("\"modified\": \"", 20, is_time, "[time]"),
    ("sha256=", 64, is_hex, "[sha256]"),
    ("\"sha256\": \"", 64, is_hex, "[sha256]"),
];

/// The addresses of a mirror's files as devpi's are shown. Ours end as upstream's do, so that lock
/// files can be mapped to it and back.
fn without_upstream_paths(text: &str) -> String {
    let mut parts = text.split("/+f/packages/");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (path, file) = part.split_at_checked(66).expect("a path and a file's name");
        let digits: Vec<_> = path.split('/').collect();
        let lengths: Vec<_> = digits.iter().map(|digits| digits.len()).collect();
        assert!(digits.iter().all(|digits| is_hex(digits)), "`{path}`");
        assert_eq!(lengths, [2, 2, 60], "`{path}`");
        out += "/+f/[digest]";
        out += file;
    }
    out
}

fn hide(text: &str, before: &str, length: usize, holds: fn(&str) -> bool, shown: &str) -> String {
    let mut parts = text.split(before);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out += before;
        // Longer ones begin as shorter ones do.
        if part.starts_with("test-[") || part.starts_with('[') {
            out += part;
            continue;
        }
        let (hidden, rest) = part.split_at_checked(length).unwrap_or((part, ""));
        assert!(holds(hidden), "`{hidden}` after `{before}` in\n{text}");
        out += shown;
        out += rest;
    }
    out
}

/// `abc/0123456789abc`.
fn is_digest(text: &str) -> bool {
    text.split_once('/')
        .is_some_and(|(start, more)| start.len() == 3 && is_hex(start) && is_hex(more))
}

fn is_hex(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// As Python names temporary directories.
fn is_random(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'z' | b'_'))
}

/// `20260102030405` or `2026-01-02T03:04:05Z`.
fn is_time(text: &str) -> bool {
    ["%Y%m%d%H%M%S", "%Y-%m-%dT%H:%M:%SZ"]
        .iter()
        .any(|format| DateTime::strptime(format, text).is_ok())
}

/// Line by line, without tracebacks and what only one server's bodies say.
fn lines(text: &str) -> String {
    let mut out = String::new();
    let mut in_traceback = false;
    for line in text.lines().map(str::trim_end) {
        in_traceback = line.starts_with("Traceback") || in_traceback && line.starts_with(' ');
        // We answer at once where devpi's server sends the client elsewhere.
        if in_traceback || line.starts_with("*redirected from ") {
            continue;
        }
        // uv shows what it makes of the body, which may have many lines.
        if let Some((said, _)) = line.split_once(". Server ") {
            return out + said + ". Server […]\n";
        }
        let line = SHOWN_BY_ONE
            .into_iter()
            .find_map(|before| line.split_once(before))
            .map_or(line, |(said, _)| said);
        let line = match line.strip_suffix('/') {
            Some(sent_elsewhere) if line.starts_with("GET ") => sent_elsewhere,
            _ => line,
        };
        out += &result(line).unwrap_or_else(|| size(line).to_owned());
        out.push('\n');
    }
    out
}

/// Before a body, which Poetry shows as Python has it, and before the address
/// of a Python object, which devpi's server shows.
const SHOWN_BY_ONE: [&str; 2] = [" | b", " to modify user "];

/// What uv says of a file, without its size, which the compressor decides.
fn size(line: &str) -> &str {
    let Some((file, size)) = line.rsplit_once(" (") else {
        return line;
    };
    if !file.starts_with("Hashing ") && !file.starts_with("Uploading ") {
        return line;
    }
    let is_size = size.starts_with(|first: char| first.is_ascii_digit()) && size.ends_with("B)");
    assert!(is_size, "not a size: {line}");
    file
}

/// A line about a test result, without the machine that it came from.
fn result(line: &str) -> Option<String> {
    let outcome = ["tests passed", "tests failed", "no tests were run"]
        .into_iter()
        .find(|outcome| line.ends_with(outcome))?;
    let words: Vec<_> = line.strip_suffix(outcome)?.split_whitespace().collect();
    let [_host, _platform, environment, version] = words[..] else {
        return None;
    };
    let is_version = version
        .bytes()
        .all(|byte| byte == b'.' || byte.is_ascii_digit());
    assert!(is_version, "not a version of Python: {line}");
    Some(format!("[machine] {environment} [version] {outcome}"))
}

/// A JSON document without the times in its logs, its links in order: the
/// client puts them in order itself.
fn document(text: &str) -> Option<String> {
    let (request, document) = match text.split_once("\n{") {
        Some((request, document)) => (format!("{request}\n"), format!("{{{document}")),
        None => (String::new(), text.to_owned()),
    };
    let mut value: Value = serde_json::from_str(&document).ok()?;
    if !value.is_object() {
        return None;
    }
    put_in_order(&mut value);
    let mut out = request.into_bytes();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, formatter);
    serde::Serialize::serialize(&value, &mut serializer).unwrap();
    Some(String::from_utf8(out).unwrap())
}

fn put_in_order(value: &mut Value) {
    match value {
        Value::Array(values) => {
            values.iter_mut().for_each(put_in_order);
            let name = |link: &Value| Some(link["href"].as_str()?.rsplit('/').next()?.to_owned());
            if values.iter().all(|value| name(value).is_some()) {
                values.sort_by_key(name);
            }
        }
        Value::Object(members) => {
            for (key, value) in members {
                if key == "when" {
                    assert!(is_moment(value), "not a time: {value}");
                    *value = "[time]".into();
                } else {
                    put_in_order(value);
                }
            }
        }
        _ => {}
    }
}

/// `[2026, 1, 2, 3, 4, 5]`.
fn is_moment(value: &Value) -> bool {
    let parts: Vec<i16> = serde_json::from_value(value.clone()).unwrap_or_default();
    let [year, month, day, hour, minute, second] = parts[..] else {
        return false;
    };
    is_time(&format!(
        "{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}"
    ))
}
