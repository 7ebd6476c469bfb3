//! The stages of a Dockerfile, and what each builds on.

use crate::{Dockerfile, Instruction, Keyword};

/// From one `FROM` to the next.
#[derive(Debug, Clone)]
pub struct Stage<'a> {
    /// Its `FROM`.
    pub from: &'a Instruction,
    /// `AS name`.
    pub name: Option<String>,
    /// What it builds on.
    pub base: Base,
    /// What is done in it, after `FROM`.
    pub instructions: Vec<&'a Instruction>,
}

/// What a stage builds on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// Nothing.
    Scratch,
    /// An image, as it is written.
    Image(String),
    /// An earlier stage, by its number.
    Stage(usize),
}

/// The stages, in order. What stands before the first `FROM` belongs to none.
pub fn stages(dockerfile: &Dockerfile) -> Vec<Stage<'_>> {
    let mut stages: Vec<Stage<'_>> = Vec::new();
    for instruction in dockerfile.instructions() {
        if instruction.keyword == Keyword::From {
            let stage = stage(instruction, &stages);
            stages.push(stage);
        } else if let Some(stage) = stages.last_mut() {
            stage.instructions.push(instruction);
        }
    }
    stages
}

fn stage<'a>(from: &'a Instruction, before: &[Stage<'_>]) -> Stage<'a> {
    let words = from.words();
    let image = words.first().cloned().unwrap_or_default();
    let is_named = words
        .get(1)
        .is_some_and(|word| word.eq_ignore_ascii_case("as"));
    let name = words.get(2).filter(|_| is_named);
    let named = |stage: &Stage<'_>| {
        let name = stage.name.as_deref();
        name.is_some_and(|name| name.eq_ignore_ascii_case(&image))
    };
    let base = match before.iter().rposition(named) {
        Some(number) => Base::Stage(number),
        None if image == "scratch" => Base::Scratch,
        None => Base::Image(image),
    };
    Stage {
        from,
        name: name.cloned(),
        base,
        instructions: Vec::new(),
    }
}
