//! What names stand for: arguments before the first stage, platforms, stages.

use crate::stages::Stage;
use crate::{Engine, Keyword};

use super::Unbuildable;
use super::instruction::pairs;
use super::plan::Planner;

impl Planner<'_> {
    pub(super) fn read_global(&mut self) -> Result<(), Unbuildable> {
        let instructions = self.build.dockerfile.instructions();
        for instruction in instructions.take_while(|one| one.keyword != Keyword::From) {
            if instruction.keyword != Keyword::Arg {
                return Err(self.fails(instruction, "no build stage in current context"));
            }
            self.told += 1;
            let lookup = |name: &str| self.global_value(name);
            let pairs = pairs(instruction, self.escape(), &lookup);
            for (name, default) in pairs.map_err(|error| self.fails(instruction, error))? {
                let given = self.build.options.build_args.get(&name).cloned();
                if let Some(value) = given.or(default) {
                    self.global.insert(name, value);
                }
            }
        }
        Ok(())
    }

    pub(super) fn global_value(&self, name: &str) -> Option<String> {
        let value = self.global.get(name).cloned();
        value.or_else(|| self.platform_value(name))
    }

    /// What all but the legacy builder know of the platform.
    fn platform_value(&self, name: &str) -> Option<String> {
        let (side, what) = name
            .split_once("PLATFORM")
            .map(|(side, _)| (side, "PLATFORM"))
            .or_else(|| {
                let what = ["OS", "ARCH", "VARIANT"];
                let what = what.into_iter().find(|what| name.ends_with(what))?;
                Some((name.strip_suffix(what)?, what))
            })?;
        if self.engine == Engine::Legacy || !matches!(side, "TARGET" | "BUILD") {
            return None;
        }
        // What builds is the engine's own machine, whatever it builds for.
        let platform = match side {
            "BUILD" => own_platform(),
            _ => self.platform(),
        };
        let mut parts = platform.split('/');
        Some(match what {
            "OS" => parts.next().unwrap_or_default().to_owned(),
            "ARCH" => parts.nth(1).unwrap_or_default().to_owned(),
            "VARIANT" => parts.nth(2).unwrap_or_default().to_owned(),
            _ => platform.to_owned(),
        })
    }

    pub(super) fn platform(&self) -> &str {
        let platform = self.build.options.platform.as_deref();
        platform.unwrap_or(own_platform())
    }

    pub(super) fn target(&self) -> Result<usize, Unbuildable> {
        let unbuildable = |what: String| Unbuildable { what, line: 1 };
        let last = self.stages.len().checked_sub(1);
        let last = last.ok_or_else(|| unbuildable("file with no instructions".to_owned()))?;
        let Some(target) = &self.build.options.target else {
            return Ok(last);
        };
        let found = self.named(target, self.stages.len());
        found.ok_or_else(|| unbuildable(format!("target stage `{target}` could not be found")))
    }

    /// A stage before this one by its name or number.
    pub(super) fn named(&self, name: &str, before: usize) -> Option<usize> {
        let is_named = |stage: &Stage<'_>| {
            let own = stage.name.as_deref();
            own.is_some_and(|own| own.eq_ignore_ascii_case(name))
        };
        let by_name = self.stages[..before].iter().rposition(is_named);
        by_name.or_else(|| name.parse().ok().filter(|number| *number < before))
    }
}

/// That of an engine on this machine.
fn own_platform() -> &'static str {
    match std::env::consts::ARCH {
        "aarch64" => "linux/arm64",
        "arm" => "linux/arm/v7",
        "s390x" => "linux/s390x",
        "powerpc64" => "linux/ppc64le",
        "riscv64" => "linux/riscv64",
        _ => "linux/amd64",
    }
}
