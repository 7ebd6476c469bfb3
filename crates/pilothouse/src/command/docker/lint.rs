//! `pilothouse docker lint`: what makes a Python image rebuild, grow or leak.

mod choice;
mod explain;
mod github;
mod json;
mod sarif;
mod text;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use dockerfile::Position;
use dockerfile::lint::{
    self, ContextFile, File, Finding, RULES, Report, Rule, Severity, Surroundings,
};
use pyspec::ProjectName;
use url::Url;

use super::context;
use super::files_of::{Asked, Files};
use super::source::Source;
use crate::arguments::{TEMPLATE, Verbosity};
use crate::command::block_on;
use crate::config::{self, Environment, Overrides, Places, flag};
use crate::failure::{Outcome, described};
use choice::Choice;

/// Find what makes an image of a Python project rebuild, grow or leak
#[derive(Debug, Args)]
#[command(help_template = TEMPLATE, before_help = "Example: pilothouse docker lint services/*/Dockerfile\n\n", after_help = AFTER)]
pub(crate) struct Arguments {
    /// Dockerfiles, or folders with one in them; `-` is stdin
    #[arg(value_name = "FILE", default_value = ".", hide_default_value = true)]
    files: Vec<PathBuf>,
    /// The folder that is built [default: that of the Dockerfile]
    #[arg(long, value_name = "DIR")]
    context: Option<PathBuf>,
    /// How to print findings
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// The same as `--format json`
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Only these rules, like "PH001,PH002"
    #[arg(long, value_name = "CODES", value_delimiter = ',', value_parser = flag::rule)]
    select: Vec<&'static Rule>,
    /// Not these rules
    #[arg(long, value_name = "CODES", value_delimiter = ',', value_parser = flag::rule)]
    ignore: Vec<&'static Rule>,
    /// End with 1 only for findings of this severity or above: note, warning, error [default: note]
    #[arg(long, value_name = "SEVERITY", value_parser = flag::severity)]
    failure_threshold: Option<Severity>,
    /// Say what these rules are about, and why; without any, list all
    #[arg(long, value_name = "CODES", num_args = 0.., value_delimiter = ',', value_parser = flag::rule, conflicts_with = "files")]
    explain: Option<Vec<&'static Rule>>,
    /// Ask this Simple index which wheels there are [default: the pilothouse of this machine]
    #[arg(long, value_name = "URL")]
    index: Option<Url>,
    /// Read settings ([docker.lint]) from this file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

const AFTER: &str = "A comment `# pilothouse: ignore=PH002` excuses the instruction below it, or at the top the whole file.";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people, with the lines that are meant
    Text,
    /// For programs
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations of GitHub Actions
    Github,
}

/// What was found, with all that a format may print.
#[derive(Debug)]
struct Found {
    rule: &'static Rule,
    severity: Severity,
    file: String,
    /// The line on which it begins.
    line: String,
    start: Position,
    end: Position,
    message: String,
}

/// What came of it.
#[derive(Debug, Default)]
struct Judged {
    found: Vec<Found>,
    /// Rules that could not be asked, and why.
    skipped: Vec<(&'static Rule, String)>,
}

pub(crate) fn run(
    arguments: Arguments,
    verbosity: Verbosity,
    out: &mut dyn Write,
) -> anyhow::Result<Outcome> {
    if let Some(rules) = &arguments.explain {
        explain::print(rules, out)?;
        return Ok(Outcome::Clean);
    }
    let flags = Overrides {
        config: arguments.config,
        ..Overrides::default()
    };
    let environment = Environment::of_process().leaving_secrets();
    let (written, listen) = config::lint(flags, &environment, &Places::of_user())?;
    let choice = Choice::new(
        written,
        arguments.select,
        &arguments.ignore,
        arguments.failure_threshold,
    );
    let context = arguments.context.as_deref();
    let read = arguments
        .files
        .iter()
        .map(|name| Source::read(name, context));
    let (sources, mut failures) = parted(read);
    let asked = match arguments.index {
        Some(url) => Asked::Named(url),
        None => Asked::Local(listen),
    };
    let mut judged = judged(&sources, &choice, &asked)?;
    let outcome = choice.outcome(&judged.found);
    if verbosity.level() < -1 {
        judged.found.retain(|one| one.severity == Severity::Error);
    }
    let format = if arguments.json {
        Format::Json
    } else {
        arguments.format
    };
    judged.print(format, out)?;
    if verbosity.level() >= 0 {
        judged.tell(format, out)?;
    }
    // One broken file does not keep the others from being judged.
    if let Some(last) = failures.pop() {
        out.flush()?;
        for failure in failures {
            eprint!("{}", described(&failure));
        }
        return Err(last);
    }
    Ok(outcome)
}

impl Judged {
    fn print(&self, format: Format, out: &mut dyn Write) -> anyhow::Result<()> {
        match format {
            Format::Text => text::print(&self.found, out)?,
            Format::Json => json::print(self, out)?,
            Format::Sarif => sarif::print(&self.found, out)?,
            Format::Github => github::print(&self.found, out)?,
        }
        Ok(())
    }

    /// What is said beside the findings.
    fn tell(&self, format: Format, out: &mut dyn Write) -> anyhow::Result<()> {
        out.flush()?;
        if format == Format::Text {
            text::tell(&self.found);
        }
        let codes: Vec<&str> = self.skipped.iter().map(|(rule, _)| rule.code).collect();
        if let Some((_, reason)) = self.skipped.first()
            && format != Format::Json
        {
            eprintln!("skipped {}: {reason}", codes.join(" and "));
        }
        Ok(())
    }
}

fn parted(read: impl Iterator<Item = anyhow::Result<Source>>) -> (Vec<Source>, Vec<anyhow::Error>) {
    let (mut sources, mut failures) = (Vec::new(), Vec::new());
    for source in read {
        match source {
            Ok(source) => sources.push(source),
            Err(failure) => failures.push(failure),
        }
    }
    (sources, failures)
}

/// Judges all files, and asks an index about what only that knows.
fn judged(sources: &[Source], choice: &Choice, asked: &Asked) -> anyhow::Result<Judged> {
    let around: Vec<Around> = sources.iter().map(Around::of).collect();
    let asks = RULES
        .iter()
        .any(|rule| rule.asks_an_index() && choice.counts(rule));
    let unknown = around.iter().filter(|_| asks).flat_map(Around::unknown);
    let unknown: BTreeSet<ProjectName> = unknown.collect();
    let files = if unknown.is_empty() {
        Ok(Files::new())
    } else {
        block_on(asked.files(unknown))?
    };
    let mut judged = Judged::default();
    for one in &around {
        let report = one.lint(files.as_ref().ok());
        let counted = report.findings.into_iter();
        let counted = counted.filter(|finding| choice.counts(finding.rule));
        let found = counted.map(|finding| one.placed(finding, choice));
        judged.found.extend(found);
        if let Err(reason) = &files {
            let skipped = report
                .skipped
                .into_iter()
                .filter(|rule| choice.counts(rule));
            judged
                .skipped
                .extend(skipped.map(|rule| (rule, reason.clone())));
        }
    }
    judged.skipped.sort_by_key(|(rule, _)| rule.code);
    judged.skipped.dedup_by_key(|(rule, _)| rule.code);
    Ok(judged)
}

/// A Dockerfile with all that rules look at.
struct Around<'a> {
    source: &'a Source,
    files: Vec<ContextFile>,
}

impl<'a> Around<'a> {
    fn of(source: &'a Source) -> Self {
        let ignore = source.ignore.as_ref().map(|ignore| ignore.text.as_str());
        Self {
            source,
            files: context::files(&source.context, ignore),
        }
    }

    fn unknown(&self) -> BTreeSet<ProjectName> {
        self.with(None, |around| {
            lint::unknown_projects(&self.source.dockerfile, around)
        })
    }

    fn lint(&self, index: Option<&Files>) -> Report {
        self.with(index, |around| lint::lint(&self.source.dockerfile, around))
    }

    fn with<T>(&self, index: Option<&Files>, work: impl FnOnce(&Surroundings<'_>) -> T) -> T {
        let ignore = self.source.ignore.as_ref();
        work(&Surroundings {
            ignore: ignore.map(|ignore| ignore.text.as_str()),
            engine: self.source.engine,
            files: &self.files,
            read: &|path| self.source.context_file(path),
            index,
        })
    }

    fn placed(&self, finding: Finding, choice: &Choice) -> Found {
        let source = self.source;
        let (file, text) = match (&finding.file, &source.ignore) {
            (File::Ignore, Some(ignore)) => (ignore.name.clone(), Cow::from(&ignore.text)),
            (File::Context(path), _) => {
                let text = source.context_file(path).unwrap_or_default();
                (source.context.join(path).display().to_string(), text.into())
            }
            _ => (source.name.clone(), source.dockerfile.text().into()),
        };
        let start = Position::of(&text, finding.span.start);
        let line = text.lines().nth(start.line - 1).unwrap_or_default();
        Found {
            rule: finding.rule,
            severity: choice.severity(finding.rule),
            file,
            line: line.to_owned(),
            start,
            end: Position::of(&text, finding.span.end),
            message: finding.message,
        }
    }
}
