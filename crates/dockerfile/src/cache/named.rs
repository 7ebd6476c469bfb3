//! `--build-context`: what has a name in place of a stage or an image.

use crate::Instruction;

use super::Unbuildable;
use super::content::{Form, Named, Selection};
use super::plan::Planner;
use super::step::Input;

impl<'a> Planner<'a> {
    /// What was given under a name, which may be that of a stage.
    pub(super) fn given(&self, name: &str) -> Option<Named<'a>> {
        let stage = |number: usize| self.stages.get(number)?.name.as_deref();
        let own = self.build.context.named(name);
        own.or_else(|| self.build.context.named(stage(name.parse().ok()?)?))
    }

    /// Files of what was given under a name, if anything was.
    pub(super) fn taken_from(
        &self,
        one: &Instruction,
        name: &str,
        sources: &[String],
        form: &Form,
        exclude: Vec<String>,
    ) -> Result<Option<Input>, Unbuildable> {
        let files = match self.given(name) {
            None => return Ok(None),
            Some(Named::Image(image)) => {
                return Ok(Some(Input::Image(format!("{image} {sources:?}"))));
            }
            Some(Named::Files(files)) => files,
        };
        let mut form = form.clone();
        if let Form::Archived(archive) = &mut form {
            archive.keeps = true;
        }
        let selection = Selection {
            sources: sources.to_vec(),
            form,
            exclude,
        };
        let content = files.content(&selection);
        let content = content.map_err(|error| self.fails(one, format!("{error} (of `{name}`)")))?;
        Ok(Some(Input::Context(content)))
    }
}
