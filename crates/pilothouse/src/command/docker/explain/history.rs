//! What an image says of its layers (`docker history --no-trunc --human=false
//! --format '{{json .}}'`): how many bytes each step left in it.

use dockerfile::cache::Verdict;
use serde::Deserialize;

/// One line; there is more in it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Line {
    created_by: String,
    size: String,
}

/// What BuildKit makes layers of.
const WORDS: [&str; 4] = ["ADD", "COPY", "RUN", "WORKDIR"];

/// For each step how many bytes it left: of the last stage, which the image is of.
pub(super) fn bytes(text: &str, steps: &[Verdict]) -> Result<Vec<Option<u64>>, String> {
    let mut layers = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let line: Line = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let size: u64 = line
            .size
            .parse()
            .map_err(|_| format!("`{}` is no number of bytes", line.size))?;
        let word = line.created_by.split(' ').next().unwrap_or_default();
        // That makes none.
        let is_root = line.created_by.trim_end() == "WORKDIR /";
        if WORDS.contains(&word) && !is_root {
            layers.push((word.to_owned(), size));
        }
    }
    let mut bytes = vec![None; steps.len()];
    let last = steps.last().map(|step| step.stage_number);
    let of_last = steps.iter().enumerate().rev();
    let of_last = of_last.filter(|(_, step)| {
        Some(step.stage_number) == last && !step.instruction.starts_with("FROM ")
    });
    // The newest comes first; what the base was made of comes after all of ours.
    let mut layers = layers.into_iter();
    for (at, step) in of_last {
        match layers.next() {
            Some((word, size)) if step.instruction.split(' ').next() == Some(word.as_str()) => {
                bytes[at] = Some(size);
            }
            _ => return Err(format!("it has no layer of `{}`", step.instruction)),
        }
    }
    Ok(bytes)
}
