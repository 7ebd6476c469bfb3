//! A path taken apart by hand: what the hot path matches and what the log names.
//!
//! This never decides whether something exists. A path that fits no pattern, or
//! is written in an unusual way, simply goes through the router.

use http::Uri;

use crate::told::Route;

/// What a path names; the parts are as written, still percent-encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Address<'a> {
    /// Which kind of thing.
    pub(crate) route: Route,
    /// `user/index`; `None` is the default index.
    pub(crate) index: Option<&'a str>,
    /// The project, on a page with its trailing slash.
    pub(crate) project: Option<&'a str>,
}

/// No user is called like that.
const VIEWS: &str = "/views/";

impl<'a> Address<'a> {
    /// Takes a path apart.
    pub(crate) fn parse(path: &'a str) -> Self {
        let none = |route| Self {
            route,
            index: None,
            project: None,
        };
        if let Some(rest) = path.strip_prefix("/simple/") {
            return Self::page(None, rest);
        }
        if let Some(tail) = path.strip_prefix("/+f/") {
            return none(file(tail));
        }
        if let Some(page) = Self::of_view(path) {
            return page;
        }
        match path {
            "/" => return none(Route::Home),
            "/+health" | "/+ready" | "/+metrics" => return none(Route::Operator),
            "/simple" => return none(Route::Listing),
            _ => {}
        }
        Self::of_index(path).unwrap_or(none(Route::Other))
    }

    /// `/views/{view}/simple/…`; the index is `views/{view}`.
    fn of_view(path: &'a str) -> Option<Self> {
        let rest = path.strip_prefix(VIEWS)?;
        let (view, rest) = rest.split_once("/simple/")?;
        let is_name = !view.is_empty() && !view.contains('/');
        is_name.then(|| Self::page(path.get(1..VIEWS.len() + view.len()), rest))
    }

    /// `/{user}/{index}/+…`
    fn of_index(path: &'a str) -> Option<Self> {
        let plus = path.find("/+")?;
        let index = path.get(1..plus)?;
        let (user, name) = index.split_once('/')?;
        if user.is_empty() || name.is_empty() || name.contains('/') {
            return None;
        }
        let rest = &path[plus + 2..];
        if let Some(rest) = rest.strip_prefix("simple/") {
            // A view has another address.
            return (!path.starts_with(VIEWS)).then(|| Self::page(Some(index), rest));
        }
        let route = match rest.strip_prefix("f/") {
            Some(tail) => file(tail),
            None if rest == "simple" => Route::Listing,
            None => return None,
        };
        Some(Self {
            route,
            index: Some(index),
            project: None,
        })
    }

    fn page(index: Option<&'a str>, rest: &'a str) -> Self {
        let project = rest.strip_suffix('/').filter(|name| !name.contains('/'));
        let route = match project {
            None if rest.is_empty() => Route::Listing,
            None if rest.contains('/') => Route::Other,
            _ => Route::Page,
        };
        Self {
            route,
            index,
            project,
        }
    }
}

fn file(tail: &str) -> Route {
    match tail.rsplit_once('.') {
        Some((_, "metadata")) => Route::Metadata,
        Some((_, "provenance")) => Route::Provenance,
        _ => Route::File,
    }
}

/// The address with `+` where the client wrote `%2B`, if it did.
///
/// pip escapes every plus of a path, `/+f/` and `/+simple/` included; both ways
/// of writing mean the same (RFC 3986, 6.2.2.2 and 3.3).
pub(crate) fn with_plain_plus(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    if !path.contains("%2B") && !path.contains("%2b") {
        return None;
    }
    let mut plain = path.replace("%2B", "+").replace("%2b", "+");
    if let Some(query) = uri.query() {
        plain.push('?');
        plain.push_str(query);
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(plain.parse().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_named_for_what_they_ask() {
        let at = |route, index, project| Address {
            route,
            index,
            project,
        };
        let (own, view) = (Some("root/pypi"), Some("views/gpu"));
        for (path, want) in [
            ("/", at(Route::Home, None, None)),
            ("/+health", at(Route::Operator, None, None)),
            ("/simple", at(Route::Listing, None, None)),
            ("/simple/", at(Route::Listing, None, None)),
            ("/simple/numpy/", at(Route::Page, None, Some("numpy"))),
            ("/simple/numpy", at(Route::Page, None, None)),
            ("/simple/a/b/", at(Route::Other, None, None)),
            ("/root/pypi/+simple/", at(Route::Listing, own, None)),
            ("/root/pypi/+simple", at(Route::Listing, own, None)),
            (
                "/root/pypi/+simple/numpy/",
                at(Route::Page, own, Some("numpy")),
            ),
            ("/root/pypi/+f/ab/x.whl", at(Route::File, own, None)),
            (
                "/root/pypi/+f/ab/x.whl.metadata",
                at(Route::Metadata, own, None),
            ),
            ("/+f/ab/x.whl.provenance", at(Route::Provenance, None, None)),
            (
                "/views/gpu/simple/numpy/",
                at(Route::Page, view, Some("numpy")),
            ),
            ("/views/gpu/simple/", at(Route::Listing, view, None)),
            ("/views/gpu/+f/ab/x.whl", at(Route::File, view, None)),
            ("/views/gpu/+simple/numpy/", at(Route::Other, None, None)),
            ("/views/a/b/simple/numpy/", at(Route::Other, None, None)),
            ("/root/+simple/numpy/", at(Route::Other, None, None)),
            ("/a/b/c/+simple/numpy/", at(Route::Other, None, None)),
            ("//pypi/+simple/numpy/", at(Route::Other, None, None)),
            ("/+api", at(Route::Other, None, None)),
            ("*", at(Route::Other, None, None)),
        ] {
            assert_eq!(Address::parse(path), want, "{path}");
        }
    }

    #[test]
    fn an_escaped_plus_is_a_plus() {
        let plain = |uri: &str| {
            let uri = uri.parse().unwrap();
            with_plain_plus(&uri).map(|uri| uri.to_string())
        };
        assert_eq!(plain("/simple/foo/?a=%2B"), None);
        assert_eq!(
            plain("/%2Bf/x-1%2bcpu.whl?a=%2B").as_deref(),
            Some("/+f/x-1+cpu.whl?a=%2B")
        );
        assert_eq!(
            plain("http://h/a/b/%2Bsimple/c/").as_deref(),
            Some("http://h/a/b/+simple/c/")
        );
    }
}
