//! What can go wrong, and for which requests.

use std::time::Duration;

/// Which paths a fault or a count is about.
#[derive(Debug, Clone)]
pub struct Match(String);

/// `"/simple/foo/"` is that path, `"/simple/*"` what begins so, `"*.whl"` what
/// ends so, `"*"` everything.
impl From<&str> for Match {
    fn from(pattern: &str) -> Self {
        Self(pattern.to_owned())
    }
}

impl From<String> for Match {
    fn from(pattern: String) -> Self {
        Self(pattern)
    }
}

impl Match {
    pub(super) fn holds(&self, path: &str) -> bool {
        match (self.0.strip_prefix('*'), self.0.strip_suffix('*')) {
            (Some(end), _) => path.ends_with(end),
            (None, Some(start)) => path.starts_with(start),
            (None, None) => path == self.0,
        }
    }
}

/// One thing that goes wrong, for ever or a number of times.
#[derive(Debug, Clone)]
pub struct Fault {
    pub(super) what: What,
    pub(super) headers: Vec<(String, String)>,
    pub(super) left: Option<usize>,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    Status(u16),
    Delay(Duration),
    Hang,
    Trickle { bytes: usize, every: Duration },
    Truncate(u64),
    Reset(u64),
    StallAfter(u64),
    Corrupt(u64),
    Endless,
    Body { content_type: String, body: String },
    ChangingEtag,
    Headers,
}

impl Fault {
    fn new(what: What) -> Self {
        Self {
            what,
            headers: Vec::new(),
            left: None,
        }
    }

    /// Answers with this status and a short text.
    pub fn status(status: u16) -> Self {
        Self::new(What::Status(status))
    }

    /// Answers with a redirect to this URL.
    pub fn redirect(to: &str) -> Self {
        Self::new(What::Status(302)).header("Location", to)
    }

    /// Answers as usual, but later.
    pub fn delay(by: Duration) -> Self {
        Self::new(What::Delay(by))
    }

    /// Takes the request and never answers.
    pub fn hang() -> Self {
        Self::new(What::Hang)
    }

    /// Sends the body in pieces of this many bytes with a pause between.
    pub fn trickle(bytes: usize, every: Duration) -> Self {
        Self::new(What::Trickle { bytes, every })
    }

    /// Closes the connection in good order after this many bytes of the body.
    pub fn truncate(after: u64) -> Self {
        Self::new(What::Truncate(after))
    }

    /// Resets the connection after this many bytes of the body.
    pub fn reset(after: u64) -> Self {
        Self::new(What::Reset(after))
    }

    /// Sends nothing more after this many bytes of the body, but stays connected.
    pub fn stall(after: u64) -> Self {
        Self::new(What::StallAfter(after))
    }

    /// Changes the byte at this offset of the file.
    pub fn corrupt(at: u64) -> Self {
        Self::new(What::Corrupt(at))
    }

    /// Sends a body of unknown length that never ends.
    pub fn endless() -> Self {
        Self::new(What::Endless)
    }

    /// Answers 200 with this body.
    pub fn body(content_type: &str, body: &str) -> Self {
        Self::new(What::Body {
            content_type: content_type.to_owned(),
            body: body.to_owned(),
        })
    }

    /// Gives every answer another etag and ignores conditions, for the same bytes.
    pub fn changing_etag() -> Self {
        Self::new(What::ChangingEtag)
    }

    /// Answers as usual, with the headers given by [`Fault::header`] in place of its own.
    pub fn headers() -> Self {
        Self::new(What::Headers)
    }

    /// Adds a header, or replaces the one of this name.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Ends after this many requests.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.left = Some(times);
        self
    }

    /// Finds the fault for a path and uses it up.
    pub(super) fn take(faults: &mut [(Match, Self)], path: &str) -> Option<Self> {
        let (_, fault) = faults
            .iter_mut()
            .rev()
            .find(|(on, fault)| fault.left != Some(0) && on.holds(path))?;
        if let Some(left) = &mut fault.left {
            *left -= 1;
        }
        Some(fault.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_by_their_star() {
        let holds = |pattern: &str, path: &str| Match::from(pattern).holds(path);
        assert!(holds("/simple/foo/", "/simple/foo/"));
        assert!(!holds("/simple/foo/", "/simple/foo/bar"));
        assert!(holds("/simple/*", "/simple/foo/"));
        assert!(holds("*.whl", "/packages/x.whl"));
        assert!(!holds("*.whl", "/packages/x.whl.metadata"));
        assert!(holds("*", "/"));
    }

    #[test]
    fn the_latest_fault_wins_until_it_is_used_up() {
        let mut faults = vec![
            (Match::from("*"), Fault::status(500)),
            (Match::from("*.whl"), Fault::hang().times(1)),
        ];
        let mut take = |path| Fault::take(&mut faults, path).map(|fault| fault.what);
        assert!(matches!(take("/a.whl"), Some(What::Hang)));
        assert!(matches!(take("/a.whl"), Some(What::Status(500))));
        assert!(matches!(take("/a"), Some(What::Status(500))));
    }
}
