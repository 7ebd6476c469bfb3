//! What one person types and reads, written down as in a guide.

use std::fmt::Write as _;
use std::fs;

use testkit::{Account, Devpi, Run, Tree, Uploader};

use super::told::Told;
use super::{Served, Target};

/// A person at a terminal, whose devpi remembers where it was.
pub(super) struct Session<'a> {
    target: Target<'a>,
    devpi: Devpi,
    transcript: String,
}

impl<'a> Session<'a> {
    /// Somebody who has just installed devpi.
    pub(super) fn new(target: Target<'a>) -> Self {
        Self::with(target, Devpi::new())
    }

    /// The same, in a virtual environment that is activated.
    pub(super) fn activated(target: Target<'a>) -> Self {
        Self::with(target, Devpi::new().activated("docenv"))
    }

    /// Somebody with an account, who is logged in and uses their index `dev`.
    pub(super) fn of(target: Target<'a>, user: &str) -> Self {
        let session = Self::new(target);
        session.quietly(&format!("use {}", target.url));
        session.quietly(&format!("user -c {user} password=secret"));
        session.quietly(&format!("login {user} --password=secret"));
        session.quietly("index -c dev bases=root/pypi");
        session.quietly(&format!("use {user}/dev"));
        session
    }

    fn with(target: Target<'a>, devpi: Devpi) -> Self {
        Self {
            target,
            devpi,
            transcript: String::new(),
        }
    }

    pub(super) fn devpi(&self) -> &Devpi {
        &self.devpi
    }

    /// A source tree in the home directory.
    pub(super) fn tree(&self, name: &str, version: &str) -> Tree {
        Tree::new(self.devpi.scratch(), name, version)
    }

    /// Runs devpi with these words and writes down what it says.
    pub(super) fn types(&mut self, line: &str) {
        let run = self.run(line);
        self.note(line, &run);
    }

    /// The same in a source tree.
    pub(super) fn types_in(&mut self, tree: &Tree, line: &str) {
        let words = self.words(line);
        let run = self.devpi.run_in(tree.path(), &borrowed(&words));
        self.note(line, &run);
    }

    /// The same, answering questions with these lines.
    pub(super) fn answers(&mut self, line: &str, answers: &str) {
        let words = self.words(line);
        let run = self.devpi.answer(&borrowed(&words), answers);
        self.note(line, &run);
    }

    /// The same where the servers differ and mean to: both answers are told, and neither is written down.
    pub(super) fn apart(&mut self, line: &str, devpis: &str, ours: &str) {
        let run = self.run(line);
        let mut said = self.told(&run.output());
        if run.code != 0 {
            let _ = writeln!(said, "[exit code {}]", run.code);
        }
        let expected = match self.target.by {
            Served::ByUs => ours,
            #[cfg(feature = "oracle")]
            Served::ByDevpi => devpis,
        };
        assert_eq!(said, expected, "devpi {line}; devpi's server: {devpis}");
        let _ = writeln!(self.transcript, "$ devpi {line}\n[apart]");
    }

    /// Runs devpi, which must end well and say this among things that differ from run to run.
    pub(super) fn hears(&mut self, line: &str, part: &str) {
        let run = self.run(line);
        run.succeeds().says(part);
        let _ = writeln!(self.transcript, "$ devpi {line}\n[…] {part} […]");
    }

    /// Runs devpi, which must end well, and writes nothing down.
    pub(super) fn quietly(&self, line: &str) -> Run {
        let run = self.run(line);
        run.succeeds();
        run
    }

    /// Lets another client publish a tree, and writes down what that says.
    pub(super) fn publishes(
        &mut self,
        heading: &str,
        uploader: Uploader,
        account: Account<'_>,
        tree: &Tree,
    ) {
        let run = uploader.publish(self.devpi.scratch(), account, tree);
        let _ = writeln!(self.transcript, "# {heading}");
        self.write(&run);
    }

    /// Writes down what a file in the home directory says.
    pub(super) fn reads(&mut self, file: &str) {
        let path = self.devpi.scratch().path().join(file);
        let text =
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let text = self.told(&text);
        let _ = write!(self.transcript, "$ cat ~/{file}\n{text}");
    }

    /// All that was written down.
    pub(super) fn transcript(self) -> String {
        self.transcript
    }

    fn run(&self, line: &str) -> Run {
        self.devpi.run(&borrowed(&self.words(line)))
    }

    /// The words of a line, as a shell has them: `~` is the home, `''` an empty word.
    fn words(&self, line: &str) -> Vec<String> {
        line.split_whitespace()
            .map(|word| match word.strip_prefix("~/") {
                Some(path) => format!("{}/{path}", self.home()),
                None => word.replace("''", ""),
            })
            .collect()
    }

    fn note(&mut self, line: &str, run: &Run) {
        let line = self.told(line);
        let _ = write!(self.transcript, "$ devpi {line}");
        self.write(run);
    }

    fn write(&mut self, run: &Run) {
        let told = self.told(&run.output());
        self.transcript.push_str(&told);
        if run.code != 0 {
            let _ = writeln!(self.transcript, "[exit code {}]", run.code);
        }
    }

    fn told(&self, text: &str) -> String {
        Told {
            url: self.target.url,
            upstream: &self.target.upstream.simple(),
            home: self.home(),
        }
        .text(text)
    }

    fn home(&self) -> &str {
        self.devpi.scratch().path().to_str().unwrap()
    }
}

fn borrowed(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}
