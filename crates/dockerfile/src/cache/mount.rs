//! `RUN --mount`: what of it is compared.

use crate::expand::unquoted;
use crate::{Instruction, Keyword};

use super::instruction::Lookup;
use super::scope::Scope;
use crate::Engine;

/// A mount of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mount {
    /// Where it is seen.
    pub(super) target: String,
    /// What the engine compares of its options.
    pub(super) key: String,
    /// What is mounted, if its files count.
    pub(super) bind: Option<Bind>,
}

/// Files that are mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bind {
    /// A stage or an image; none is the context.
    pub(super) from: Option<String>,
    /// Which of them, from the root on, without slashes at its ends.
    pub(super) source: String,
}

/// The mounts of a `RUN`, by target.
pub(super) fn mounts(
    instruction: &Instruction,
    engine: Engine,
    scope: &Scope,
    escape: char,
) -> Result<Vec<Mount>, String> {
    let lookup = |name: &str| scope.lookup(name);
    let flags = instruction.flags.iter();
    let flags = flags.filter(|flag| instruction.keyword == Keyword::Run && flag.name == "mount");
    let mut mounts = flags
        .map(|flag| {
            let value = flag.value.as_deref().unwrap_or_default();
            mount(value, engine, scope, escape, &lookup)
        })
        .collect::<Result<Vec<_>, _>>()?;
    mounts.sort_by(|a, b| a.target.cmp(&b.target));
    Ok(mounts)
}

#[derive(Default)]
struct Options {
    kind: String,
    target: String,
    source: String,
    from: Option<String>,
    id: Option<String>,
    sharing: Option<String>,
    read_only: Option<bool>,
    /// uid, gid and mode.
    owner: Vec<String>,
    rest: Vec<String>,
}

fn mount(
    value: &str,
    engine: Engine,
    scope: &Scope,
    escape: char,
    lookup: Lookup<'_>,
) -> Result<Mount, String> {
    let mut options = Options {
        kind: "bind".to_owned(),
        ..Options::default()
    };
    for field in value.split(',') {
        let (name, value) = match field.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (field, None),
        };
        let value = value.map(|value| unquoted(value, escape, lookup));
        let value = value.transpose().map_err(|error| error.to_string())?;
        options.option(&name.to_ascii_lowercase(), value)?;
    }
    Ok(options.judged(engine, scope))
}

impl Options {
    fn option(&mut self, name: &str, value: Option<String>) -> Result<(), String> {
        let is_true = value.as_deref() != Some("false");
        let text = || value.clone().unwrap_or_default();
        match name {
            "type" => self.kind = text().to_ascii_lowercase(),
            "target" | "dst" | "destination" => self.target = text(),
            "source" | "src" => self.source = text(),
            "from" => self.from = value,
            "id" => self.id = value,
            "sharing" => self.sharing = value,
            "ro" | "readonly" => self.read_only = Some(is_true),
            "rw" | "readwrite" => self.read_only = Some(!is_true),
            "uid" | "gid" | "mode" => self.owner.push(format!("{name}={}", text())),
            "required" => self.rest.push(format!("required={is_true}")),
            "size" | "env" => self.rest.push(format!("{name}={}", text())),
            _ => return Err(format!("unexpected key '{name}' in a mount")),
        }
        Ok(())
    }

    fn judged(mut self, engine: Engine, scope: &Scope) -> Mount {
        self.owner.sort();
        self.rest.sort();
        let target = match self.kind.as_str() {
            "secret" if self.target.is_empty() => {
                let name = self.id.as_deref().unwrap_or_default();
                format!("/run/secrets/{name}")
            }
            "ssh" if self.target.is_empty() => String::new(),
            _ => scope.absolute(&self.target),
        };
        let key = match self.kind.as_str() {
            "bind" => format!("bind read-only={}", self.read_only.unwrap_or(true)),
            "cache" if engine == Engine::BuildKit08 => {
                format!("{} {}", self.target, self.cache_key(engine, &self.target))
            }
            "cache" => self.cache_key(engine, &target),
            kind => format!(
                "{kind} id={:?} {} {}",
                self.id.as_deref().unwrap_or_default(),
                self.owner.join(" "),
                self.rest.join(" ")
            ),
        };
        let takes_files = self.kind == "bind" || (self.kind == "cache" && self.from.is_some());
        let bind = takes_files.then(|| Bind {
            from: self.from,
            source: crate::path::cleaned(&self.source),
        });
        Mount { target, key, bind }
    }

    /// What is in the cache never counts.
    fn cache_key(&self, engine: Engine, target: &str) -> String {
        let (id, sharing) = match (&self.id, engine) {
            // Newer ones look away from what is said, but not from what is not.
            (Some(_), Engine::BuildKit) => (String::new(), ""),
            (None, Engine::BuildKit) => (target.to_owned(), ""),
            (id, _) => (
                id.clone().unwrap_or_else(|| target.to_owned()),
                self.sharing.as_deref().unwrap_or("shared"),
            ),
        };
        let read_only = self.read_only.unwrap_or(false);
        let owner = self.owner.join(" ");
        format!("cache id={id:?} sharing={sharing} read-only={read_only} {owner}")
    }
}
