//! What can go wrong with an index, by meaning.

use std::sync::Arc;
use std::time::Duration;

/// What can go wrong with an index, by meaning.
///
/// `server` maps each to a status; nothing here knows about HTTP answers.
/// Cloneable, because one failed flight fails everybody who waited for it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// No index has this name.
    #[error("there is no index `{index}` here")]
    NoSuchIndex {
        /// As asked for.
        index: String,
    },
    /// The index has no project of this name.
    #[error("`{index}` has no project `{project}`")]
    NoSuchProject {
        /// The index asked.
        index: String,
        /// As asked for.
        project: String,
    },
    /// The index has no such file.
    #[error("`{index}` has no file `{file}`")]
    NoSuchFile {
        /// The index asked.
        index: String,
        /// As asked for.
        file: String,
    },
    /// The project has no release of this version.
    #[error("the version {version} of project {project} does not exist on `{index}`")]
    NoSuchRelease {
        /// The index asked.
        index: String,
        /// As asked for.
        project: String,
        /// As asked for.
        version: String,
    },
    /// No user has this name.
    #[error("no user '{user}'")]
    NoSuchUser {
        /// As asked for.
        user: String,
    },
    /// The caller has no such token.
    #[error("no token '{id}'")]
    NoSuchToken {
        /// As asked for.
        id: String,
    },
    /// It is there already.
    #[error("{what}")]
    Exists {
        /// What, as a sentence.
        what: String,
    },
    /// An upload cannot be taken as it is.
    #[error("{why}")]
    BadUpload {
        /// What is wrong with it.
        why: String,
    },
    /// An index would take more room than it may.
    #[error(
        "`{index}` would take more than its quota of {quota} bytes: it takes {used} now; \
         remove something or raise `quota`"
    )]
    OverQuota {
        /// The index.
        index: String,
        /// Bytes it takes now.
        used: u64,
        /// Bytes it may take.
        quota: u64,
    },
    /// What is asked for cannot be done to anything.
    #[error("{why}")]
    BadRequest {
        /// What is wrong with it, and how to say it right.
        why: String,
    },
    /// The caller is not who they say.
    #[error("{why}")]
    Denied {
        /// Who is not, or what has ended.
        why: String,
    },
    /// Too many want it at once.
    #[error("{why}")]
    Busy {
        /// What there is too much of.
        why: String,
    },
    /// The caller may not have it.
    #[error("{why}")]
    Forbidden {
        /// What and why.
        why: String,
    },
    /// A rule of this server keeps it back.
    #[error("`{file}` is not served: {by}")]
    Blocked {
        /// What is kept back.
        file: String,
        /// The rule, and how to change it.
        by: String,
    },
    /// Upstream cannot be reached or does not answer in time.
    #[error("upstream of `{index}` is not answering and {what} is not in the cache: {cause}")]
    UpstreamDown {
        /// The mirror.
        index: String,
        /// What was asked for.
        what: String,
        /// What happened, without credentials.
        cause: String,
        /// When upstream wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// Upstream answers, but nothing that can be used.
    #[error("upstream of `{index}` sent something wrong for {what}: {cause}")]
    UpstreamWrong {
        /// The mirror.
        index: String,
        /// What was asked for.
        what: String,
        /// What is wrong with it.
        cause: String,
    },
    /// The bytes are not those the index page promised.
    #[error("`{file}` is refused: its digest should be {expected} but upstream sent {found}")]
    Refused {
        /// The file's name.
        file: String,
        /// As the page promises.
        expected: String,
        /// As upstream sent.
        found: String,
    },
    /// The data directory has no room left.
    #[error(
        "no room left in the data directory for `{what}`: free some space or lower `cache.max-size`"
    )]
    Full {
        /// What was to be stored.
        what: String,
    },
    /// Upstream may not be asked, and the answer is not in the cache.
    #[error("{what} is not in the cache of `{index}`, and this server runs offline")]
    Offline {
        /// The mirror.
        index: String,
        /// What was asked for.
        what: String,
    },
    /// Our own storage failed.
    #[error("the data directory cannot be used")]
    Store(#[source] Arc<store::Error>),
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        Self::Store(Arc::new(error))
    }
}
