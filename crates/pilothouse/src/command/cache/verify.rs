//! `pilothouse cache verify`: reads every stored byte again and compares it with the records.

use std::io::Write;

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;
use store::{Damaged, Mended, Reference, RefusedRow, Report, SidecarKind};

use super::{Common, VERSION};
use crate::arguments::TEMPLATE;
use crate::failure::Outcome;
use crate::progress;
use crate::units::ByteSize;

/// Read everything that is stored again and say what is damaged
#[derive(Debug, Args)]
#[command(help_template = TEMPLATE, before_help = "Example: pilothouse cache verify --repair\n\n")]
#[command(after_help = "Exits with 1 if something is damaged and was not repaired.")]
pub(crate) struct Arguments {
    /// Forget what is damaged, so that it is fetched again when somebody asks
    #[arg(long)]
    repair: bool,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Serialize)]
struct Answer {
    version: u32,
    /// Stored things read, and their bytes.
    checked: u64,
    bytes: u64,
    missing: Vec<Named>,
    corrupt: Vec<Corrupt>,
    orphans: Vec<Orphan>,
    /// Files on their way in.
    staged: usize,
    /// Never stored, so no finding; the latest first.
    refused: Vec<Refused>,
    repaired: Option<Repaired>,
}

/// A file whose bytes were not those its page promised.
#[derive(Debug, Serialize)]
struct Refused {
    index: String,
    path: String,
    /// Where it came from.
    url: String,
    expected: String,
    found: String,
    #[serde(rename = "refused_at")]
    at: Timestamp,
}

/// A record, and what it names.
#[derive(Debug, Serialize)]
struct Named {
    index: String,
    path: String,
    /// `file`, `metadata` or `provenance`.
    part: &'static str,
    sha256: String,
}

#[derive(Debug, Serialize)]
struct Corrupt {
    sha256: String,
    expected: String,
    found: String,
    named_by: Vec<Named>,
}

/// Bytes that nothing names.
#[derive(Debug, Serialize)]
struct Orphan {
    sha256: String,
    size: u64,
}

#[derive(Debug, Serialize)]
struct Repaired {
    records_forgotten: u64,
    blobs_removed: u64,
    bytes_removed: u64,
    /// Records of uploaded files that stay damaged: nobody could fetch those again.
    uploads_damaged: u64,
}

pub(super) async fn run(arguments: Arguments, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    let cache = super::open(arguments.common.place).await?;
    let bar = progress::bar(0, "reading");
    let watch = |progress: store::Progress| {
        bar.set_length(progress.total);
        bar.set_position(progress.done);
    };
    let report = store::verify(&cache.db, &cache.blobs, watch).await?;
    bar.finish_and_clear();
    let mended = if arguments.repair {
        Some(store::repair(&cache.db, &cache.blobs, &report).await?)
    } else {
        None
    };
    let refused = cache.db.all_refused().await?;
    let answer = Answer::new(&report, refused, mended);
    if arguments.common.json {
        crate::command::print_json(out, &answer)?;
    } else {
        answer.print(out)?;
    }
    let left = mended.map_or(!report.is_clean(), |mended| mended.lost > 0);
    Ok(if left {
        Outcome::Findings
    } else {
        Outcome::Clean
    })
}

impl Answer {
    fn new(report: &Report, refused: Vec<RefusedRow>, mended: Option<Mended>) -> Self {
        let orphan = |(digest, size): &(pyspec::Digest, u64)| Orphan {
            sha256: digest.to_string(),
            size: *size,
        };
        Self {
            version: VERSION,
            checked: report.checked,
            bytes: report.bytes,
            missing: report.missing.iter().map(Named::from).collect(),
            corrupt: report.corrupt.iter().map(Corrupt::from).collect(),
            orphans: report.orphans.iter().map(orphan).collect(),
            staged: report.staged,
            refused: refused.into_iter().map(Refused::from).collect(),
            repaired: mended.map(|mended| Repaired {
                records_forgotten: mended.records,
                blobs_removed: mended.blobs,
                bytes_removed: mended.bytes,
                uploads_damaged: mended.lost,
            }),
        }
    }

    fn print(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        for missing in &self.missing {
            writeln!(out, "missing: {missing}")?;
        }
        for corrupt in &self.corrupt {
            for named in &corrupt.named_by {
                writeln!(
                    out,
                    "damaged: {named}: expected {}, found {}",
                    corrupt.expected, corrupt.found
                )?;
            }
        }
        for orphan in &self.orphans {
            writeln!(
                out,
                "left over: {}, {}",
                orphan.sha256,
                ByteSize(orphan.size).rounded()
            )?;
        }
        for refused in &self.refused {
            writeln!(out, "refused: {refused}")?;
        }
        let findings = self.missing.len() + self.corrupt.len() + self.orphans.len();
        let size = ByteSize(self.bytes).rounded();
        write!(
            out,
            "read {} stored files with their metadata, {size}: ",
            self.checked
        )?;
        match (findings, &self.repaired) {
            (0, _) => writeln!(out, "all in order")?,
            (n, Some(mended)) => writeln!(
                out,
                "{n} findings; forgot {} records and removed {} files, {}",
                mended.records_forgotten,
                mended.blobs_removed,
                ByteSize(mended.bytes_removed).rounded()
            )?,
            (n, None) => writeln!(
                out,
                "{n} findings; `pilothouse cache verify --repair` mends what can be fetched again"
            )?,
        }
        let lost = self
            .repaired
            .as_ref()
            .map_or(0, |mended| mended.uploads_damaged);
        if lost > 0 {
            writeln!(
                out,
                "{lost} of them are in uploaded files, which cannot be fetched again: \
                 remove these and upload them anew, or bring back the data directory from a backup"
            )?;
        }
        Ok(())
    }
}

impl From<RefusedRow> for Refused {
    fn from(row: RefusedRow) -> Self {
        Self {
            index: row.mirror,
            path: row.path,
            url: row.url,
            expected: row.expected,
            found: row.found,
            at: row.at,
        }
    }
}

impl From<&Reference> for Named {
    fn from(reference: &Reference) -> Self {
        Self {
            index: reference.index.clone(),
            path: reference.path.clone(),
            part: match reference.sidecar {
                None => "file",
                Some(SidecarKind::Metadata) => "metadata",
                Some(SidecarKind::Provenance) => "provenance",
            },
            sha256: reference.digest.to_string(),
        }
    }
}

impl From<&Damaged> for Corrupt {
    fn from(damaged: &Damaged) -> Self {
        Self {
            sha256: damaged.digest.to_string(),
            expected: damaged.expected.clone(),
            found: damaged.found.clone(),
            named_by: damaged.named_by.iter().map(Named::from).collect(),
        }
    }
}

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of `{}` in {}", self.part, self.path, self.index)
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let at = self.at.strftime("%F %H:%MZ");
        let (path, index) = (&self.path, &self.index);
        let (expected, found) = (&self.expected, &self.found);
        write!(
            f,
            "`{path}` in {index} on {at}: expected {expected}, found {found}"
        )
    }
}
