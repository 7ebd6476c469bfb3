//! Who may do something to an index: a list of users, groups and everybody.
//!
//! Only the list. Who the caller is, and what follows for a request, is decided elsewhere.

use std::fmt;

/// One entry of an [`Acl`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Principal {
    /// Whoever asks, `:ANONYMOUS:`.
    Anonymous,
    /// Whoever has proved to be some user, `:AUTHENTICATED:`.
    Authenticated,
    /// The members of a group, written `:name`.
    Group(Box<str>),
    /// One user.
    User(Box<str>),
}

/// Who may do something: any one of these.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Acl(Vec<Principal>);

impl Principal {
    /// Reads an entry as people write it: the special names in any case.
    pub fn new(text: &str) -> Self {
        if text.eq_ignore_ascii_case(":ANONYMOUS:") {
            return Self::Anonymous;
        }
        if text.eq_ignore_ascii_case(":AUTHENTICATED:") {
            return Self::Authenticated;
        }
        match text.strip_prefix(':') {
            Some(group) => Self::Group(group.into()),
            None => Self::User(text.into()),
        }
    }
}

impl Acl {
    /// The list of these.
    pub fn new(entries: impl IntoIterator<Item = Principal>) -> Self {
        Self(entries.into_iter().collect())
    }

    /// Everybody, known or not.
    pub fn anyone() -> Self {
        Self::new([Principal::Anonymous])
    }

    /// This user alone.
    pub fn only(user: &str) -> Self {
        Self::new([Principal::User(user.into())])
    }

    /// The entries as they were written.
    pub fn entries(&self) -> &[Principal] {
        &self.0
    }

    /// Whether nobody at all is kept out.
    pub fn is_for_anyone(&self) -> bool {
        self.0.contains(&Principal::Anonymous)
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str(":ANONYMOUS:"),
            Self::Authenticated => f.write_str(":AUTHENTICATED:"),
            Self::Group(name) => write!(f, ":{name}"),
            Self::User(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_special_names_are_written_in_capitals() {
        for (text, written) in [
            (":anonymous:", ":ANONYMOUS:"),
            (":Authenticated:", ":AUTHENTICATED:"),
            (":devs", ":devs"),
            ("alice", "alice"),
            ("ANONYMOUS", "ANONYMOUS"),
            (":Anonymous", ":Anonymous"),
        ] {
            assert_eq!(Principal::new(text).to_string(), written);
        }
        assert!(Acl::anyone().is_for_anyone());
        assert!(!Acl::only("alice").is_for_anyone());
    }
}
