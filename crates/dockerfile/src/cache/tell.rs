//! Instructions that run nothing: what they say counts for those that follow.

use crate::{Instruction, Keyword};

use super::Unbuildable;
use super::buildah;
use super::instruction::{self, command, pairs, shown};
use super::plan::{At, Planner};
use super::step::{Kind, Part, Writes};
use crate::Engine;

impl<'a> Planner<'a> {
    pub(super) fn instruction(
        &mut self,
        at: &mut At<'a>,
        one: &'a Instruction,
    ) -> Result<(), Unbuildable> {
        match one.keyword {
            Keyword::Run => return self.run(at, one),
            Keyword::Copy | Keyword::Add => return self.copy(at, one),
            // Images of buildah's own format have no place for it.
            Keyword::Onbuild if self.engine == Engine::Buildah => {}
            Keyword::Onbuild => at.later.extend(one.later.as_deref()),
            _ => {}
        }
        let text = self.tell(at, one);
        let text = text.map_err(|error| self.fails(one, error))?;
        if self.engine.is_buildkit() {
            if one.keyword == Keyword::Workdir && at.scope.folder != "/" {
                let folder = at.scope.absolute("");
                let parts = vec![
                    Part::new(Kind::Folder, "", &folder),
                    Part::new(Kind::User, "", &at.scope.user),
                ];
                let writes = Writes::Folder(folder);
                self.add(at, one, parts, Vec::new(), writes);
            }
            return Ok(());
        }
        let text = match self.engine {
            Engine::Buildah => buildah::text(one, &at.scope, self.build.options),
            _ => text,
        };
        let parts = vec![Part::new(Kind::Text, "", text)];
        let writes = match one.keyword {
            Keyword::Workdir => Writes::Folder(at.scope.folder.clone()),
            _ => Writes::Nothing,
        };
        self.add(at, one, parts, Vec::new(), writes);
        Ok(())
    }

    /// Takes in what an instruction says; its text with variables replaced.
    fn tell(
        &self,
        at: &mut At<'a>,
        one: &Instruction,
    ) -> Result<String, crate::expand::InvalidExpansion> {
        let escape = self.escape();
        let scope = &mut at.scope;
        let before = scope.clone();
        let lookup = |name: &str| before.lookup(name);
        let text = match one.keyword {
            Keyword::Env | Keyword::Label => {
                let pairs = pairs(one, escape, &lookup)?;
                if one.keyword == Keyword::Env {
                    for (name, value) in &pairs {
                        scope.set(name, value.as_deref().unwrap_or_default());
                    }
                }
                format!("{pairs:?}")
            }
            Keyword::Arg => {
                let pairs = pairs(one, escape, &lookup)?;
                for (name, default) in &pairs {
                    let given = self.build.options.build_args.get(name).cloned();
                    let value = given.or_else(|| default.clone());
                    let value = value.or_else(|| self.global_value(name));
                    if let Some(value) = value {
                        scope.argue(name, &value);
                    }
                }
                format!("{pairs:?}")
            }
            Keyword::Workdir | Keyword::User | Keyword::Stopsignal => {
                let text = crate::expand::unquoted(&one.text, escape, &lookup)?;
                match one.keyword {
                    Keyword::Workdir => scope.enter(&text),
                    Keyword::User => scope.user.clone_from(&text),
                    _ => {}
                }
                if one.keyword == Keyword::Workdir && self.engine == Engine::Legacy {
                    scope.folder.clone()
                } else {
                    text
                }
            }
            Keyword::Expose | Keyword::Volume => {
                format!("{:?}", instruction::words(one, escape, &lookup)?)
            }
            Keyword::Shell => {
                scope.shell = one.words();
                format!("{:?}", scope.shell)
            }
            Keyword::Cmd | Keyword::Entrypoint => {
                format!("{:?}", command(one, self.build.dockerfile, scope))
            }
            _ => shown(one, self.build.dockerfile),
        };
        Ok(format!("{} {text}", one.keyword.as_str()))
    }
}
