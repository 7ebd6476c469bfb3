//! `pilothouse docker init` beside hadolint, which knows other mistakes than our own rules.

use std::fs;
use std::process::Command;

use testkit::{Scratch, hadolint};

/// A project of each kind, file by file.
const PROJECTS: [&[(&str, &str)]; 7] = [
    &[
        ("requirements.txt", "fastapi==1\nuvicorn==1\n"),
        ("main.py", "app = FastAPI()\n"),
    ],
    &[
        (
            "pyproject.toml",
            "[project]\nname = \"a\"\nversion = \"1\"\ndependencies = []\n[project.scripts]\na = \"a:main\"\n[build-system]\nrequires = [\"hatchling\"]\n",
        ),
        ("uv.lock", ""),
        ("src/a/__init__.py", ""),
    ],
    &[
        ("pyproject.toml", "[tool.poetry]\npackage-mode = false\n"),
        ("poetry.lock", ""),
        ("run.py", ""),
    ],
    &[
        ("pyproject.toml", "[project]\n"),
        ("pdm.lock", ""),
        ("tool/__main__.py", ""),
    ],
    &[
        ("Pipfile", ""),
        (
            "Pipfile.lock",
            "{\"default\": {\"flask\": {}, \"gunicorn\": {}}}",
        ),
        ("wsgi.py", "app = Flask(__name__)\n"),
    ],
    &[
        (
            "pyproject.toml",
            "[project]\ndependencies = [\"django>=5\"]\n",
        ),
        ("manage.py", ""),
        ("site/wsgi.py", ""),
    ],
    &[("script.py", "print()\n")],
];

#[test]
fn hadolint_has_nothing_to_say_either() {
    for files in PROJECTS {
        let scratch = Scratch::new();
        for (name, text) in files {
            fs::create_dir_all(scratch.path().join(name).parent().unwrap()).unwrap();
            fs::write(scratch.path().join(name), text).unwrap();
        }
        let ended = Command::new(env!("CARGO_BIN_EXE_pilothouse"))
            .args(["docker", "init"])
            .arg(scratch.path())
            .output()
            .unwrap();
        assert!(ended.status.success(), "{ended:?}");
        let linted = hadolint(&scratch.path().join("Dockerfile"));
        let said = String::from_utf8_lossy(&linted.stdout);
        assert!(linted.status.success(), "{files:?}:\n{said}");
    }
}
