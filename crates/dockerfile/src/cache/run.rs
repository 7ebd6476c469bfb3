//! `RUN`: what of a command is compared.

use crate::Instruction;

use super::Unbuildable;
use super::buildah;
use super::content::Form;
use super::instruction::command;
use super::mount::{Mount, mounts};
use super::plan::{At, Planner};
use super::scope::Scope;
use super::step::{Input, Kind, Part, Writes};
use crate::Engine;

/// Arguments that need no `ARG`.
const PROXIES: [&str; 4] = ["http_proxy", "https_proxy", "ftp_proxy", "no_proxy"];

/// Whether an argument can be given that is not declared.
pub(super) fn is_proxy(name: &str) -> bool {
    PROXIES.contains(&name.to_ascii_lowercase().as_str())
}

impl<'a> Planner<'a> {
    pub(super) fn run(&mut self, at: &mut At<'a>, one: &'a Instruction) -> Result<(), Unbuildable> {
        let scope = at.scope.clone();
        if self.engine == Engine::Buildah {
            // Mounts are a part of the text, but before 1.39 it looks away from what is mounted.
            let mounts = mounts(one, self.engine, &scope, self.escape()).unwrap_or_default();
            let unseen = mounts
                .iter()
                .filter_map(|mount| self.mounted(at, one, mount).ok()?);
            let unseen = unseen.collect();
            self.add(
                at,
                one,
                buildah::run(one, &scope),
                Vec::new(),
                Writes::Anything,
            );
            self.steps[at.parent].unseen = unseen;
            return Ok(());
        }
        let words = command(one, self.build.dockerfile, &scope);
        let text = format!("{words:?}");
        let mut parts = vec![Part::new(Kind::Text, "", text)];
        if self.engine.is_buildkit() {
            parts.extend(self.run_parts(one, &scope));
        } else {
            let arguments = scope.visible_arguments();
            parts.extend(arguments.map(|(name, value)| Part::new(Kind::Variable, name, value)));
            if self.engine == Engine::Legacy && parts.len() == 1 && self.has_proxies() {
                // It marks commands that see arguments, and proxies are some that nobody declares.
                parts.push(Part::new(Kind::Flag, "proxy", ""));
            }
        }
        let mounts = mounts(one, self.engine, &scope, self.escape());
        let mut inputs = Vec::new();
        for mount in mounts.map_err(|error| self.fails(one, error))? {
            parts.push(Part::new(Kind::Mount, &mount.target, &mount.key));
            inputs.extend(self.mounted(at, one, &mount)?);
        }
        self.add(at, one, parts, inputs, Writes::Anything);
        Ok(())
    }

    fn has_proxies(&self) -> bool {
        let mut given = self.build.options.build_args.keys();
        given.any(|name| is_proxy(name))
    }

    fn run_parts(&self, one: &Instruction, scope: &Scope) -> Vec<Part> {
        let options = self.build.options;
        let variables = scope.environment.iter();
        let mut parts: Vec<Part> = variables
            .map(|(name, value)| Part::new(Kind::Variable, name, value))
            .collect();
        parts.push(Part::new(Kind::User, "", &scope.user));
        parts.push(Part::new(Kind::Folder, "", &scope.folder));
        // Where a host is does not count, only that there is one.
        let hosts = options.hosts.iter();
        parts.extend(hosts.map(|host| {
            let name = host.split([':', '=']).next().unwrap_or(host);
            Part::new(Kind::Host, name, "")
        }));
        let network = one.flag("network").or(options.network.as_deref());
        parts.push(Part::new(Kind::Network, "", network.unwrap_or("default")));
        let security = one.flag("security").unwrap_or("sandbox");
        parts.push(Part::new(Kind::Flag, "security", security));
        parts
    }

    fn mounted(
        &self,
        at: &At<'a>,
        one: &Instruction,
        mount: &Mount,
    ) -> Result<Option<Input>, Unbuildable> {
        let Some(bind) = &mount.bind else {
            return Ok(None);
        };
        let sources = std::slice::from_ref(&bind.source);
        match &bind.from {
            Some(from) => {
                let given = self.taken_from(one, from, sources, &Form::Mounted, Vec::new())?;
                let given = given.unwrap_or_else(|| self.from(at, from, sources, &Form::Mounted));
                Ok(Some(given))
            }
            None => self
                .context(one, vec![bind.source.clone()], Form::Mounted, Vec::new())
                .map(|content| Some(Input::Context(content))),
        }
    }
}
