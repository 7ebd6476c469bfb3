//! Which step of the earlier state a step is held against.

use super::step::{Plan, Step};

/// The steps that are the same ones in both: in stages of the same name or number, those
/// that read the same, and between them those of the same kind, in order.
pub(super) fn partners(before: &Plan, after: &Plan) -> Vec<Option<usize>> {
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
