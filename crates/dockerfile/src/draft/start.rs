//! How a project is started: what it serves, or which program it is.

use super::Folder;
use super::project::Project;

/// The command of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) command: Vec<String>,
    /// On which port it serves.
    pub(super) port: Option<u16>,
    /// What a person should look at.
    pub(super) note: Option<String>,
    /// Whether modules lie in `src`, where Python does not look by itself.
    pub(super) is_in_src: bool,
}

const PORT: u16 = 8000;

/// Classes whose instance is an application, and whether it speaks ASGI.
const FRAMEWORKS: [(&str, bool); 6] = [
    ("FastAPI", true),
    ("Starlette", true),
    ("Litestar", true),
    ("Quart", true),
    ("Flask", false),
    ("Bottle", false),
];

pub(super) fn find(folder: &Folder<'_>, project: &Project) -> Start {
    let serves = django(folder, project)
        .or_else(|| application(folder, project))
        .or_else(|| streamlit(folder, project));
    let is_source = |path: &String| path.starts_with("src/") && path.strip_suffix(".py").is_some();
    Start {
        is_in_src: folder.paths.iter().any(is_source),
        ..serves.unwrap_or_else(|| program(folder, project))
    }
}

fn django(folder: &Folder<'_>, project: &Project) -> Option<Start> {
    if !folder.paths.iter().any(|path| path == "manage.py") {
        return None;
    }
    let wsgi = folder.paths.iter().find(|path| path.ends_with("/wsgi.py"));
    Some(match wsgi {
        Some(path) if depends(project, "gunicorn") => {
            let bind = format!("0.0.0.0:{PORT}");
            serving(&[
                "gunicorn",
                "--bind",
                &bind,
                &format!("{}:application", module(path)),
            ])
        }
        _ => Start {
            note: Some(
                "`runserver` is for development: add gunicorn to the dependencies and start that"
                    .to_owned(),
            ),
            ..serving(&[
                "python",
                "manage.py",
                "runserver",
                &format!("0.0.0.0:{PORT}"),
            ])
        },
    })
}

/// `app = FastAPI(…)` in one of the files.
fn application(folder: &Folder<'_>, project: &Project) -> Option<Start> {
    let found = sources(folder).find_map(|path| {
        let text = (folder.read)(path)?;
        let (name, class) = text.lines().find_map(assigned)?;
        let (_, is_async) = FRAMEWORKS.iter().find(|(known, _)| *known == class)?;
        Some((format!("{}:{name}", module(path)), *is_async))
    });
    let (place, is_async) = found?;
    let port = PORT.to_string();
    let bind = format!("0.0.0.0:{PORT}");
    if is_async && (depends(project, "uvicorn") || depends(project, "fastapi-cli")) {
        return Some(serving(&[
            "uvicorn", &place, "--host", "0.0.0.0", "--port", &port,
        ]));
    }
    if is_async && depends(project, "hypercorn") {
        return Some(serving(&["hypercorn", &place, "--bind", &bind]));
    }
    if depends(project, "gunicorn") && !is_async {
        return Some(serving(&["gunicorn", "--bind", &bind, &place]));
    }
    if depends(project, "waitress") && !is_async {
        return Some(serving(&["waitress-serve", "--listen", &bind, &place]));
    }
    if depends(project, "flask") && !is_async {
        return Some(Start {
            note: Some(
                "`flask run` is for development: add gunicorn to the dependencies and start that"
                    .to_owned(),
            ),
            ..serving(&[
                "flask", "--app", &place, "run", "--host", "0.0.0.0", "--port", &port,
            ])
        });
    }
    let server = if is_async { "uvicorn" } else { "gunicorn" };
    Some(Start {
        note: Some(format!(
            "no server is among the dependencies: add {server}, which the Dockerfile starts"
        )),
        ..if is_async {
            serving(&[server, &place, "--host", "0.0.0.0", "--port", &port])
        } else {
            serving(&[server, "--bind", &bind, &place])
        }
    })
}

fn streamlit(folder: &Folder<'_>, project: &Project) -> Option<Start> {
    if !depends(project, "streamlit") {
        return None;
    }
    let path = sources(folder).next()?;
    let mut start = serving(&[
        "streamlit",
        "run",
        path,
        "--server.address",
        "0.0.0.0",
        "--server.port",
        "8501",
    ]);
    start.port = Some(8501);
    Some(start)
}

/// What is run once: the project's program, a module, a script.
fn program(folder: &Folder<'_>, project: &Project) -> Start {
    let has_main = folder
        .paths
        .iter()
        .find(|path| path.ends_with("/__main__.py") && path.matches('/').count() <= 2);
    let script = sources(folder).find(|path| !path.contains('/'));
    let command: Vec<String> = match (&project.program, has_main, script) {
        (Some(program), ..) if project.is_installed => vec![program.clone()],
        (_, Some(path), _) => {
            let package = module(path).trim_end_matches(".__main__").to_owned();
            vec!["python".to_owned(), "-m".to_owned(), package]
        }
        (_, None, Some(path)) => vec!["python".to_owned(), path.to_owned()],
        _ => {
            return Start {
                command: vec!["python".to_owned()],
                note: Some(
                    "it does not show how this project is started: write its CMD".to_owned(),
                ),
                ..Start::default()
            };
        }
    };
    Start {
        command,
        ..Start::default()
    }
}

/// Files that may start something, the likeliest first.
fn sources<'a>(folder: &Folder<'a>) -> impl Iterator<Item = &'a str> {
    let paths = folder.paths.iter().map(String::as_str);
    let mut paths: Vec<&str> = paths
        .filter(|path| path.strip_suffix(".py").is_some() && path.matches('/').count() <= 2)
        .filter(|path| {
            !path.split('/').any(|part| {
                part.starts_with("test")
                    || part == "docs"
                    || part == "setup.py"
                    || part == "conftest.py"
            })
        })
        .collect();
    let likely = [
        "main.py",
        "app.py",
        "wsgi.py",
        "asgi.py",
        "server.py",
        "run.py",
        "__init__.py",
    ];
    let rank = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        likely
            .iter()
            .position(|known| *known == name)
            .unwrap_or(likely.len())
    };
    paths.sort_by_key(|path| (rank(path), path.matches('/').count(), *path));
    paths.into_iter()
}

/// `name = Class(…`, at the beginning of a line.
fn assigned(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once('=')?;
    let name = name.split(':').next().unwrap_or(name).trim_end();
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    let class = value.trim_start().split_once('(')?.0;
    let class = class.rsplit('.').next().unwrap_or(class);
    is_name.then_some((name, class))
}

/// How a file is imported.
fn module(path: &str) -> String {
    let path = path.strip_suffix(".py").unwrap_or(path);
    let path = path.strip_suffix("/__init__").unwrap_or(path);
    path.strip_prefix("src/").unwrap_or(path).replace('/', ".")
}

fn depends(project: &Project, name: &str) -> bool {
    project.dependencies.iter().any(|other| other == name)
}

fn serving(words: &[&str]) -> Start {
    Start {
        command: words.iter().map(|word| (*word).to_owned()).collect(),
        port: Some(PORT),
        ..Start::default()
    }
}
