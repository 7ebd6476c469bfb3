//! The model of the build cache: which steps an engine repeats, and why.
//!
//! Two states of a build are laid out as steps, each with everything that its engine
//! compares: text, variables, user, mounts, files, and the step before. A step of the
//! second state is cached if one of the first was exactly like it. Where that hangs on
//! what a command will write, the answer says so.
//!
//! The rules are those of BuildKit's `solver` and `dockerfile2llb`, of Docker's builder
//! before BuildKit, and of buildah's `stage_executor`.

mod base;
mod buildah;
mod cause;
mod compare;
mod content;
mod copy;
mod difference;
mod instruction;
mod key;
mod mount;
mod named;
mod names;
mod partner;
mod plan;
mod run;
mod scope;
mod step;
mod tell;
mod verdict;
mod written;

use std::collections::BTreeMap;

use crate::{Dockerfile, Engine, Span};

pub use cause::{Cause, Change};
pub use content::{Archive, Content, Context, Form, Named, Seen, Selection};
pub use verdict::{Cached, Verdict};

/// What a build is told beside its Dockerfile.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `--build-arg`.
    pub build_args: BTreeMap<String, String>,
    /// `--target`.
    pub target: Option<String>,
    /// `--platform`, as `linux/arm64`; none is that of the engine.
    pub platform: Option<String>,
    /// `--add-host`, as `name:address`.
    pub hosts: Vec<String>,
    /// `--network`.
    pub network: Option<String>,
    /// What names of images stand for, where that is known: any text that changes with the image.
    pub images: BTreeMap<String, String>,
}

/// One state of a build.
#[derive(Clone, Copy)]
pub struct Build<'a> {
    /// What is done.
    pub dockerfile: &'a Dockerfile,
    /// What it is told.
    pub options: &'a Options,
    /// The files it may take.
    pub context: &'a dyn Context,
}

/// Why no engine would build this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Unbuildable {
    /// What is wrong.
    pub what: String,
    /// Where, from 1.
    pub line: usize,
}

impl Unbuildable {
    fn at(dockerfile: &Dockerfile, span: Span, what: &dyn std::fmt::Display) -> Self {
        Self {
            what: what.to_string(),
            line: crate::Position::of(dockerfile.text(), span.start).line,
        }
    }
}

/// Every step of the second state, in the order in which they are written: what of it is
/// cached if the first was built before, and why not.
pub fn explain(
    engine: Engine,
    before: &Build<'_>,
    after: &Build<'_>,
) -> Result<Vec<Verdict>, Unbuildable> {
    let before = plan::plan(engine, before)?;
    let after = plan::plan(engine, after)?;
    Ok(compare::compare(&before, &after))
}
