//! The page at `/`: how to use this server, with the lines to paste.

use std::fmt::Write;

use axum::extract::Request;
use http::header::{ACCEPT, VARY};
use http::{HeaderValue, Response};

use crate::app::App;
use crate::body::Body;
use crate::operator::plain;
use crate::outside::Outside;

/// `/`: HTML for browsers, text for everybody else.
pub(crate) fn page(app: &App, request: &Request) -> Response<Body> {
    let outside = Outside::of(None, request.headers(), request.uri());
    let text = lines(app, &outside);
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

fn lines(app: &App, outside: &Outside) -> String {
    let (host, name) = (outside.host(), outside.host_name());
    let plain = outside.is_plain_http();
    let url = outside.url("/simple/");
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
    let now = app.catalog().now();
    // What not everybody may read is not named here either.
    for index in now.names().filter(|index| now.is_public(index)) {
        let default = if index == app.catalog().default_name() {
            "  (also /simple/)"
        } else {
            ""
        };
        let url = outside.url(&format!("/{index}/+simple/"));
        let _ = writeln!(text, "  {url}{default}");
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
    fn what_is_shown_as_html_is_escaped() {
        assert!(html("<a & \"b\">").contains("&lt;a &amp; &quot;b&quot;&gt;"));
    }
}
