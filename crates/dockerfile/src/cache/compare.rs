//! Two plans held against each other.

use std::collections::{BTreeSet, HashSet};

use super::cause::Cause;
use super::difference::{differences, input_differences};
use super::key::Table;
use super::partner::partners;
use super::step::{Input, Plan};
use super::verdict::{Cached, Verdict};

/// Judges every step of `after`.
pub(super) fn compare(before: &Plan, after: &Plan) -> Vec<Verdict> {
    let mut table = Table::default();
    let old = table.keys(before);
    let new = table.keys(after);
    let exact: HashSet<usize> = old.iter().map(|key| key.exact).collect();
    let hopeful: HashSet<usize> = old.iter().map(|key| key.hopeful).collect();
    let mut comparison = Comparison {
        before,
        after,
        partners: partners(before, after),
        cached: Vec::new(),
    };
    for (at, key) in new.iter().enumerate() {
        let cached = if exact.contains(&key.exact) {
            Cached::Yes
        } else if hopeful.contains(&key.hopeful) && comparison.hangs(at) {
            Cached::Depends
        } else {
            Cached::No
        };
        comparison.cached.push(cached);
    }
    comparison.verdicts()
}

struct Comparison<'a> {
    before: &'a Plan,
    after: &'a Plan,
    /// For each step of `after` the one of `before` that it is held against.
    partners: Vec<Option<usize>>,
    cached: Vec<Cached>,
}

impl Comparison<'_> {
    /// Whether a step hangs on what some command will write.
    fn hangs(&self, at: usize) -> bool {
        let step = &self.after.steps[at];
        let parent = step.parent.map(|parent| self.cached[parent]);
        parent == Some(Cached::Depends)
            || step.inputs.iter().any(|input| match input {
                Input::Written(written) => {
                    !written.grounds.is_empty()
                        || written.layers.iter().any(|layer| layer.step.is_some())
                }
                Input::Context(_) | Input::Image(_) => false,
            })
    }

    fn verdicts(&self) -> Vec<Verdict> {
        let steps = &self.after.steps;
        let mut order: Vec<usize> = (0..steps.len()).filter(|at| self.is_shown(*at)).collect();
        order.sort_by_key(|at| (steps[*at].stage_number, *at));
        let mut places = vec![0; steps.len()];
        for (place, at) in order.iter().enumerate() {
            places[*at] = place;
        }
        let verdict = |at: &usize| {
            let step = &steps[*at];
            let mut causes = self.causes(*at);
            for cause in &mut causes {
                if let Cause::Earlier(step) | Cause::Follows(step) | Cause::Depends(step) = cause {
                    *step = places[*step];
                }
            }
            Verdict {
                stage: step.stage.clone(),
                stage_number: step.stage_number,
                number: step.number,
                line: step.line,
                instruction: step.instruction.clone(),
                cached: self.cached[*at],
                causes,
                unseen: self.unseen(*at),
                takes: self.takes(*at).map(|other| places[other]).collect(),
            }
        };
        order.iter().map(verdict).collect()
    }

    fn unseen(&self, at: usize) -> Vec<Cause> {
        let partner = self.partners[at].filter(|_| self.cached[at] != Cached::No);
        let before = partner.map_or(&[][..], |partner| &self.before.steps[partner].unseen);
        let pairs = before.iter().zip(&self.after.steps[at].unseen);
        pairs
            .flat_map(|(was, is)| input_differences(was, is))
            .collect()
    }

    /// The steps of other stages that a step works with.
    fn takes(&self, at: usize) -> impl Iterator<Item = usize> {
        let step = &self.after.steps[at];
        let of_inputs = step.inputs.iter().filter_map(|input| match input {
            Input::Written(written) => Some(written.end),
            Input::Context(_) | Input::Image(_) => None,
        });
        let others = step.parent.into_iter().chain(of_inputs);
        let is_other = |other: &usize| self.after.steps[*other].stage_number != step.stage_number;
        let others: BTreeSet<usize> = others.filter(is_other).collect();
        others.into_iter().filter(|other| self.is_shown(*other))
    }

    /// BuildKit makes no step of `FROM scratch`.
    fn is_shown(&self, at: usize) -> bool {
        self.after.steps[at].number > 0
    }

    fn causes(&self, at: usize) -> Vec<Cause> {
        if self.cached[at] == Cached::Yes {
            return Vec::new();
        }
        let step = &self.after.steps[at];
        let mut causes = match self.partners[at] {
            Some(partner) => differences(&self.before.steps[partner], step),
            None => vec![Cause::New],
        };
        for input in &step.inputs {
            if let Input::Written(written) = input {
                let of_layers = written.layers.iter().filter_map(|layer| layer.step);
                let grounds = written.grounds.iter().map(|(at, _)| *at);
                for other in grounds.chain(of_layers) {
                    if self.cached[other] != Cached::Yes || self.cached[at] == Cached::Depends {
                        causes.push(Cause::Depends(other));
                    }
                }
            }
        }
        let parent = step.parent.filter(|parent| self.is_shown(*parent));
        match parent.map(|parent| (parent, self.cached[parent])) {
            Some((parent, Cached::No)) => {
                // What is new anyway says nothing by itself.
                causes.retain(|cause| *cause != Cause::New);
                causes.push(Cause::Earlier(parent));
            }
            Some((parent, Cached::Depends)) => causes.push(Cause::Depends(parent)),
            Some((parent, Cached::Yes)) if causes.is_empty() => {
                causes.push(Cause::Follows(parent));
            }
            _ => {}
        }
        causes.dedup();
        causes
    }
}
