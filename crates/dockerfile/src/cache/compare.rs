//! Two plans held against each other.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::cause::{Cause, Change};
use super::content::{Content, Seen};
use super::plan::{Input, Kind, Part, Plan, Step};

/// What becomes of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The stage's name, or `stage-` and its number from 0.
    pub stage: String,
    /// The stage's number, from 0.
    pub stage_number: usize,
    /// As the engine counts: BuildKit within the stage, the others within the build.
    pub number: usize,
    /// From 1.
    pub line: usize,
    /// On one line.
    pub instruction: String,
    /// Whether it is done again.
    pub cached: Cached,
    /// Why it is done again, or what that hangs on.
    pub causes: Vec<Cause>,
}

/// Whether a step is done again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cached {
    /// It is taken from the cache.
    Yes,
    /// It is done again.
    No,
    /// That hangs on what a command writes.
    Depends,
}

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

/// Numbers for what is compared: equal if and only if it is.
#[derive(Default)]
struct Table(HashMap<String, usize>);

/// What a step is compared by.
struct Key {
    exact: usize,
    /// If every command writes what it wrote before.
    hopeful: usize,
}

impl Table {
    fn number(&mut self, text: String) -> usize {
        let next = self.0.len();
        *self.0.entry(text).or_insert(next)
    }

    fn keys(&mut self, plan: &Plan) -> Vec<Key> {
        let mut keys: Vec<Key> = Vec::new();
        for step in &plan.steps {
            let text = |of: &dyn Fn(usize) -> String, ground: &dyn Fn(usize, &str) -> String| {
                let parent = step.parent.map(of);
                let inputs = step.inputs.iter();
                let inputs = inputs.map(|input| input_text(input, of, ground));
                let inputs: Vec<String> = inputs.collect();
                format!("{:?} {parent:?} {inputs:?}", step.parts)
            };
            let is_nothing = step.parts.is_empty();
            let exact = text(&|at| keys[at].exact.to_string(), &|at, path| {
                format!("{} {path}", keys[at].exact)
            });
            let hopeful = text(&|at| keys[at].hopeful.to_string(), &|_, _| "?".to_owned());
            let key = match step.parent {
                // `FROM` another stage is that stage.
                Some(parent) if is_nothing => Key {
                    exact: keys[parent].exact,
                    hopeful: keys[parent].hopeful,
                },
                _ => Key {
                    exact: self.number(format!("exact {exact}")),
                    hopeful: self.number(format!("hopeful {hopeful}")),
                },
            };
            keys.push(key);
        }
        keys
    }
}

fn input_text(
    input: &Input,
    of: &dyn Fn(usize) -> String,
    ground: &dyn Fn(usize, &str) -> String,
) -> String {
    match input {
        Input::Context(content) => content.key.clone(),
        Input::Image(name) => name.clone(),
        Input::Written(written) => {
            let layers = written.layers.iter();
            let layers: Vec<String> = layers
                .map(|layer| format!("{} {:?}", layer.text, layer.step.map(of)))
                .collect();
            let grounds = written.grounds.iter();
            let grounds: Vec<String> = grounds.map(|(at, path)| ground(*at, path)).collect();
            format!("{layers:?} {grounds:?}")
        }
    }
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
            }
        };
        order.iter().map(verdict).collect()
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

/// The steps that are the same ones in both: in stages of the same name or number, those
/// that read the same, and between them those of the same kind, in order.
fn partners(before: &Plan, after: &Plan) -> Vec<Option<usize>> {
    let mut partners = vec![None; after.steps.len()];
    let mut stages: Vec<usize> = after.steps.iter().map(|step| step.stage_number).collect();
    stages.sort_unstable();
    stages.dedup();
    for stage in stages {
        let new = of_stage(after, |step| step.stage_number == stage);
        let name = new.first().map(|at| after.steps[*at].stage.as_str());
        let mut old = of_stage(before, |step| Some(step.stage.as_str()) == name);
        if old.is_empty() {
            old = of_stage(before, |step| step.stage_number == stage);
        }
        pair(before, after, &old, &new, &mut partners);
    }
    partners
}

fn of_stage(plan: &Plan, is_in: impl Fn(&Step) -> bool) -> Vec<usize> {
    let steps = plan.steps.iter().enumerate();
    steps
        .filter(|(_, step)| is_in(step))
        .map(|(at, _)| at)
        .collect()
}

fn pair(before: &Plan, after: &Plan, old: &[usize], new: &[usize], partners: &mut [Option<usize>]) {
    let mut from = 0;
    let mut waiting: Vec<usize> = Vec::new();
    for at in new {
        let text = &after.steps[*at].instruction;
        let same = old[from..]
            .iter()
            .position(|other| before.steps[*other].instruction == *text);
        let Some(ahead) = same else {
            waiting.push(*at);
            continue;
        };
        kin(before, after, &old[from..from + ahead], &waiting, partners);
        waiting.clear();
        partners[*at] = Some(old[from + ahead]);
        from += ahead + 1;
    }
    kin(before, after, &old[from..], &waiting, partners);
}

fn kin(before: &Plan, after: &Plan, old: &[usize], new: &[usize], partners: &mut [Option<usize>]) {
    let mut old = old.iter();
    for at in new {
        let keyword = after.steps[*at].keyword;
        let found = old.find(|other| before.steps[**other].keyword == keyword);
        partners[*at] = found.copied();
    }
}

/// What is different between two steps, apart from what came before.
fn differences(before: &Step, after: &Step) -> Vec<Cause> {
    let mut causes = Vec::new();
    let of = |step: &Step, part: &Part| {
        let mut parts = step.parts.iter();
        let found = parts.find(|other| other.kind == part.kind && other.name == part.name);
        found.map(|found| found.value.clone())
    };
    for part in &after.parts {
        let was = of(before, part);
        if was.as_ref() != Some(&part.value) {
            causes.push(cause(part, was, Some(part.value.clone()), before, after));
        }
    }
    for part in &before.parts {
        if of(after, part).is_none() {
            causes.push(cause(part, Some(part.value.clone()), None, before, after));
        }
    }
    if causes.is_empty() && before.parts != after.parts {
        causes.push(Cause::Order);
    }
    for (was, is) in before.inputs.iter().zip(&after.inputs) {
        causes.extend(input_differences(was, is));
    }
    causes
}

fn cause(
    part: &Part,
    before: Option<String>,
    after: Option<String>,
    old: &Step,
    new: &Step,
) -> Cause {
    let what = match part.kind {
        Kind::Text => {
            return Cause::Text {
                before: old.instruction.clone(),
                after: new.instruction.clone(),
            };
        }
        Kind::Base => {
            return Cause::Base {
                before: before.unwrap_or_default(),
                after: after.unwrap_or_default(),
            };
        }
        Kind::Variable => {
            return Cause::Variable {
                name: part.name.clone(),
                before,
                after,
            };
        }
        Kind::User => "user",
        Kind::Folder => "folder",
        Kind::Host => "host",
        Kind::Network => "network",
        Kind::Flag => "flag",
        Kind::Mount => "mount",
        Kind::Source => "source",
        Kind::Target => "target",
    };
    Cause::Setting {
        what,
        name: part.name.clone(),
        before,
        after,
    }
}

fn input_differences(before: &Input, after: &Input) -> Vec<Cause> {
    match (before, after) {
        (Input::Context(before), Input::Context(after)) => {
            if before.key == after.key {
                return Vec::new();
            }
            files(before, after)
        }
        (Input::Written(before), Input::Written(after)) => {
            let layers = before.layers.iter().zip(&after.layers);
            let known =
                layers.filter_map(|(was, is)| was.content.as_ref().zip(is.content.as_ref()));
            let causes: Vec<Cause> = known
                .filter(|(was, is)| was.key != is.key)
                .flat_map(|(was, is)| files(was, is))
                .collect();
            let is_other = before.layers.len() != after.layers.len();
            if causes.is_empty() && is_other {
                return vec![Cause::Copied];
            }
            causes
        }
        (Input::Image(before), Input::Image(after)) if before == after => Vec::new(),
        _ => vec![Cause::Copied],
    }
}

fn files(before: &Content, after: &Content) -> Vec<Cause> {
    let paths: BTreeSet<&String> = before.entries.keys().chain(after.entries.keys()).collect();
    paths
        .into_iter()
        .filter_map(|path| {
            let change = changed(before.entries.get(path), after.entries.get(path))?;
            let path = path.clone();
            Some(Cause::File { path, change })
        })
        .collect()
}

fn changed(before: Option<&Seen>, after: Option<&Seen>) -> Option<Change> {
    let (before, after) = match (before, after) {
        (None, Some(_)) => return Some(Change::Added),
        (Some(_), None) => return Some(Change::Removed),
        (None, None) => return None,
        (Some(before), Some(after)) => (before, after),
    };
    if before.kind != after.kind {
        Some(Change::Kind)
    } else if before.bytes != after.bytes {
        Some(Change::Content)
    } else if before.link != after.link {
        Some(Change::Target)
    } else if before.mode != after.mode {
        let (before, after) = (before.mode, after.mode);
        Some(Change::Mode { before, after })
    } else {
        (before.attributes != after.attributes).then_some(Change::Attributes)
    }
}
