//! Requests that a browser makes for somebody else's page.
//!
//! A browser on this network can reach this server, and lends itself to every page that
//! its user opens. Such a page must not upload or log in here: not across sites, and not
//! by a name of its own that was pointed at a server which listens on loopback only and
//! trusts whoever is on this machine (DNS rebinding). Installers and uploaders send none
//! of the headers that are looked at.

use std::net::IpAddr;

use http::header::{HOST, ORIGIN};
use http::{HeaderMap, HeaderName, Method, Request, StatusCode};

use crate::app::App;
use crate::fault::Fault;
use crate::outside::Outside;

/// What browsers say of where a request comes from (Fetch Metadata).
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses a request that changes something and comes from elsewhere.
pub(crate) fn check<B>(app: &App, request: &Request<B>) -> Result<(), Fault> {
    if matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    ) {
        return Ok(());
    }
    let config = app.config();
    let outside = Outside::of(
        config.outside_url.as_deref(),
        request.headers(),
        request.uri(),
    );
    if is_foreign(request.headers(), outside.host()) {
        let line = "this request was sent by a page of another site, which may change nothing here";
        return Err(Fault::new(StatusCode::FORBIDDEN, "cross-site", line));
    }
    let is_local = config.listen.iter().all(|at| at.ip().is_loopback());
    let host = header(request.headers(), &HOST)
        .or_else(|| request.uri().authority().map(http::uri::Authority::as_str));
    let Some(host) = host.map(without_port).filter(|_| is_local) else {
        return Ok(());
    };
    let configured = config.outside_url.as_deref().and_then(Outside::parse);
    if is_of_this_machine(host) || configured.is_some_and(|url| url.host_name() == host) {
        return Ok(());
    }
    let line = format!(
        "`{host}` is no name of this server: set `outside-url` to the address at which people find it"
    );
    Err(Fault::new(
        StatusCode::MISDIRECTED_REQUEST,
        "unknown-host",
        line,
    ))
}

/// Whether a browser says that another site's page has sent it.
fn is_foreign(headers: &HeaderMap, host: &str) -> bool {
    if let Some(site) = header(headers, &SEC_FETCH_SITE) {
        return !matches!(site, "same-origin" | "none");
    }
    let Some(origin) = headers.get(ORIGIN) else {
        return false;
    };
    let origin = origin.to_str().ok().and_then(|text| text.split_once("://"));
    origin.is_none_or(|(_, origin)| origin != host)
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Names that nobody else can point here: addresses, and those that engines and systems reserve.
fn is_of_this_machine(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    address.parse::<IpAddr>().is_ok()
        || host == "localhost"
        || [".localhost", ".docker.internal", ".containers.internal"]
            .iter()
            .any(|reserved| host.ends_with(reserved))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_nobody_can_point_elsewhere_are_this_machines() {
        for good in [
            "localhost",
            "LOCALHOST.",
            "app.localhost",
            "127.0.0.1",
            "[::1]",
            "172.17.0.1",
            "host.docker.internal",
            "host.containers.internal",
        ] {
            assert!(is_of_this_machine(good), "{good}");
        }
        for bad in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.nip.example",
            "",
        ] {
            assert!(!is_of_this_machine(bad), "{bad}");
        }
    }

    #[test]
    fn a_browser_says_whose_page_asks() {
        let asks = |pairs: &[(&'static str, &'static str)]| {
            let pairs = pairs.iter().map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    http::HeaderValue::from_static(value),
                )
            });
            is_foreign(&pairs.collect(), "here:3141")
        };
        assert!(!asks(&[]));
        assert!(!asks(&[("sec-fetch-site", "same-origin")]));
        assert!(!asks(&[("sec-fetch-site", "none")]));
        assert!(asks(&[("sec-fetch-site", "same-site")]));
        assert!(asks(&[
            ("sec-fetch-site", "cross-site"),
            ("origin", "http://here:3141")
        ]));
        assert!(!asks(&[("origin", "http://here:3141")]));
        assert!(asks(&[("origin", "http://here:3142")]));
        // Documentation in its sandbox.
        assert!(asks(&[("origin", "null")]));
    }
}
