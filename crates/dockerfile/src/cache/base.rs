//! `FROM`: what a stage begins with.

use crate::stages::Base;

use super::Unbuildable;
use super::content::{Form, Named};
use super::plan::{At, Planner};
use super::scope::Scope;
use super::step::{Input, Kind, Part, Step, Writes};

/// What a stage is built on.
enum Ground {
    Stage(usize),
    /// What is no stage, by its name or address.
    Image(String),
}

impl<'a> Planner<'a> {
    pub(super) fn begin(&mut self, number: usize) -> Result<At<'a>, Unbuildable> {
        let image = match self.ground(number)? {
            Ground::Stage(other) => return self.begin_on(number, other),
            Ground::Image(image) => image,
        };
        let from = self.stages[number].from;
        let is_scratch = image == "scratch";
        let is_step = !is_scratch || !self.engine.is_buildkit();
        let count = self.count(0) + usize::from(is_step);
        let lookup = |name: &str| self.global_value(name);
        let platform = match from.flag("platform") {
            Some(flag) => crate::expand::unquoted(flag, self.escape(), &lookup)
                .map_err(|error| self.fails(from, error))?,
            None => self.platform().to_owned(),
        };
        let step = Step {
            parts: vec![
                Part::new(Kind::Base, "", self.stands_for(&image)),
                Part::new(Kind::Flag, "platform", platform),
            ],
            inputs: self.all_of(number, &image)?,
            writes: if is_scratch {
                Writes::Scratch
            } else {
                Writes::Anything
            },
            ..self.step(number, count, from)
        };
        Ok(At {
            stage: number,
            parent: self.push(step),
            number: count,
            scope: Scope::of_image(self.engine),
            later: Vec::new(),
        })
    }

    fn ground(&self, number: usize) -> Result<Ground, Unbuildable> {
        let stage = &self.stages[number];
        let image = match &stage.base {
            Base::Stage(other) => match &self.stages[*other].name {
                Some(name) if self.given(name).is_some() => name.clone(),
                _ => return Ok(Ground::Stage(*other)),
            },
            Base::Scratch => "scratch".to_owned(),
            Base::Image(image) => {
                let lookup = |name: &str| self.global_value(name);
                let image = crate::expand::unquoted(image, self.escape(), &lookup);
                image.map_err(|error| self.fails(stage.from, error))?
            }
        };
        if image.is_empty() {
            return Err(self.fails(stage.from, "base name should not be blank"));
        }
        let named = self.named(&image, number).filter(|_| !is_number(&image));
        Ok(match named {
            Some(other) if self.given(&image).is_none() => Ground::Stage(other),
            _ => Ground::Image(image),
        })
    }

    /// What changes with an image: any text that is known to, else its name.
    fn stands_for(&self, image: &str) -> String {
        let image = match self.given(image) {
            Some(Named::Image(image)) => image,
            _ => image,
        };
        let known = self.build.options.images.get(image).cloned();
        known.unwrap_or_else(|| tagged(image))
    }

    /// All files of a folder that is built on by its name.
    fn all_of(&self, number: usize, name: &str) -> Result<Vec<Input>, Unbuildable> {
        if !matches!(self.given(name), Some(Named::Files(_))) {
            return Ok(Vec::new());
        }
        let from = self.stages[number].from;
        let all = self.taken_from(from, name, &[String::new()], &Form::Mounted, Vec::new())?;
        Ok(all.into_iter().collect())
    }

    fn begin_on(&mut self, number: usize, other: usize) -> Result<At<'a>, Unbuildable> {
        let end = self.stage(other)?;
        let done = self.done[other].as_ref().expect("it was just laid out");
        let (scope, later) = (done.scope.inherited(), done.later.clone());
        let mut at = At {
            stage: number,
            parent: end,
            number: self.count(0),
            scope,
            later,
        };
        if !self.engine.is_buildkit() {
            // It is counted and shown, but it does nothing.
            at.number += 1;
            let from = self.stages[number].from;
            let step = Step {
                parent: Some(end),
                ..self.step(number, at.number, from)
            };
            at.parent = self.push(step);
        }
        Ok(at)
    }
}

/// A name without tag is that of the latest.
fn tagged(image: &str) -> String {
    let name = image.rsplit('/').next().unwrap_or(image);
    if name.contains([':', '@']) || image == "scratch" {
        image.to_owned()
    } else {
        format!("{image}:latest")
    }
}

fn is_number(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_digit())
}
