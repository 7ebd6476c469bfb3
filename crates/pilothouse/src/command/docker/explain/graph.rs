//! `--graph`: the stages and their steps as a picture that any browser shows.

mod layout;
mod svg;

use std::path::Path;

use anyhow::Context as _;

use super::Report;
use crate::command::docker::put::put;
use crate::failure::Explained;

/// Draws a report into a file, in place of what was there.
pub(super) fn save(report: &Report, path: &Path) -> anyhow::Result<()> {
    let drawing = layout::lay_out(report);
    let picture = svg::picture(report, &drawing)?;
    put(path, &picture).with_context(|| {
        Explained::new(
            format!("`{}` cannot be written", path.display()),
            "name a file in a folder that is there and that you may write to, such as out.svg",
        )
    })
}
