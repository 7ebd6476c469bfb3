//! What a build printed (`docker build --progress=plain`): how long its steps took.

use std::collections::HashMap;

use dockerfile::cache::Verdict;

/// How long a step took.
struct Timed<'a> {
    /// Its stage, if there are several.
    stage: Option<&'a str>,
    /// From 1, within the stage.
    number: usize,
    seconds: f64,
}

/// For each step how long it took, if it was done: `#7 [builder 2/3] RUN x`, and some lines
/// later `#7 DONE 71.2s`. `None`: there is no such step.
pub(super) fn seconds(text: &str, steps: &[Verdict]) -> Option<Vec<Option<f64>>> {
    let mut places: HashMap<&str, (Option<&str>, usize)> = HashMap::new();
    let mut done = Vec::new();
    for line in text.lines() {
        let Some((id, rest)) = line.split_once(' ').filter(|(id, _)| id.starts_with('#')) else {
            continue;
        };
        if let Some(place) = place(rest) {
            places.entry(id).or_insert(place);
        } else if let Some(seconds) = done_in(rest)
            && let Some((stage, number)) = places.get(id)
        {
            done.push(Timed {
                stage: *stage,
                number: *number,
                seconds,
            });
        }
    }
    if places.is_empty() {
        return None;
    }
    let time = |step: &Verdict| {
        let timed = done.iter().find(|timed| {
            let in_stage = timed
                .stage
                .is_none_or(|stage| stage.eq_ignore_ascii_case(&step.stage));
            in_stage && timed.number == step.number
        });
        timed.map(|timed| timed.seconds)
    };
    Some(steps.iter().map(time).collect())
}

/// `[builder 2/3] RUN x`; `[internal] …` is no step.
fn place(text: &str) -> Option<(Option<&str>, usize)> {
    let (place, _) = text.strip_prefix('[')?.split_once("] ")?;
    let (stage, count) = match place.rsplit_once(' ') {
        Some((stage, count)) => (Some(stage.trim()), count),
        None => (None, place),
    };
    let (number, _) = count.split_once('/')?;
    Some((stage, number.parse().ok()?))
}

fn done_in(text: &str) -> Option<f64> {
    text.strip_prefix("DONE ")?.strip_suffix('s')?.parse().ok()
}
