//! What a stage holds at some path, as far as that is known before anything runs.
//!
//! From the last step back: what was copied there is known; at the first command that
//! may have written there the knowledge ends, and what lies below hangs on it.

use super::content::{Content, Context, Form, Selection};
use super::copy::Placed;
use super::step::{Input, Step, Writes};

/// What a stage holds at some paths.
#[derive(Debug)]
pub(super) struct Written {
    /// The last step of the stage.
    pub(super) end: usize,
    /// How it is taken.
    form: Form,
    /// By path, what lies there, the last first.
    pub(super) layers: Vec<Layer>,
    /// On what they lie: steps that may have written anything, and where they are asked for it.
    pub(super) grounds: Vec<(usize, String)>,
}

/// What one step has put there.
#[derive(Debug)]
pub(super) struct Layer {
    /// What is known of it.
    pub(super) text: String,
    /// The step, if more than its text counts.
    pub(super) step: Option<usize>,
    /// The files, if they come from the context.
    pub(super) content: Option<Content>,
}

/// What the stage that ends with a step holds at these paths.
pub(super) fn written(
    steps: &[Step],
    context: &dyn Context,
    end: usize,
    paths: &[String],
    form: &Form,
) -> Written {
    let mut written = Written {
        end,
        form: form.clone(),
        layers: Vec::new(),
        grounds: Vec::new(),
    };
    for path in paths {
        written.look(steps, context, end, path);
    }
    written
}

impl Written {
    fn look(&mut self, steps: &[Step], context: &dyn Context, end: usize, path: &str) {
        let mut next = Some(end);
        while let Some(at) = next {
            let step = &steps[at];
            match &step.writes {
                Writes::Nothing => {}
                Writes::Scratch => return,
                Writes::Anything => {
                    self.grounds.push((at, format!("{path} {:?}", self.form)));
                    return;
                }
                Writes::Folder(folder) => {
                    if let Some(rest) = below(path, folder) {
                        self.known(format!("folder {rest}"));
                    }
                }
                Writes::Copy(placed) => {
                    if self.copied(at, step, placed, context, path) == Found::All {
                        return;
                    }
                }
            }
            next = step.parent;
        }
    }

    /// Something that is compared, whatever lies there.
    pub(super) fn known(&mut self, text: String) {
        self.layers.push(Layer {
            text,
            step: None,
            content: None,
        });
    }

    fn copied(
        &mut self,
        at: usize,
        step: &Step,
        placed: &Placed,
        context: &dyn Context,
        path: &str,
    ) -> Found {
        let target = placed.target.trim_matches('/');
        let is_related = below(path, target).is_some() || below(target, path).is_some();
        if !is_related && !path.contains(['*', '?', '[']) {
            return Found::Some;
        }
        if let Some(found) = self.exactly(placed, context, path) {
            return found;
        }
        let of_context = step.inputs.iter().find_map(|input| match input {
            Input::Context(content) => Some(content.clone()),
            Input::Written(_) | Input::Image(_) => None,
        });
        self.layers.push(Layer {
            text: format!("{:?} {:?}", below(path, target), self.form),
            step: Some(at),
            content: of_context,
        });
        Found::Some
    }

    /// Where one file or folder of the context lands, it is known to the byte.
    fn exactly(&mut self, placed: &Placed, context: &dyn Context, path: &str) -> Option<Found> {
        let (source, content) = placed.source.as_ref().filter(|_| !placed.unpacks)?;
        // A link stands for what it leads to; all that is in a folder comes after it.
        let (real, is_folder) = match content.entries.first_key_value() {
            Some((path, seen)) if !source.is_empty() => (path, seen.kind == "directory"),
            _ => (source, true),
        };
        let target = placed.target.trim_matches('/');
        let lands = if !is_folder && placed.target.ends_with('/') {
            let name = source.rsplit('/').next().unwrap_or_default();
            format!("{target}/{name}").trim_matches('/').to_owned()
        } else {
            target.to_owned()
        };
        let rest = match below(&lands, path) {
            Some(rest) => rest,
            // The path is outside of what is copied, or a folder around it.
            None if below(path, &lands).is_some() => return None,
            None => return Some(Found::Some),
        };
        if !is_folder && !rest.is_empty() {
            return Some(Found::Some);
        }
        let inner = format!("{real}/{rest}").trim_matches('/').to_owned();
        // What the folder does not have it does not bring.
        let Some(content) = self.taken(placed, context, &inner, is_folder && rest.is_empty())
        else {
            return Some(Found::Some);
        };
        let of_inner = content.entries.get(&inner);
        let is_file = of_inner.is_some_and(|seen| seen.kind != "directory");
        let name = match &self.form {
            Form::Archived(archive) if archive.keeps_name => path.rsplit('/').next(),
            _ => None,
        };
        self.layers.push(Layer {
            text: format!("{} {} {name:?}", content.key, placed.attributes),
            step: None,
            content: Some(content),
        });
        Some(if is_file { Found::All } else { Found::Some })
    }

    /// What a path of the context comes to that was copied and is copied again; of a folder
    /// that was copied whole what is in it, but not its own mode.
    fn taken(
        &self,
        placed: &Placed,
        context: &dyn Context,
        path: &str,
        is_whole: bool,
    ) -> Option<Content> {
        let form = self.form.over(&placed.taken);
        let take = |sources| {
            let selection = Selection {
                sources,
                form: form.clone(),
                exclude: Vec::new(),
            };
            context.content(&selection).ok()
        };
        let mut content = take(vec![path.to_owned()])?;
        if is_whole {
            let inside = content.entries.keys();
            let inside = inside.filter(|other| {
                let rest = below(path, other).unwrap_or_default();
                !rest.is_empty() && !rest.contains('/')
            });
            let inside: Vec<String> = inside.cloned().collect();
            let names = inside.iter().map(|other| below(path, other));
            let names = format!("{:?}", names.collect::<Vec<_>>());
            content.key = take(inside)?.key + &names;
        }
        Some(content)
    }
}

#[derive(PartialEq, Eq)]
enum Found {
    /// Nothing below it can be seen.
    All,
    /// It lies on what else is there.
    Some,
}

/// What is left of a path below a folder, if it is in it; both from the root on.
fn below<'p>(folder: &str, path: &'p str) -> Option<&'p str> {
    let (folder, path) = (folder.trim_matches('/'), path.trim_matches('/'));
    if folder.is_empty() {
        return Some(path);
    }
    let rest = path.strip_prefix(folder)?;
    if rest.is_empty() {
        Some(rest)
    } else {
        rest.strip_prefix('/')
    }
}
