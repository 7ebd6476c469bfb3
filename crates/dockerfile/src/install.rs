//! What `RUN`s do with Python packages.

use crate::{Arguments, Command, Instruction, Keyword, Span, Word, commands};

/// A tool that installs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    Pip,
    Uv,
    Poetry,
    Pdm,
    Pipenv,
}

impl Tool {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pip => "pip",
            Self::Uv => "uv",
            Self::Poetry => "poetry",
            Self::Pdm => "pdm",
            Self::Pipenv => "pipenv",
        }
    }

    /// Where it keeps what it has fetched, below the home directory.
    pub(crate) fn cache(self) -> &'static str {
        match self {
            Self::Pip => ".cache/pip",
            Self::Uv => ".cache/uv",
            Self::Poetry => ".cache/pypoetry",
            Self::Pdm => ".cache/pdm",
            Self::Pipenv => ".cache/pipenv",
        }
    }

    /// The variable that puts it elsewhere.
    pub(crate) fn cache_variable(self) -> &'static str {
        match self {
            Self::Pip => "PIP_CACHE_DIR",
            Self::Uv => "UV_CACHE_DIR",
            Self::Poetry => "POETRY_CACHE_DIR",
            Self::Pdm => "PDM_CACHE_DIR",
            Self::Pipenv => "PIPENV_CACHE_DIR",
        }
    }

    /// The files that say what is to be installed.
    pub(crate) fn manifests(self) -> &'static str {
        match self {
            Self::Pip => "requirements.txt",
            Self::Uv => "pyproject.toml uv.lock",
            Self::Poetry => "pyproject.toml poetry.lock",
            Self::Pdm => "pyproject.toml pdm.lock",
            Self::Pipenv => "Pipfile Pipfile.lock",
        }
    }
}

/// A `RUN` with its commands.
#[derive(Debug)]
pub(crate) struct Run {
    /// Targets of its cache mounts, as written.
    pub(crate) cache_mounts: Vec<String>,
    /// Its commands, each with where it stands.
    pub(crate) commands: Vec<(Command, Span)>,
}

impl Run {
    /// Its commands that install.
    pub(crate) fn installs(&self) -> impl Iterator<Item = (Tool, &Command, Span)> {
        self.commands
            .iter()
            .filter_map(|(command, span)| Some((installer(command)?, command, *span)))
    }
}

/// Takes a `RUN` apart; nothing else is one.
pub(crate) fn run(instruction: &Instruction, file: &str) -> Option<Run> {
    if instruction.keyword != Keyword::Run {
        return None;
    }
    let mut all = Vec::new();
    if let Arguments::Json(words) = &instruction.arguments {
        let line = words.join(" ");
        let whole = Span::new(instruction.keyword_span.start, instruction.span.end);
        let words = commands(&line).into_iter().map(unwrapped);
        all.extend(words.map(|command| (command, whole)));
    } else {
        let words = commands(&instruction.text).into_iter().map(unwrapped);
        all.extend(words.map(|command| {
            let (start, end) = command.range();
            (command, instruction.place(start, end))
        }));
        for heredoc in &instruction.heredocs {
            let body = heredoc.body;
            let words = commands(body.of(file)).into_iter().map(unwrapped);
            all.extend(words.map(|command| {
                let (start, end) = command.range();
                (command, Span::new(body.start + start, body.start + end))
            }));
        }
    }
    Some(Run {
        cache_mounts: cache_mounts(instruction),
        commands: all,
    })
}

/// What stands before a command and runs it, or says when it is run.
const WRAPPERS: [&str; 14] = [
    "sudo", "env", "exec", "command", "time", "nice", "nohup", "if", "then", "else", "do", "while",
    "!", "{",
];

/// A command without `sudo -H`, `env A=1`, `then` and the like before it.
fn unwrapped(mut command: Command) -> Command {
    while WRAPPERS.contains(&command.program()) && command.words.len() > 1 {
        let mut words = command.words.split_off(1).into_iter().peekable();
        while let Some(word) = words.peek() {
            let text = word.text.as_str();
            let has_value = matches!(text, "-u" | "-g" | "-n" | "-C" | "-S");
            let is_variable = text.contains('=') && !text.starts_with('-');
            if is_variable {
                command.variables.extend(words.next());
            } else if text.starts_with('-') {
                words.nth(usize::from(has_value));
            } else {
                break;
            }
        }
        let rest: Vec<Word> = words.collect();
        if rest.is_empty() {
            break;
        }
        command.words = rest;
    }
    command
}

fn cache_mounts(instruction: &Instruction) -> Vec<String> {
    let mounts = instruction.flags.iter().filter(|flag| flag.name == "mount");
    let values = mounts.filter_map(|flag| flag.value.as_deref());
    let caches = values.filter(|value| value.split(',').any(|option| option == "type=cache"));
    caches
        .filter_map(|value| {
            let targets = ["target=", "dst=", "destination="];
            let mut options = value.split(',');
            options.find_map(|option| {
                let target = targets.iter().find_map(|name| option.strip_prefix(name))?;
                Some(target.trim_end_matches('/').to_owned())
            })
        })
        .collect()
}

/// A bind mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bind {
    /// The stage, image or context that it is from.
    pub(crate) from: Option<String>,
    /// What is mounted; nothing is the root.
    pub(crate) source: String,
    /// Where, as it is written.
    pub(crate) target: String,
    /// The flag.
    pub(crate) span: Span,
}

impl Bind {
    pub(crate) fn is_whole_context(&self) -> bool {
        matches!(self.source.as_str(), "" | "." | "./" | "/")
    }
}

/// The bind mounts of an instruction: a mount without a type is one.
pub(crate) fn binds(instruction: &Instruction) -> Vec<Bind> {
    let mounts = instruction.flags.iter().filter(|flag| flag.name == "mount");
    let all = mounts.filter_map(|flag| {
        let options: Vec<&str> = flag.value.as_deref()?.split(',').collect();
        let option = |names: &[&str]| {
            let mut pairs = options.iter().filter_map(|option| option.split_once('='));
            let found = pairs.find(|(name, _)| names.contains(name));
            found.map(|(_, value)| value.to_owned())
        };
        let is_bind = option(&["type"]).is_none_or(|kind| kind == "bind");
        is_bind.then(|| Bind {
            from: option(&["from"]),
            source: option(&["source", "src"]).unwrap_or_default(),
            target: option(&["target", "dst", "destination"]).unwrap_or_default(),
            span: flag.span,
        })
    });
    all.collect()
}

/// Options that may stand before the verb, and are followed by a value.
const WITH_VALUE: [&str; 12] = [
    "--python",
    "--log",
    "--proxy",
    "--timeout",
    "--retries",
    "--cache-dir",
    "--cert",
    "--project",
    "--directory",
    "--config-file",
    "-C",
    "-p",
];

/// The arguments that are no options, nor values of those that stand before verbs.
pub(crate) fn positional(command: &Command) -> Vec<&str> {
    let mut words = Vec::new();
    let mut is_value = false;
    for word in command.arguments() {
        if !is_value && !word.starts_with('-') {
            words.push(word);
        }
        is_value = !is_value && WITH_VALUE.contains(&word);
    }
    words
}

/// What pip fetches for; pipx's `inject` is one as well.
fn is_pip(verb: &str) -> bool {
    matches!(verb, "install" | "wheel" | "download" | "inject")
}

/// Which tool installs with this command, if it installs.
pub(crate) fn installer(command: &Command) -> Option<Tool> {
    let words = positional(command);
    let program = command.program();
    let versioned = |name: &str| {
        let rest = program.strip_prefix(name);
        rest.is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == '.'))
    };
    let first = words.first().copied().unwrap_or_default();
    let second = words.get(1).copied().unwrap_or_default();
    if versioned("pip") || program == "pipx" {
        return is_pip(first).then_some(Tool::Pip);
    }
    if versioned("python") && command.arguments().any(|word| word == "-m") {
        let runs_pip = matches!(first, "pip" | "pipx");
        return (runs_pip && is_pip(second)).then_some(Tool::Pip);
    }
    let syncs = |word| matches!(word, "install" | "sync");
    match program {
        "uv" => (first == "sync" || (matches!(first, "pip" | "tool") && syncs(second)))
            .then_some(Tool::Uv),
        "poetry" => syncs(first).then_some(Tool::Poetry),
        "pdm" => syncs(first).then_some(Tool::Pdm),
        "pipenv" => syncs(first).then_some(Tool::Pipenv),
        _ => None,
    }
}
