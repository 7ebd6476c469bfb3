//! What a build printed, step by step.

use crate::engine::Builder;

/// A build that has ended.
#[derive(Debug)]
pub struct Built {
    /// Whether there is an image.
    pub succeeded: bool,
    /// Its steps, in the order of the Dockerfile within a stage.
    pub steps: Vec<Ran>,
    /// All it printed.
    pub output: String,
}

/// A step that the engine told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// Of BuildKit, if there are several: the stage's name, or `stage-` and its number from 0.
    pub stage: Option<String>,
    /// From 1: of BuildKit within the stage, of the legacy builder within the whole build.
    pub number: usize,
    /// As the engine prints it.
    pub instruction: String,
    /// Whether nothing had to be done; of `FROM` it means nothing.
    pub cached: bool,
}

impl Built {
    pub(crate) fn read(builder: Builder, succeeded: bool, output: String) -> Self {
        let steps = match builder {
            Builder::BuildKit => buildkit(&output),
            Builder::Legacy => legacy(&output),
        };
        Self {
            succeeded,
            steps,
            output,
        }
    }

    /// Panics with everything the build printed if it failed.
    #[must_use]
    pub fn succeeds(self) -> Self {
        assert!(self.succeeded, "the build failed:\n{}", self.output);
        self
    }
}

/// `#7 [builder 2/3] RUN x`, and some lines later `#7 CACHED` or `#7 DONE 0.1s`.
fn buildkit(output: &str) -> Vec<Ran> {
    let mut steps: Vec<(&str, Ran)> = Vec::new();
    for line in output.lines() {
        let Some((id, rest)) = line.split_once(' ').filter(|(id, _)| id.starts_with('#')) else {
            continue;
        };
        if rest == "CACHED" {
            let step = steps.iter_mut().find(|(other, _)| *other == id);
            if let Some((_, ran)) = step {
                ran.cached = true;
            }
        } else if let Some(ran) = vertex(rest)
            && steps.iter().all(|(other, _)| *other != id)
        {
            steps.push((id, ran));
        }
    }
    let mut steps: Vec<Ran> = steps.into_iter().map(|(_, ran)| ran).collect();
    steps.sort_by(|a, b| (&a.stage, a.number).cmp(&(&b.stage, b.number)));
    steps
}

/// `[builder 2/3] RUN x`; `[internal] …` is none.
fn vertex(text: &str) -> Option<Ran> {
    let (place, instruction) = text.strip_prefix('[')?.split_once("] ")?;
    let (stage, count) = match place.rsplit_once(' ') {
        Some((stage, count)) => (Some(stage.trim().to_owned()), count),
        None => (None, place),
    };
    let (number, _) = count.split_once('/')?;
    Some(Ran {
        stage,
        number: number.parse().ok()?,
        instruction: instruction.to_owned(),
        cached: false,
    })
}

/// `Step 2/3 : RUN x`, and then perhaps ` ---> Using cache`.
fn legacy(output: &str) -> Vec<Ran> {
    let mut steps: Vec<Ran> = Vec::new();
    for line in output.lines() {
        if let Some((count, instruction)) = line
            .strip_prefix("Step ")
            .and_then(|rest| rest.split_once(" : "))
        {
            let number = count.split_once('/').map_or(count, |(number, _)| number);
            steps.push(Ran {
                stage: None,
                number: number.parse().unwrap_or_default(),
                instruction: instruction.to_owned(),
                cached: false,
            });
        } else if line.trim() == "---> Using cache"
            && let Some(step) = steps.last_mut()
        {
            step.cached = true;
        }
    }
    steps
}
