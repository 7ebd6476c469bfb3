//! The folder that is built, as far as rules look into it.

use std::path::Path;

use dockerfile::Ignore;
use dockerfile::lint::ContextFile;
use jiff::Timestamp;

/// More files than this tell no more.
const MOST: usize = 2000;

/// The files of a context, or the first of many, without what is left out of it.
pub(super) fn files(context: &Path, ignore: Option<&str>) -> Vec<ContextFile> {
    // What cannot be read is a finding of its own.
    let ignore = Ignore::parse(ignore.unwrap_or_default()).unwrap_or_default();
    let mut files = Vec::new();
    visit(context, "", &ignore, &mut files);
    files
}

fn visit(folder: &Path, prefix: &str, ignore: &Ignore, files: &mut Vec<ContextFile>) {
    // What cannot be listed, an engine will say something about.
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut entries: Vec<_> = entries.collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let Ok(about) = entry.metadata() else {
            continue;
        };
        let keeps_some = ignore.patterns.iter().any(|pattern| pattern.keeps);
        if files.len() >= MOST || (ignore.leaves_out(&path) && !(about.is_dir() && keeps_some)) {
            continue;
        }
        if about.is_dir() {
            visit(&entry.path(), &format!("{path}/"), ignore, files);
        } else if let Some(at) = about
            .modified()
            .ok()
            .and_then(|at| Timestamp::try_from(at).ok())
        {
            let nanoseconds = at.subsec_nanosecond().unsigned_abs();
            let modified = (at.as_second(), nanoseconds);
            files.push(ContextFile { path, modified });
        }
    }
}
