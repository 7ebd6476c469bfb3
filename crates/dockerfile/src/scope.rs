//! What holds at an instruction: variables, user and folder, as earlier instructions have set them.

use crate::path::joined;
use crate::{Base, Dockerfile, Instruction, Keyword, Stage, expand};

/// The state of a stage before one of its instructions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    /// Of ENV and ARG, the last value of each.
    variables: Vec<Variable>,
    /// Who runs what follows.
    pub(crate) user: String,
    /// Where it runs; absolute.
    pub(crate) folder: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Variable {
    name: String,
    value: String,
    /// Whether stages built on this one have it, too.
    is_inherited: bool,
}

impl Scope {
    /// What holds before the instruction at `at` of a stage.
    pub(crate) fn at(file: &Dockerfile, stages: &[Stage<'_>], stage: usize, at: usize) -> Self {
        let this = &stages[stage];
        let mut scope = match this.base {
            Base::Stage(below) if below < stage => {
                let mut scope = Self::at(file, stages, below, stages[below].instructions.len());
                scope.variables.retain(|variable| variable.is_inherited);
                scope
            }
            _ => Self::new(),
        };
        let outer = Self::outside(file);
        for instruction in &this.instructions[..at] {
            scope.pass(instruction, &outer);
        }
        scope
    }

    /// What is declared before the first `FROM`, which `FROM`s can use.
    pub(crate) fn outside(file: &Dockerfile) -> Self {
        let mut scope = Self::new();
        let nothing = Self::new();
        let before = file.instructions();
        for instruction in before.take_while(|one| one.keyword != Keyword::From) {
            scope.pass(instruction, &nothing);
        }
        scope
    }

    fn new() -> Self {
        Self {
            variables: Vec::new(),
            user: "root".to_owned(),
            folder: "/".to_owned(),
        }
    }

    /// The value of a variable.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        let found = self.variables.iter().find(|variable| variable.name == name);
        found.map(|variable| variable.value.as_str())
    }

    /// A text with its variables replaced; as it is where that cannot be done.
    pub(crate) fn expanded(&self, text: &str) -> String {
        let lookup = |name: &str| self.variable(name).map(str::to_owned);
        expand(text, '\\', &lookup).unwrap_or_else(|_| text.to_owned())
    }

    /// A path within the image, absolute and without `.`, `..` and slashes at its end.
    pub(crate) fn path(&self, path: &str) -> String {
        let path = self.expanded(path);
        let folder = if path.starts_with('/') {
            ""
        } else {
            &self.folder
        };
        format!("/{}", joined(folder, &path))
    }

    fn pass(&mut self, instruction: &Instruction, outer: &Self) {
        let words = instruction.words();
        match (instruction.keyword, words.as_slice()) {
            (Keyword::User, [user, ..]) => {
                let user = self.expanded(user);
                user.split(':')
                    .next()
                    .unwrap_or(&user)
                    .clone_into(&mut self.user);
            }
            (Keyword::Workdir, [..]) => self.folder = self.path(&instruction.text),
            (Keyword::Env, [name, _, ..]) if !name.contains('=') => {
                let value = instruction.text.split_once(char::is_whitespace);
                let value = value.map_or("", |(_, value)| value.trim());
                self.set(name, &self.expanded(value), true);
            }
            (Keyword::Env, words) => {
                let pairs = words.iter().filter_map(|word| word.split_once('='));
                for (name, value) in pairs {
                    self.set(name, &self.expanded(value), true);
                }
            }
            (Keyword::Arg, words) => {
                for word in words {
                    match word.split_once('=') {
                        Some((name, value)) => self.set(name, &self.expanded(value), false),
                        None => {
                            if let Some(value) = outer.variable(word) {
                                self.set(word, value, false);
                            }
                        }
                    }
                }
            }
            _ => {}
        }
    }

    fn set(&mut self, name: &str, value: &str, is_inherited: bool) {
        self.variables.retain(|variable| variable.name != name);
        self.variables.push(Variable {
            name: name.to_owned(),
            value: value.to_owned(),
            is_inherited,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stages;

    fn at_the_end(text: &str) -> Scope {
        let file = Dockerfile::parse(text).unwrap();
        let stages = stages(&file);
        let last = stages.len() - 1;
        Scope::at(&file, &stages, last, stages[last].instructions.len())
    }

    #[test]
    fn a_stage_has_what_the_one_below_it_has_set() {
        let scope = at_the_end(
            "ARG P=3.13\nFROM python:$P AS a\nARG P\nARG Q=1\nENV A=$P B=\"b c\"\nENV C d e\nWORKDIR /app\nUSER app:app\n\
             FROM a\nWORKDIR src/../lib/\nENV A=2\n",
        );
        assert_eq!(scope.variable("A"), Some("2"));
        assert_eq!(scope.variable("B"), Some("b c"));
        assert_eq!(scope.variable("C"), Some("d e"));
        assert_eq!((scope.variable("P"), scope.variable("Q")), (None, None));
        assert_eq!(
            (scope.user.as_str(), scope.folder.as_str()),
            ("app", "/app/lib")
        );
        assert_eq!(scope.path("../x/$A"), "/app/x/2");
    }

    #[test]
    fn an_argument_has_the_value_from_before_the_first_stage() {
        let scope = at_the_end("ARG P=3.13\nFROM python:$P\nARG P\nARG N\n");
        assert_eq!(
            (scope.variable("P"), scope.variable("N")),
            (Some("3.13"), None)
        );
    }
}
