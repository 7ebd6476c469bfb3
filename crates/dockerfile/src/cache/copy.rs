//! `COPY` and `ADD`: what is compared, and where it goes.

use crate::expand::unquoted;
use crate::{Instruction, Keyword};

use super::Unbuildable;
use super::buildah;
use super::content::{Content, Form};
use super::instruction::words;
use super::plan::{At, Planner};
use super::step::{Input, Kind, Part, Writes};
use crate::Engine;
use crate::path::cleaned;

/// What a `COPY` leaves behind.
#[derive(Debug)]
pub(super) struct Placed {
    /// Where, from the root on; with a slash at its end if that was written.
    pub(super) target: String,
    /// The one thing that is copied from the context, if it is one and no pattern.
    pub(super) source: Option<(String, Content)>,
    /// Owner and mode, if they are said.
    pub(super) attributes: String,
    /// How the files were taken, as far as that is seen on them afterwards.
    pub(super) taken: Form,
    /// Whether archives are unpacked.
    pub(super) unpacks: bool,
}

impl<'a> Planner<'a> {
    pub(super) fn copy(
        &mut self,
        at: &mut At<'a>,
        one: &'a Instruction,
    ) -> Result<(), Unbuildable> {
        let scope = at.scope.clone();
        let lookup = |name: &str| scope.lookup(name);
        let words = words(one, self.escape(), &lookup);
        let mut words = words.map_err(|error| self.fails(one, error))?;
        let documents: Vec<String> = one.heredocs.iter().map(|doc| doc.name.clone()).collect();
        let Some(target) = words.pop().filter(|_| !words.is_empty()) else {
            let what = format!("{} requires at least two arguments", one.keyword.as_str());
            return Err(self.fails(one, what));
        };
        let flag = |name: &str| {
            let value = one.flag(name).unwrap_or_default();
            unquoted(value, self.escape(), &lookup).map_err(|error| self.fails(one, error))
        };
        let (owner, mode) = (flag("chown")?, flag("chmod")?);
        let is_document = |word: &String| word.starts_with("<<") && !documents.is_empty();
        let (inline, sources): (Vec<String>, Vec<String>) =
            words.into_iter().partition(is_document);
        let remote = |word: &String| one.keyword == Keyword::Add && is_remote(word);
        let (remote, sources): (Vec<String>, Vec<String>) = sources.into_iter().partition(remote);
        let absolute = absolute(&scope.absolute(&target), &target);
        let mut parts = self.copy_parts(one, &sources, &absolute, &target);
        let form = self.form(at, &owner, &mode, &absolute);
        let taken = match &form {
            Form::Archived(_) => form.clone(),
            _ => Form::Mounted,
        };
        if self.engine != Engine::Buildah {
            parts.push(Part::new(Kind::Flag, "chown", &owner));
            parts.push(Part::new(Kind::Flag, "chmod", &mode));
        }
        parts.extend(remote.iter().map(|url| Part::new(Kind::Source, url, "")));
        for (name, heredoc) in inline.iter().zip(&one.heredocs) {
            let body = heredoc.body.of(self.build.dockerfile.text());
            parts.push(Part::new(Kind::Source, name, body));
        }
        let sources: Vec<String> = sources.iter().map(|source| cleaned(source)).collect();
        let mut source = None;
        let mut inputs = Vec::new();
        if let Some(from) = one.flag("from") {
            let given = self.taken_from(one, from, &sources, &form, excluded(one))?;
            inputs.push(given.unwrap_or_else(|| self.from(at, from, &sources, &taken)));
        } else if !sources.is_empty() {
            let content = self.context(one, sources.clone(), form, excluded(one))?;
            if let [only] = sources.as_slice()
                && !is_pattern(only)
            {
                source = Some((only.clone(), content.clone()));
            }
            inputs.push(Input::Context(content));
        }
        let writes = Writes::Copy(Placed {
            target: absolute,
            source,
            // BuildKit 0.8 looks away from owners.
            attributes: match self.engine {
                Engine::BuildKit08 => mode,
                Engine::Buildah => String::new(),
                _ => format!("{owner} {mode}"),
            },
            taken,
            unpacks: one.keyword == Keyword::Add,
        });
        self.add(at, one, parts, inputs, writes);
        Ok(())
    }

    fn copy_parts(
        &self,
        one: &Instruction,
        sources: &[String],
        absolute: &str,
        target: &str,
    ) -> Vec<Part> {
        let mut parts = vec![Part::new(Kind::Text, "", one.keyword.as_str())];
        if !self.engine.is_buildkit() {
            // Of the sources only what is in them counts.
            let target = match self.engine {
                Engine::Buildah => buildah::target(one),
                _ => target,
            };
            parts.push(Part::new(Kind::Target, "", target));
            return parts;
        }
        for source in sources {
            let path = cleaned(source);
            let name = path.rsplit('/').next().unwrap_or_default();
            parts.push(Part::new(Kind::Source, name, ""));
        }
        parts.push(Part::new(Kind::Target, "", absolute));
        for name in ["link", "parents", "exclude", "checksum", "keep-git-dir"] {
            let flags = one.flags.iter().filter(|flag| flag.name == name);
            let values = flags.map(|flag| flag.value.as_deref().unwrap_or("true"));
            parts.extend(values.map(|value| Part::new(Kind::Flag, name, value)));
        }
        parts
    }

    fn form(&self, at: &At<'_>, owner: &str, mode: &str, target: &str) -> Form {
        match self.engine {
            Engine::BuildKit => Form::Listed,
            Engine::BuildKit08 => Form::Joined,
            Engine::Legacy => Form::Named,
            Engine::Buildah => {
                let keeps_name = buildah::is_folder(&self.steps, at.parent, target);
                Form::Archived(buildah::archive(owner, mode, keeps_name))
            }
        }
    }
}

fn excluded(one: &Instruction) -> Vec<String> {
    let flags = one.flags.iter().filter(|flag| flag.name == "exclude");
    flags.filter_map(|flag| flag.value.clone()).collect()
}

/// A slash at the end says that it is a folder, and so does a dot.
fn absolute(path: &str, written: &str) -> String {
    let is_folder = written.ends_with('/') || written == ".";
    if is_folder && path != "/" {
        format!("{path}/")
    } else {
        path.to_owned()
    }
}

fn is_remote(source: &str) -> bool {
    let schemes = ["http://", "https://", "git@", "git://"];
    schemes.iter().any(|scheme| source.starts_with(scheme))
}

/// Whether a name stands for more than itself.
pub(super) fn is_pattern(source: &str) -> bool {
    source.contains(['*', '?', '['])
}
