//! A build laid out as steps, each with everything that its engine compares.

use std::collections::BTreeMap;

use crate::stages::{Stage, stages};
use crate::{Instruction, Position};

use super::content::{Content, Form, Selection};
use super::instruction::shown;
use super::mount::mounts;
use super::scope::Scope;
use super::step::{Input, Part, Plan, Step, Writes};
use super::written::written;
use super::{Build, Unbuildable};
use crate::Engine;

/// Lays a build out.
pub(super) fn plan(engine: Engine, build: &Build<'_>) -> Result<Plan, Unbuildable> {
    let stages = stages(build.dockerfile);
    let mut planner = Planner {
        engine,
        build,
        done: stages.iter().map(|_| None).collect(),
        global: BTreeMap::new(),
        told: 0,
        steps: Vec::new(),
        stages,
    };
    planner.read_global()?;
    let target = planner.target()?;
    // The others build whatever stands before.
    let first = if engine.is_buildkit() { target } else { 0 };
    for number in first..=target {
        planner.stage(number)?;
    }
    Ok(Plan {
        steps: planner.steps,
    })
}

/// A stage that is laid out.
pub(super) struct Done<'a> {
    end: usize,
    pub(super) scope: Scope,
    pub(super) later: Vec<&'a Instruction>,
}

pub(super) struct Planner<'a> {
    pub(super) engine: Engine,
    pub(super) build: &'a Build<'a>,
    pub(super) stages: Vec<Stage<'a>>,
    pub(super) done: Vec<Option<Done<'a>>>,
    /// Arguments before the first `FROM`.
    pub(super) global: BTreeMap<String, String>,
    /// How many instructions there are before it.
    pub(super) told: usize,
    pub(super) steps: Vec<Step>,
}

/// Where in its stage an instruction is met.
pub(super) struct At<'a> {
    pub(super) stage: usize,
    pub(super) parent: usize,
    pub(super) number: usize,
    pub(super) scope: Scope,
    pub(super) later: Vec<&'a Instruction>,
}

impl<'a> Planner<'a> {
    pub(super) fn fails(
        &self,
        instruction: &Instruction,
        what: impl std::fmt::Display,
    ) -> Unbuildable {
        Unbuildable::at(self.build.dockerfile, instruction.span, &what)
    }

    pub(super) fn escape(&self) -> char {
        self.build.dockerfile.escape
    }

    /// Lays a stage out with all it needs, and gives its last step.
    pub(super) fn stage(&mut self, number: usize) -> Result<usize, Unbuildable> {
        if let Some(done) = &self.done[number] {
            return Ok(done.end);
        }
        let instructions = self.stages[number].instructions.clone();
        for instruction in &instructions {
            for from in self.origins(instruction) {
                if let Some(other) = self.named(&from, number)
                    && self.given(&from).is_none()
                {
                    self.stage(other)?;
                }
            }
        }
        let mut at = self.begin(number)?;
        let later = std::mem::take(&mut at.later);
        for instruction in later.into_iter().chain(instructions) {
            self.instruction(&mut at, instruction)?;
        }
        let end = at.parent;
        self.done[number] = Some(Done {
            end,
            scope: at.scope,
            later: at.later,
        });
        Ok(end)
    }

    /// Where an instruction takes files from beside the context.
    fn origins(&self, instruction: &Instruction) -> Vec<String> {
        let scope = Scope::of_image(self.engine);
        let mounts = mounts(instruction, self.engine, &scope, self.escape());
        let mounts = mounts.unwrap_or_default().into_iter();
        let of_mounts = mounts.filter_map(|mount| mount.bind?.from);
        let of_copy = instruction.flag("from").map(str::to_owned);
        of_mounts.chain(of_copy).collect()
    }

    /// How many steps there are before the next: the legacy builder counts all of the build.
    pub(super) fn count(&self, within: usize) -> usize {
        if self.engine == Engine::Legacy {
            self.steps.len() + self.told
        } else {
            within
        }
    }

    /// Files of a stage, or of an image.
    pub(super) fn from(&self, at: &At<'a>, from: &str, paths: &[String], form: &Form) -> Input {
        let stage = self.named(from, at.stage);
        let done = stage.and_then(|number| self.done[number].as_ref());
        if let Some(done) = done {
            let mut written = written(&self.steps, self.build.context, done.end, paths, form);
            if self.engine == Engine::Legacy {
                // Its digests are of archives, which name what is in them.
                written.known(format!("{paths:?}"));
            }
            return Input::Written(written);
        }
        let images = &self.build.options.images;
        let image = images.get(from).map_or(from, String::as_str);
        Input::Image(format!("{image} {paths:?}"))
    }

    pub(super) fn context(
        &self,
        one: &Instruction,
        sources: Vec<String>,
        form: Form,
        exclude: Vec<String>,
    ) -> Result<Content, Unbuildable> {
        let selection = Selection {
            sources,
            form,
            exclude,
        };
        let content = self.build.context.content(&selection);
        content.map_err(|error| self.fails(one, error))
    }

    pub(super) fn add(
        &mut self,
        at: &mut At<'a>,
        one: &Instruction,
        parts: Vec<Part>,
        inputs: Vec<Input>,
        writes: Writes,
    ) {
        at.number = self.count(at.number) + 1;
        let step = Step {
            parts,
            inputs,
            writes,
            parent: Some(at.parent),
            ..self.step(at.stage, at.number, one)
        };
        at.parent = self.push(step);
    }

    pub(super) fn push(&mut self, step: Step) -> usize {
        self.steps.push(step);
        self.steps.len() - 1
    }

    pub(super) fn step(&self, stage: usize, number: usize, one: &Instruction) -> Step {
        let text = self.build.dockerfile.text();
        let name = self.stages[stage].name.clone();
        Step {
            stage: name.unwrap_or_else(|| format!("stage-{stage}")),
            stage_number: stage,
            number,
            line: Position::of(text, one.keyword_span.start).line,
            instruction: shown(one, self.build.dockerfile),
            keyword: one.keyword,
            parts: Vec::new(),
            inputs: Vec::new(),
            unseen: Vec::new(),
            parent: None,
            writes: Writes::Nothing,
        }
    }
}
