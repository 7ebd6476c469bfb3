//! What steps cost the last time that they were done: seconds and bytes.

use dockerfile::cache::{Cause, Verdict};
use serde::{Deserialize, Serialize};

use crate::units::ByteSize;

/// Of one step, as far as it is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Cost {
    pub(super) seconds: Option<f64>,
    /// Of what it left in the image.
    pub(super) bytes: Option<u64>,
}

/// Of the steps of a folder's Dockerfile.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Costs(Vec<Known>);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Known {
    stage: String,
    instruction: String,
    cost: Cost,
}

impl Costs {
    /// Of the same instruction in the same stage, or of that which stood in its place.
    pub(super) fn of(&self, step: &Verdict) -> Cost {
        let find = |instruction: &str| {
            let mut known = self.0.iter();
            known.find(|one| one.stage == step.stage && one.instruction == instruction)
        };
        let before = || {
            step.causes.iter().find_map(|cause| match cause {
                Cause::Text { before, .. } => find(before),
                _ => None,
            })
        };
        let known = find(&step.instruction).or_else(before);
        known.map(|known| known.cost).unwrap_or_default()
    }

    /// Of these steps, each as something says; what it does not say is as it was.
    pub(super) fn renewed(&self, steps: &[Verdict], says: impl Fn(usize) -> Cost) -> Self {
        let known = steps.iter().enumerate().map(|(at, step)| {
            let (old, new) = (self.of(step), says(at));
            Known {
                stage: step.stage.clone(),
                instruction: step.instruction.clone(),
                cost: Cost {
                    seconds: new.seconds.or(old.seconds),
                    bytes: new.bytes.or(old.bytes),
                },
            }
        });
        Self(known.collect())
    }
}

impl Cost {
    /// For people, if there is anything worth to be told.
    pub(super) fn told(self) -> Option<String> {
        let bytes = self.bytes.filter(|bytes| *bytes > 0);
        let bytes = bytes.map(|bytes| ByteSize(bytes).rounded());
        let seconds = self.seconds.filter(|seconds| *seconds >= 0.05).map(short);
        match (bytes, seconds) {
            (None, None) => None,
            (Some(one), None) | (None, Some(one)) => Some(format!("{one} last time")),
            (Some(bytes), Some(seconds)) => Some(format!("{bytes} and {seconds} last time")),
        }
    }
}

/// `3.2 s`, `71 s`.
pub(super) fn short(seconds: f64) -> String {
    if seconds < 9.95 {
        format!("{seconds:.1} s")
    } else {
        format!("{seconds:.0} s")
    }
}
