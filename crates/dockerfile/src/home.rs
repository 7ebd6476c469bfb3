//! In whose home a tool keeps its cache, and how that is mounted.

use crate::install::{self, Tool};
use crate::scope::Scope;
use crate::{Base, Command, Dockerfile, Keyword, Stage};

/// Where a tool keeps what it has fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cache {
    /// The folder; absolute.
    pub(crate) folder: String,
    /// Who writes there.
    owner: Owner,
    /// Whether nothing of this is a guess.
    pub(crate) is_sure: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Owner {
    Root,
    /// By number.
    User(String),
    /// Somebody whose number only the image knows.
    Somebody,
}

impl Cache {
    /// The flag that mounts it.
    pub(crate) fn flag(&self) -> String {
        let owner = match &self.owner {
            Owner::Root => String::new(),
            Owner::User(number) => format!(",uid={number}"),
            // A mount belongs to root, and nobody else writes into it.
            Owner::Somebody => ",mode=0777".to_owned(),
        };
        format!("--mount=type=cache,target={}{owner}", self.folder)
    }
}

/// Of a command that the instruction at `at` of a stage runs; none where nothing tells.
pub(crate) fn cache(
    (file, stages): (&Dockerfile, &[Stage<'_>]),
    (stage, at): (usize, usize),
    tool: Tool,
    command: &Command,
) -> Option<Cache> {
    let scope = Scope::at(file, stages, stage, at);
    let moves = ["HOME", "XDG_CACHE_HOME", tool.cache_variable()];
    let own = |name: &&str| {
        let mut variables = command.variables.iter();
        variables.any(|word| word.text.split('=').next() == Some(name))
    };
    if moves.iter().any(own) {
        return None;
    }
    let is_root = matches!(scope.user.as_str(), "root" | "0");
    let person = person(file, stages, (stage, at), &scope.user);
    let owner = if is_root {
        Owner::Root
    } else if scope.user.bytes().all(|byte| byte.is_ascii_digit()) {
        Owner::User(scope.user.clone())
    } else {
        let number = person.as_ref().and_then(|person| person.number.clone());
        number.map_or(Owner::Somebody, Owner::User)
    };
    let home = match scope.variable("HOME") {
        Some(home) => Some(home.to_owned()),
        None if is_root => Some("/root".to_owned()),
        None => home(&scope.user, person),
    };
    let folder = match (scope.variable(moves[2]), scope.variable(moves[1])) {
        (Some(folder), _) => folder.to_owned(),
        (None, Some(caches)) => {
            let name = tool.cache().trim_start_matches(".cache/");
            format!("{}/{name}", caches.trim_end_matches('/'))
        }
        (None, None) => format!("{}/{}", home?.trim_end_matches('/'), tool.cache()),
    };
    let is_moved = moves.iter().any(|name| scope.variable(name).is_some());
    (folder.starts_with('/') && !folder.contains(['$', ',', ' '])).then_some(Cache {
        folder,
        owner,
        is_sure: is_root && !is_moved && is_roots(stages, stage),
    })
}

/// Images that are known to run as root.
const OF_ROOT: [&str; 11] = [
    "python",
    "debian",
    "ubuntu",
    "alpine",
    "fedora",
    "almalinux",
    "rockylinux",
    "amazonlinux",
    "buildpack-deps",
    "uv",
    "scratch",
];

/// Whether root is known to be the user, and not only taken for it: images may say otherwise.
fn is_roots(stages: &[Stage<'_>], stage: usize) -> bool {
    let this = &stages[stage];
    let says_so = this.instructions.iter();
    let says_so = says_so.filter(|one| one.keyword == Keyword::User);
    if says_so.count() > 0 {
        return true;
    }
    match &this.base {
        Base::Stage(below) if *below < stage => is_roots(stages, *below),
        Base::Stage(_) => false,
        Base::Scratch => true,
        Base::Image(image) => {
            let name = image.rsplit('/').next().unwrap_or(image);
            let name = name.split([':', '@']).next().unwrap_or(name);
            OF_ROOT.contains(&name)
        }
    }
}

/// Somebody whom a command made.
struct Person {
    number: Option<String>,
    home: Option<String>,
    name: String,
}

/// The home of a user who is not root.
fn home(user: &str, person: Option<Person>) -> Option<String> {
    if let Some(person) = person {
        return Some(person.home.unwrap_or(format!("/home/{}", person.name)));
    }
    match user {
        // They have none, or none of their own.
        "nobody" | "daemon" | "www-data" => None,
        // Whose number only the image knows has a home that only the image knows.
        _ if user.contains('$') || user.bytes().all(|byte| byte.is_ascii_digit()) => None,
        _ => Some(format!("/home/{user}")),
    }
}

/// The user of this name or number, as `useradd` or `adduser` made it.
fn person(
    file: &Dockerfile,
    stages: &[Stage<'_>],
    (stage, at): (usize, usize),
    user: &str,
) -> Option<Person> {
    let instructions = &stages[stage].instructions[..at];
    let runs = instructions.iter().rev();
    let runs = runs.filter_map(|one| install::run(one, file.text()));
    let found = runs
        .flat_map(|run| run.commands)
        .filter_map(|(command, _)| made(&command))
        .find(|person| person.name == user || person.number.as_deref() == Some(user));
    found.or_else(|| match stages[stage].base {
        Base::Stage(below) if below < stage => {
            let end = stages[below].instructions.len();
            person(file, stages, (below, end), user)
        }
        _ => None,
    })
}

fn made(command: &Command) -> Option<Person> {
    let home = match command.program() {
        "useradd" => ["-d", "--home-dir", "--home"],
        // busybox's, and Debian's.
        "adduser" => ["-h", "--home", "--home-dir"],
        _ => return None,
    };
    let words: Vec<&str> = command.arguments().collect();
    let option = |names: &[&str]| command.option(names).map(str::to_owned);
    let name = words.last().filter(|word| !word.starts_with('-'))?;
    Some(Person {
        number: option(&["-u", "--uid"]),
        home: option(&home),
        name: (*name).to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stages;

    fn flag(before: &str) -> String {
        let text = format!("FROM python:3.13-slim\n{before}\nRUN pip install a\n");
        let file = Dockerfile::parse(&text).unwrap();
        let stages = stages(&file);
        let at = stages[0].instructions.len() - 1;
        let run = install::run(stages[0].instructions[at], &text).unwrap();
        let (tool, command, _) = run.installs().next().unwrap();
        let found = cache((&file, &stages), (0, at), tool, command);
        let flag = found.map(|cache| cache.flag()).unwrap_or_default();
        flag.replace("--mount=type=cache,target=", "")
    }

    #[test]
    fn everybody_has_a_cache_at_home() {
        for (before, expected) in [
            ("WORKDIR /app", "/root/.cache/pip"),
            ("USER root:root", "/root/.cache/pip"),
            ("USER app", "/home/app/.cache/pip,mode=0777"),
            (
                "RUN useradd -m -u 1001 app\nUSER app",
                "/home/app/.cache/pip,uid=1001",
            ),
            (
                "RUN useradd --uid=1001 app\nUSER 1001:1001",
                "/home/app/.cache/pip,uid=1001",
            ),
            (
                "RUN adduser -D -h /srv -u 7 app\nUSER app",
                "/srv/.cache/pip,uid=7",
            ),
            ("USER 1000", ""),
            ("USER nobody", ""),
            ("USER $USER", ""),
            ("ENV HOME=/x\nUSER 1000", "/x/.cache/pip,uid=1000"),
            ("ENV PIP_CACHE_DIR=/c", "/c"),
            ("ENV XDG_CACHE_HOME=/x/\nUSER app", "/x/pip,mode=0777"),
        ] {
            assert_eq!(flag(before), expected, "{before}");
        }
    }
}
