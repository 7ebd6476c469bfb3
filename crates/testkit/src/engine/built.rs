//! What a build printed, step by step.

use std::process::Output;

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
    /// If there are several: the stage's name, or `stage-` and its number from 0, which is all
    /// that buildah says; of the legacy builder nothing.
    pub stage: Option<String>,
    /// From 1, within the stage; of the legacy builder within the whole build.
    pub number: usize,
    /// As the engine prints it.
    pub instruction: String,
    /// Whether nothing had to be done; of `FROM` it means nothing.
    pub cached: bool,
}

impl Built {
    pub(super) fn read(output: &Output, reader: impl Fn(&str) -> Vec<Ran>) -> Self {
        let text = [&output.stdout[..], &output.stderr[..]].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        Self {
            succeeded: output.status.success(),
            steps: reader(&text),
            output: text,
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
pub(super) fn buildkit(output: &str) -> Vec<Ran> {
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
pub(super) fn legacy(output: &str) -> Vec<Ran> {
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

/// `[1/2] STEP 2/3: RUN x`, and then perhaps `--> Using cache 0123…`.
pub(super) fn buildah(output: &str) -> Vec<Ran> {
    let mut steps: Vec<Ran> = Vec::new();
    for line in output.lines() {
        if let Some(ran) = numbered(line) {
            steps.push(ran);
        } else if line.starts_with("--> Using cache ")
            && let Some(step) = steps.last_mut()
        {
            step.cached = true;
        }
    }
    steps
}

fn numbered(line: &str) -> Option<Ran> {
    let (place, rest) = line.split_once("STEP ")?;
    let stage = match place.strip_prefix('[') {
        Some(place) => {
            let (stage, _) = place.split_once('/')?;
            let number: usize = stage.parse().ok()?;
            Some(format!("stage-{}", number.checked_sub(1)?))
        }
        None if place.is_empty() => None,
        None => return None,
    };
    let (count, instruction) = rest.split_once(": ")?;
    let (number, _) = count.split_once('/')?;
    Some(Ran {
        stage,
        number: number.parse().ok()?,
        instruction: instruction.to_owned(),
        cached: false,
    })
}
