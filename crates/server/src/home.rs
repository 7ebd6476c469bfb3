//! The page at `/`: how to use this server, with the lines to paste.

use std::fmt::Write;

use axum::extract::{Request, State};
use http::header::{ACCEPT, HOST, VARY};
use http::{HeaderMap, HeaderValue, Response, Uri};

use crate::app::App;
use crate::body::Body;
use crate::operator::plain;

/// `/`: HTML for browsers, text for everybody else.
pub(crate) async fn page(State(app): State<App>, request: Request) -> Response<Body> {
    let base = base(request.headers(), request.uri());
    let text = lines(&app, &base);
    let accept = request
        .headers()
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok());
    let mut response = if accept.is_some_and(|accept| accept.contains("text/html")) {
        plain("text/html; charset=utf-8", html(&text))
    } else {
        plain("text/plain; charset=utf-8", text)
    };
    response
        .headers_mut()
        .insert(VARY, HeaderValue::from_static("Accept, Host"));
    response
}

/// Where this server is, as the client sees it.
struct Base {
    scheme: &'static str,
    host: String,
}

fn base(headers: &HeaderMap, uri: &Uri) -> Base {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host = header(HOST.as_str())
        .or_else(|| uri.authority().map(http::uri::Authority::as_str))
        .filter(|host| is_host(host))
        .unwrap_or("localhost:3141");
    // A proxy that ends TLS says so.
    let scheme = if header("x-forwarded-proto") == Some("https") {
        "https"
    } else {
        "http"
    };
    Base {
        scheme,
        host: host.to_owned(),
    }
}

/// A host and port and nothing else: the text is shown to be pasted into a shell.
fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text.len() < 256
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b))
}

fn lines(app: &App, base: &Base) -> String {
    let Base { scheme, host } = base;
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let plain = *scheme == "http";
    let url = format!("{scheme}://{host}/simple/");
    let trusted = if plain {
        format!(" --trusted-host {name}")
    } else {
        String::new()
    };
    let mut text = String::from("pilothouse: packages from next door\n\npip\n");
    // Writing to a `String` cannot fail.
    let _ = writeln!(text, "  pip install --index-url {url}{trusted} PROJECT");
    let _ = writeln!(text, "  pip config set global.index-url {url}");
    if plain {
        let _ = writeln!(text, "  pip config set global.trusted-host {name}");
    }
    let _ = writeln!(text, "\nuv\n  export UV_DEFAULT_INDEX={url}");
    if plain {
        let _ = writeln!(text, "  export UV_INSECURE_HOST={host}");
    }
    let _ = writeln!(
        text,
        "\nDockerfile\n  ARG PIP_INDEX_URL={url}\n  ARG UV_DEFAULT_INDEX={url}"
    );
    if plain {
        let _ = writeln!(
            text,
            "  ARG PIP_TRUSTED_HOST={name}\n  ARG UV_INSECURE_HOST={host}"
        );
    }
    text.push_str("\nindexes\n");
    for index in app.catalog().now().names() {
        let default = if index == app.catalog().default_name() {
            "  (also /simple/)"
        } else {
            ""
        };
        let _ = writeln!(text, "  {scheme}://{host}/{index}/+simple/{default}");
    }
    text.push_str("\n/+health  /+ready  /+metrics\n");
    text
}

fn html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 256);
    escaped.push_str("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>pilothouse</title></head>\n<body><pre>");
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c => escaped.push(c),
        }
    }
    escaped.push_str("</pre></body></html>\n");
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clean_host_is_repeated() {
        for good in ["localhost", "10.0.0.1:3141", "[::1]:3141", "py.example.org"] {
            assert!(is_host(good), "{good}");
        }
        for bad in ["", "a b", "a/b", "<script>", "$(id)", "a;b", "a\"b"] {
            assert!(!is_host(bad), "{bad}");
        }
        assert!(html("<a & \"b\">").contains("&lt;a &amp; &quot;b&quot;&gt;"));
    }
}
