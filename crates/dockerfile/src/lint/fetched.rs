//! From where packages are fetched: indexes, repositories, scripts of some address.

use super::{File, Findings, Subject};
use crate::install::Tool;
use crate::manifest::{self, Kind};
use crate::{Command, Keyword, Span};

/// The words of an option line, a command, or a variable, with where they stand.
pub(super) struct Source {
    pub(super) file: File,
    pub(super) span: Span,
    pub(super) words: Vec<String>,
    /// Which tool reads them.
    pub(super) tool: Tool,
    /// Whether all that is installed by them is known by its hash.
    pub(super) is_hashed: bool,
}

impl Source {
    /// The values of an option, however it is written.
    pub(super) fn values<'a>(&'a self, options: &'a [&str]) -> impl Iterator<Item = &'a str> {
        let words = self.words.iter().enumerate();
        words.filter_map(|(at, word)| {
            options
                .iter()
                .find_map(|option| match word.strip_prefix(option)? {
                    "" => self.words.get(at + 1).map(String::as_str),
                    rest => rest.strip_prefix('='),
                })
        })
    }

    pub(super) fn tell(&self, findings: &mut Findings, message: String) {
        findings.push(self.file.clone(), self.span, message);
    }
}

/// Variables that are options of pip and uv.
const VARIABLES: [(&str, &str, Tool); 9] = [
    ("PIP_INDEX_URL", "--index-url", Tool::Pip),
    ("PIP_EXTRA_INDEX_URL", "--extra-index-url", Tool::Pip),
    ("PIP_FIND_LINKS", "--find-links", Tool::Pip),
    ("PIP_TRUSTED_HOST", "--trusted-host", Tool::Pip),
    ("UV_INDEX_URL", "--index-url", Tool::Uv),
    ("UV_EXTRA_INDEX_URL", "--extra-index-url", Tool::Uv),
    ("UV_DEFAULT_INDEX", "--default-index", Tool::Uv),
    ("UV_INDEX", "--index", Tool::Uv),
    ("UV_INSECURE_HOST", "--allow-insecure-host", Tool::Uv),
];

/// Everything that says from where something is installed.
pub(super) fn sources(subject: &Subject<'_>) -> Vec<Source> {
    let mut all = variables(subject);
    for install in &subject.installs {
        let hashed = install.manifests.iter().flat_map(|one| &one.requirements);
        let is_hashed = install.direct.is_empty()
            && hashed.clone().next().is_some()
            && hashed.clone().all(|one| one.is_hashed);
        let variables = install.command.variables.iter();
        let variables = variables.filter_map(|word| option_of(&word.text));
        let variables = variables.flat_map(|(option, value, _)| [option.to_owned(), value]);
        let words = install.command.arguments().map(str::to_owned);
        all.push(Source {
            file: File::Dockerfile,
            span: install.span,
            words: words.chain(variables).collect(),
            tool: install.tool,
            is_hashed,
        });
        let files = install.manifests.iter();
        for manifest in files.filter(|one| one.kind == Kind::Requirements) {
            let text = (subject.around.read)(&manifest.path).unwrap_or_default();
            all.extend(
                manifest::lines(&text)
                    .into_iter()
                    .map(|(line, span)| Source {
                        file: File::Context(manifest.path.clone()),
                        span,
                        words: line.split_whitespace().map(str::to_owned).collect(),
                        tool: install.tool,
                        is_hashed,
                    }),
            );
        }
    }
    all
}

fn variables(subject: &Subject<'_>) -> Vec<Source> {
    let instructions = subject.stages.iter().flat_map(|stage| &stage.instructions);
    let set = instructions.filter(|one| matches!(one.keyword, Keyword::Env | Keyword::Arg));
    let found = set.flat_map(|one| {
        let words = one.words();
        // `ENV NAME value`
        let legacy = match words.as_slice() {
            [name, value, ..] if one.keyword == Keyword::Env && !name.contains('=') => {
                vec![format!("{name}={value}")]
            }
            _ => words.clone(),
        };
        let found = legacy.into_iter().filter_map(|word| option_of(&word));
        found.map(|(option, value, tool)| Source {
            file: File::Dockerfile,
            span: one.keyword_span,
            words: vec![option.to_owned(), value],
            tool,
            is_hashed: false,
        })
    });
    found.collect()
}

/// `PIP_INDEX_URL=x` is `--index-url x` of pip.
fn option_of(setting: &str) -> Option<(&'static str, String, Tool)> {
    let (name, value) = setting.split_once('=')?;
    let known = VARIABLES.iter().find(|known| known.0 == name)?;
    (!value.is_empty()).then(|| (known.1, value.to_owned(), known.2))
}

/// Whether a URL is of a host that others can stand before.
pub(super) fn is_open(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else {
        return false;
    };
    let authority = rest.split('/').next().unwrap_or(rest);
    let host = authority.rsplit('@').next().unwrap_or(authority);
    !["localhost", "127.", "[::1]"]
        .iter()
        .any(|here| host.starts_with(here))
}

/// A repository without a commit or tag: the text of it, if there is one in a word.
pub(super) fn moving_repository(word: &str) -> Option<&str> {
    let at = word.find("git+")?;
    let url = word[at..].split(['#', ';', '"', '\'']).next()?;
    let (_, rest) = url.split_once("://")?;
    let (_, path) = rest.split_once('/')?;
    let is_fixed = path.rsplit_once('@').is_some_and(|(_, name)| {
        !matches!(name, "" | "HEAD" | "main" | "master" | "develop" | "trunk")
    });
    (!is_fixed).then_some(url)
}

/// Programs that run what they are given on stdin.
const INTERPRETERS: [&str; 8] = ["sh", "bash", "dash", "ash", "zsh", "python", "perl", "node"];

/// Where a script is fetched and run in one go, and by what.
pub(super) fn piped<'a>(commands: &'a [(Command, Span)], text: &str) -> Vec<(Span, &'a str)> {
    let fetches = |command: &Command| {
        let words: Vec<&str> = command.arguments().collect();
        matches!(command.program(), "curl" | "wget") && !words.iter().any(|word| has_version(word))
    };
    let pairs = commands.windows(2).filter_map(|pair| {
        let [(one, span), (other, next)] = pair else {
            return None;
        };
        let between = text.get(span.end..next.start)?;
        // The line may go on below.
        let between = between.trim_start_matches(|c: char| c == '\\' || c.is_whitespace());
        let is_pipe = between.starts_with('|') && !between.starts_with("||");
        let is_input = between.starts_with('(') && one.words.last()?.text == "<";
        if is_pipe && fetches(one) && interprets(other) {
            return Some((*span, other.program()));
        }
        (is_input && interpreter(one) && fetches(other)).then(|| (*next, one.program()))
    });
    let inner = commands.iter().filter_map(|(command, span)| {
        let mut words = command.arguments();
        let is_fetched = |word: &str| {
            let starts = ["$(curl", "$(wget", "`curl", "`wget"];
            starts.iter().any(|start| word.starts_with(start)) && !has_version(word)
        };
        (interpreter(command) && words.any(is_fetched)).then(|| (*span, command.program()))
    });
    pairs.chain(inner).collect()
}

fn interpreter(command: &Command) -> bool {
    let program = command.program();
    let program = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    INTERPRETERS.contains(&program)
}

/// Whether it runs its stdin: `sh -s -- x`, `python -`, and not `python -m json.tool`.
fn interprets(command: &Command) -> bool {
    let mut words = command.arguments();
    let has_program = |word: &str| matches!(word, "-c" | "-m" | "-e");
    interpreter(command)
        && words
            .next()
            .is_none_or(|word| word.starts_with('-') && !has_program(word))
}

/// Whether an address has a version in it: `/0.13.9/install.sh`.
fn has_version(url: &str) -> bool {
    let parts = url.split(['/', '-', '_', '@', ' ']).skip(3);
    let mut parts = parts.map(|part| part.strip_prefix('v').unwrap_or(part));
    parts.any(|part| {
        part.split_once('.').is_some_and(|(major, rest)| {
            let is_number = !major.is_empty() && major.bytes().all(|byte| byte.is_ascii_digit());
            is_number && rest.starts_with(|c: char| c.is_ascii_digit())
        })
    })
}

#[cfg(test)]
mod tests {
    use crate::lint::Surroundings;
    use crate::lint::tests::{alone, codes};

    /// What decides from where something comes, and lets others decide as well.
    #[test]
    fn what_comes_from_anywhere_is_told_of() {
        let run = |text: &str| {
            let found = alone(&format!("FROM python:3.13-slim\n{text}\n"));
            let rules = ["PH013", "PH019"];
            let found = found.into_iter().filter(|code| rules.contains(code));
            found.collect::<Vec<_>>().join(" ")
        };
        for (text, expected) in [
            (
                "RUN pip install --extra-index-url https://a.example/simple/ a==1",
                "PH013",
            ),
            (
                "RUN pip install --extra-index-url=https://a.example/simple/ a==1",
                "PH013",
            ),
            (
                "RUN sudo pip install --index-url https://a.example/simple/ a==1",
                "",
            ),
            (
                "RUN PIP_EXTRA_INDEX_URL=https://a.example/ pip install a==1",
                "PH013",
            ),
            ("ENV PIP_EXTRA_INDEX_URL https://a.example/simple/", "PH013"),
            ("ARG PIP_EXTRA_INDEX_URL", ""),
            (
                "RUN uv pip install --extra-index-url https://a.example/simple/ a==1",
                "",
            ),
            (
                "RUN uv pip install --index-strategy unsafe-best-match --extra-index-url https://a.example/simple/ a==1",
                "PH013",
            ),
            (
                "RUN pip install -i http://a.example/simple/ --trusted-host a.example a==1",
                "PH019",
            ),
            (
                "RUN pip install -i http://127.0.0.1:3141/root/pypi/+simple/ a==1",
                "",
            ),
            ("RUN pip install --trusted-host a.example a==1", "PH019"),
            ("ENV UV_DEFAULT_INDEX=http://a.example/simple/", "PH019"),
            ("RUN pip install git+https://git.example/a.git", "PH013"),
            (
                "RUN pip install 'a @ git+ssh://git@git.example/a.git@main#egg=a'",
                "PH013",
            ),
            ("RUN pip install git+https://git.example/a.git@1a2b3c4", ""),
            ("RUN pip install git+https://git.example/a.git@v1.2", ""),
            ("RUN curl -LsSf https://a.example/install.sh | sh", "PH013"),
            (
                "RUN wget -qO- https://a.example/get.py \\\n  | sudo python3 - --yes",
                "PH013",
            ),
            (
                "RUN bash -c \"$(curl -fsSL https://a.example/install.sh)\"",
                "PH013",
            ),
            ("RUN bash <(curl -s https://a.example/install.sh)", "PH013"),
            (
                "RUN curl -LsSf https://a.example/uv/0.13.9/install.sh | sh",
                "",
            ),
            ("RUN curl https://a.example/a.tar.gz | tar xz", ""),
            (
                "RUN curl https://a.example/a.json | python -m json.tool",
                "",
            ),
            ("RUN curl https://a.example/a.sh || sh other.sh", ""),
        ] {
            assert_eq!(run(text), expected, "{text}");
        }
    }

    #[test]
    fn requirement_files_say_from_where_as_well() {
        let judged = |list: &str| {
            let around = Surroundings {
                read: &|path| (path == "r.txt").then(|| list.to_owned()),
                ..Surroundings::default()
            };
            let file = "FROM python:3.13-slim\nCOPY r.txt .\nRUN --mount=type=cache,target=/root/.cache/pip pip install -r r.txt\n";
            codes(file, &around).join(" ")
        };
        let hashed =
            "a==1 --hash=sha256:ca1d8112ec8a6158cc29ea4858963350011b5c846a414cdb7a954aa9e967d03c\n";
        for (line, expected) in [
            (
                "--extra-index-url https://a.example/simple/\na==1 # --hash\n",
                "PH013 PH013",
            ),
            (
                "--index-url http://a.example/simple/\na==1\n",
                "PH019 PH013",
            ),
            ("a @ git+https://git.example/a.git\n", "PH013"),
            (hashed, ""),
        ] {
            assert_eq!(judged(line), expected, "{line}");
        }
        let both = format!("--extra-index-url http://a.example/\n{hashed}");
        assert_eq!(judged(&both), "");
    }
}
