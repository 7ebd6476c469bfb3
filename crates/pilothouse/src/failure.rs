//! How a command ends: its exit code, and what a person reads when it failed.

use std::fmt;
use std::io;
use std::process::ExitCode;

use crate::config::Faulty;

/// How a command that did its work ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing to remark.
    Clean,
    /// Something was found that a person should look at.
    Findings,
}

/// A context for an error that also says how to mend it.
#[derive(Debug)]
pub(crate) struct Explained {
    what: String,
    hint: String,
}

impl Explained {
    pub(crate) fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            hint: hint.into(),
        }
    }
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Explained {}

/// Prints what failed, if anything did, and chooses the exit code.
pub(crate) fn exit(result: anyhow::Result<Outcome>) -> ExitCode {
    match result {
        Ok(Outcome::Clean) => ExitCode::SUCCESS,
        Ok(Outcome::Findings) => ExitCode::from(1),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprint!("{}", described(&error));
            ExitCode::from(2)
        }
    }
}

/// `error:`, `cause:` for each cause, and after a blank line `hint:`.
pub(crate) fn described(error: &anyhow::Error) -> String {
    let mut text = format!("error: {error}\n");
    let mut hint = error
        .downcast_ref::<Explained>()
        .map(|explained| explained.hint.clone());
    if let Some(faulty) = error.downcast_ref::<Faulty>() {
        text.extend(
            faulty
                .faults
                .iter()
                .map(|fault| format!("cause: {fault}\n")),
        );
        hint = Some(
            "`pilothouse config example` prints a file with every key and what it means".to_owned(),
        );
    }
    text.extend(
        error
            .chain()
            .skip(1)
            .map(|cause| format!("cause: {cause}\n")),
    );
    text.extend(hint.map(|hint| format!("\nhint: {hint}\n")));
    text
}

/// Who read our output has read enough.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let mut causes = error.chain();
    causes.any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn a_failure_names_its_causes_and_then_a_hint() {
        let cause: Result<(), _> = Err(io::Error::new(io::ErrorKind::AddrInUse, "address in use"));
        let error = cause
            .context(Explained::new("cannot listen", "take another port"))
            .unwrap_err();
        assert_eq!(
            described(&error),
            "error: cannot listen\ncause: address in use\n\nhint: take another port\n"
        );
    }

    #[test]
    fn a_reader_that_left_is_no_failure() {
        let gone: Result<Outcome, _> =
            Err(io::Error::from(io::ErrorKind::BrokenPipe)).context("cannot print");
        assert!(is_broken_pipe(&gone.unwrap_err()));
    }
}
