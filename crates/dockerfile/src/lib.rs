//! Dockerfiles: read as BuildKit reads them.
//!
//! Nothing here touches a file or runs a process. A [`Dockerfile`] keeps its text and
//! where in it each token stands, so that what is said about it can point, and what is
//! changed in it changes nothing else.

pub mod cache;
mod check;
pub mod draft;
mod engine;
mod expand;
pub mod fix;
mod home;
mod ignore;
mod image;
mod inputs;
mod install;
pub mod lint;
mod manifest;
mod parse;
mod path;
mod scope;
mod shell;
mod span;
mod stages;
mod wheel;

pub use engine::Engine;
pub use expand::{InvalidExpansion, expand};
pub use ignore::{Ignore, InvalidPattern, Pattern, matches_path};
pub use parse::{
    Arguments, Directive, Dockerfile, Flag, Heredoc, Instruction, Invalid, Keyword, Piece,
};
pub use shell::{Command, Word, commands};
pub use span::{Position, Span};
pub use stages::{Base, Stage, stages};
