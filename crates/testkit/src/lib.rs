//! What tests are made of: a scripted upstream on loopback, tiny packages built
//! in memory, the running binary, real clients, and devpi's server and Docker's engine
//! to compare with.
//!
//! Everything here is synchronous and acts through the doors that users have:
//! HTTP, the command line, the clients' own programs. Faults of the kit itself
//! panic with a sentence, because a test that cannot start has nothing to say.
//!
//! ```
//! use testkit::{Project, Upstream, http};
//!
//! let upstream = Upstream::start([Project::new("foo").wheel("1.0").sdist("1.1")]);
//! let page = http::get(&format!("{}foo/", upstream.simple()));
//! assert_eq!(page.status, 200);
//! assert_eq!(upstream.count("/simple/foo/").requests, 1);
//! ```

mod clients;
mod content;
mod cut;
mod devpi_server;
mod dist;
mod engine;
mod form;
pub mod http;
mod issuer;
mod receiver;
mod server;
mod skipped;
mod tree;
mod upstream;
mod wait;

pub use clients::{Account, Devpi, Installed, Installer, Run, Scratch, Uploader, hadolint};
pub use content::Content;
pub use cut::Cut;
pub use devpi_server::DevpiServer;
pub use dist::{Dist, Kind, Metadata, Yank};
pub use engine::{Buildah, Builder, Built, Engine, Node, Ran, Wheels};
pub use form::{FORM, form};
pub use issuer::Issuer;
pub use receiver::{Posted, Receiver};
pub use server::{Ended, Logged, Server};
pub use skipped::skipped;
pub use tree::Tree;
pub use upstream::{
    Auth, Count, Fault, HashKind, Match, Pages, Project, Request, Settings, Upstream, authority,
};
pub use wait::wait_until;
