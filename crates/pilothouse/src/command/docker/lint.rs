//! `pilothouse docker lint`: what makes a Python image rebuild, grow or leak.

mod choice;
mod explain;
mod github;
mod json;
mod sarif;
mod text;

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use dockerfile::Position;
use dockerfile::lint::{File, Finding, Rule, Severity, Surroundings};

use super::context;
use super::source::Source;
use crate::arguments::TEMPLATE;
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
struct Found<'a> {
    rule: &'static Rule,
    severity: Severity,
    file: &'a str,
    /// The text of that file.
    text: &'a str,
    start: Position,
    end: Position,
    message: String,
}

pub(crate) fn run(arguments: Arguments, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    if let Some(rules) = &arguments.explain {
        explain::print(rules, out)?;
        return Ok(Outcome::Clean);
    }
    let flags = Overrides {
        config: arguments.config,
        ..Overrides::default()
    };
    let environment = Environment::of_process().leaving_secrets();
    let written = config::lint(flags, &environment, &Places::of_user())?;
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
    let found: Vec<Found<'_>> = sources
        .iter()
        .flat_map(|source| judged(source, &choice))
        .collect();
    match if arguments.json {
        Format::Json
    } else {
        arguments.format
    } {
        Format::Text => text::print(&found, out)?,
        Format::Json => json::print(&found, out)?,
        Format::Sarif => sarif::print(&found, out)?,
        Format::Github => github::print(&found, out)?,
    }
    // One broken file does not keep the others from being judged.
    if let Some(last) = failures.pop() {
        out.flush()?;
        for failure in failures {
            eprint!("{}", described(&failure));
        }
        return Err(last);
    }
    Ok(choice.outcome(&found))
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

fn judged<'a>(source: &'a Source, choice: &Choice) -> Vec<Found<'a>> {
    let ignore = source.ignore.as_ref().map(|ignore| ignore.text.as_str());
    let around = Surroundings {
        ignore,
        engine: source.engine,
        files: &context::files(&source.context, ignore),
    };
    let findings = dockerfile::lint::lint(&source.dockerfile, &around);
    let counted = findings.into_iter();
    let counted = counted.filter(|finding| choice.counts(finding.rule));
    counted
        .map(|finding| placed(source, finding, choice))
        .collect()
}

fn placed<'a>(source: &'a Source, finding: Finding, choice: &Choice) -> Found<'a> {
    let (file, text) = match (finding.file, &source.ignore) {
        (File::Ignore, Some(ignore)) => (ignore.name.as_str(), ignore.text.as_str()),
        _ => (source.name.as_str(), source.dockerfile.text()),
    };
    Found {
        rule: finding.rule,
        severity: choice.severity(finding.rule),
        file,
        text,
        start: Position::of(text, finding.span.start),
        end: Position::of(text, finding.span.end),
        message: finding.message,
    }
}
