//! The examples of rules: a Dockerfile, and after lines like `# ---- .dockerignore` other files.

/// What begins another file.
const MARK: &str = "# ---- ";

/// The files of an example, each with its name.
pub(super) fn files(example: &'static str) -> Vec<(&'static str, &'static str)> {
    let mut files = Vec::new();
    let (mut name, mut start) = ("Dockerfile", 0);
    for (at, _) in example.match_indices(MARK) {
        let rest = &example[at + MARK.len()..];
        let (next, _) = rest.split_once('\n').unwrap_or((rest, ""));
        files.push((name, &example[start..at]));
        (name, start) = (next, at + MARK.len() + next.len() + 1);
    }
    files.push((name, &example[start..]));
    // A file of another name stands in the place of an empty Dockerfile.
    files.retain(|(name, text)| *name != "Dockerfile" || !text.is_empty());
    files
}

/// An example as Markdown.
pub(super) fn page(example: &'static str) -> String {
    let files = files(example);
    let parts = files.iter().map(|(name, text)| {
        if matches!(*name, "Dockerfile" | "Containerfile") {
            format!("```dockerfile\n{text}```")
        } else {
            format!("`{name}`:\n\n```text\n{text}```")
        }
    });
    parts.collect::<Vec<_>>().join("\n\n")
}
