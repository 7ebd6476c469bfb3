//! Projects of every kind, and that what is drafted for them is without findings.

use super::*;
use crate::Dockerfile;
use crate::lint::{Surroundings, lint};

/// A project, file by file.
type Files = &'static [(&'static str, &'static str)];

const WEB: (&str, &str) = (
    "app/main.py",
    "from fastapi import FastAPI\n\napp = FastAPI()\n",
);
const BUILD: &str = "[build-system]\nrequires = [\"hatchling\"]\n";

fn drafted(files: Files) -> Result<Draft, NoProject> {
    let paths: Vec<String> = files.iter().map(|file| file.0.to_owned()).collect();
    let read = |path: &str| {
        files
            .iter()
            .find(|file| file.0 == path)
            .map(|file| file.1.to_owned())
    };
    draft(&Folder {
        paths: &paths,
        read: &read,
    })
}

/// All of it as one text, after it was found to be without findings.
fn told(files: Files) -> String {
    let draft = drafted(files).unwrap();
    let file = Dockerfile::parse(&draft.files[0].1).unwrap();
    let around = Surroundings {
        ignore: Some(&draft.files[1].1),
        read: &|path| {
            files
                .iter()
                .find(|file| file.0 == path)
                .map(|file| file.1.to_owned())
        },
        ..Surroundings::default()
    };
    let findings = lint(&file, &around).findings;
    // Whether requirements are hashed is the project's matter.
    let findings = findings.iter().filter(|one| one.rule.code != "PH013");
    let messages: Vec<String> = findings
        .map(|one| format!("{} {}", one.rule.code, one.message))
        .collect();
    assert_eq!(messages, [""; 0], "{}", draft.files[0].1);
    let notes = draft.notes.iter().map(|note| format!("note: {note}\n"));
    let names: Vec<&str> = draft.files.iter().map(|file| file.0).collect();
    format!(
        "{}({})\n{}",
        notes.collect::<String>(),
        names.join(", "),
        draft.files[0].1
    )
}

#[test]
fn requirements_are_installed_before_anything_else_is_copied() {
    insta::assert_snapshot!(told(&[
        ("requirements/prod.txt", "-r base.txt\n-c ../constraints.txt\nuvicorn==1\n"),
        ("requirements/base.txt", "fastapi==1\n"),
        ("constraints.txt", "x==1\n"),
        WEB,
    ]), @r#"
    (Dockerfile, .dockerignore, compose.yaml)
    FROM python:3.13-slim AS base
    ENV PYTHONUNBUFFERED=1

    FROM base AS builder
    # Bytecode with the hash of its source in it, and not the time: the same packages are
    # the same bytes, and the copy of them stays cached.
    ENV SOURCE_DATE_EPOCH=315532800
    RUN python -m venv --without-pip /venv
    WORKDIR /src
    COPY constraints.txt ./
    COPY requirements/prod.txt requirements/base.txt ./requirements/
    RUN --mount=type=cache,target=/root/.cache/pip \
        pip --python /venv/bin/python install -r requirements/prod.txt

    FROM base
    RUN useradd --uid 1000 --create-home app
    WORKDIR /app
    COPY --from=builder /venv /venv
    ENV PATH=/venv/bin:$PATH
    COPY . .
    USER 1000
    EXPOSE 8000
    CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0", "--port", "8000"]
    "#);
}

#[test]
fn a_lock_becomes_a_list_without_the_project() {
    insta::assert_snapshot!(told(&[
        (
            "pyproject.toml",
            "[project]\nname = \"app\"\nversion = \"1\"\nrequires-python = \">=3.10,<3.13\"\ndependencies = []\n[project.scripts]\nserve-it = \"app:main\"\nb = \"app:b\"\n[build-system]\nrequires = [\"hatchling\"]\n"
        ),
        ("uv.lock", ""),
        ("src/app/__init__.py", ""),
    ]));
}

#[test]
fn every_other_tool_has_its_own_way_to_write_a_list() {
    let runs = |files: Files| {
        let text = told(files);
        let lines = text.lines().filter(|line| {
            line.starts_with("RUN")
                || line.starts_with("COPY")
                || line.starts_with("CMD")
                || line.starts_with("note")
        });
        lines.map(str::to_owned).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(runs(&[
        ("pyproject.toml", "[tool.poetry]\npackage-mode = false\n"),
        ("poetry.lock", ""),
        ("run.py", "")
    ]));
    insta::assert_snapshot!(runs(&[
        ("pyproject.toml", "[project]\n"),
        ("pdm.lock", ""),
        ("tool/__main__.py", "")
    ]));
    insta::assert_snapshot!(runs(&[
        ("Pipfile", ""),
        (
            "Pipfile.lock",
            r#"{"default": {"flask": {}, "gunicorn": {}}}"#
        ),
        ("wsgi.py", "app = flask.Flask(__name__)\n")
    ]));
    insta::assert_snapshot!(runs(&[
        (
            "pyproject.toml",
            "[project]\ndependencies = [\"django>=5\"]\n"
        ),
        ("manage.py", ""),
        ("site/wsgi.py", ""),
        (".python-version", "3.12.4\n")
    ]));
    insta::assert_snapshot!(runs(&[("pyproject.toml", BUILD), ("setup.cfg", "")]));
    insta::assert_snapshot!(runs(&[("script.py", "print()\n")]));
}

#[test]
fn how_it_starts_is_read_from_dependencies_and_sources() {
    let start = |files: Files| {
        let text = told(files);
        text.lines().last().unwrap_or_default().to_owned()
    };
    for (requirements, path, source, expected) in [
        (
            "fastapi==1\nhypercorn==1\n",
            "main.py",
            "api: FastAPI = FastAPI(title='x')\n",
            r#"CMD ["hypercorn", "main:api", "--bind", "0.0.0.0:8000"]"#,
        ),
        (
            "fastapi==1\n",
            "src/a/main.py",
            "app = FastAPI()\n",
            r#"CMD ["uvicorn", "a.main:app", "--host", "0.0.0.0", "--port", "8000"]"#,
        ),
        (
            "flask==1\ngunicorn==1\n",
            "a/__init__.py",
            "app = Flask(__name__)\n",
            r#"CMD ["gunicorn", "--bind", "0.0.0.0:8000", "a:app"]"#,
        ),
        (
            "flask==1\nwaitress==1\n",
            "app.py",
            "app = Flask(__name__)\n",
            r#"CMD ["waitress-serve", "--listen", "0.0.0.0:8000", "app:app"]"#,
        ),
        (
            "flask==1\n",
            "app.py",
            "app = Flask(__name__)\n",
            r#"CMD ["flask", "--app", "app:app", "run", "--host", "0.0.0.0", "--port", "8000"]"#,
        ),
        (
            "streamlit==1\n",
            "app.py",
            "",
            r#"CMD ["streamlit", "run", "app.py", "--server.address", "0.0.0.0", "--server.port", "8501"]"#,
        ),
        (
            "django==1\ngunicorn==1\n",
            "manage.py",
            "",
            r#"CMD ["gunicorn", "--bind", "0.0.0.0:8000", "s.wsgi:application"]"#,
        ),
        (
            "a==1\n",
            "tests/test_it.py",
            "app = Flask(x)\n",
            r#"CMD ["python"]"#,
        ),
    ] {
        let files = vec![
            ("requirements.txt", requirements),
            (path, source),
            ("s/wsgi.py", ""),
        ];
        let files: Files = Box::leak(files.into_boxed_slice());
        assert_eq!(start(files), expected, "{requirements}");
    }
}

#[test]
fn a_folder_without_python_is_refused() {
    assert_eq!(drafted(&[("package.json", "{}")]), Err(NoProject));
}

#[test]
fn what_lies_in_src_is_found_and_an_old_python_need_not_know_toml() {
    let text = told(&[
        (
            "pyproject.toml",
            "[project]\nrequires-python = \"<3.11\"\ndependencies = [\"fastapi\", \"uvicorn\"]\n",
        ),
        ("src/web/main.py", WEB.1),
    ]);
    assert!(text.contains("FROM python:3.10-slim AS base\n"), "{text}");
    assert!(text.contains("FROM python:3.13-slim AS lock\n"), "{text}");
    assert!(
        text.contains("ENV PYTHONPATH=/app/src\nCOPY . .\n"),
        "{text}"
    );
    assert!(text.contains("\"web.main:app\""), "{text}");
}

#[test]
fn an_index_that_the_dockerfile_does_not_know_is_told() {
    const UV: &str = "[project]\nname = \"a\"\n[[tool.uv.index]]\nname = \"corp\"\nurl = \"https://u:secret@pypi.corp.example/\"\n";
    const BARE: &str =
        "[project]\nname = \"a\"\n[tool.uv]\nindex-url = \"https://u:secret@corp/simple/\"\n";
    const PIPFILE: &str = "[[source]]\nname = \"pypi\"\nurl = \"https://pypi.example/simple\"\n[[source]]\nname = \"corp\"\nurl = \"https://corp.example/simple\"\n";
    let told = |draft: Draft| {
        let notes = draft.notes.concat();
        assert!(notes.contains("does not know the index `corp`,"), "{notes}");
        assert!(!notes.contains("secret@"), "{notes}");
    };
    told(drafted(&[("pyproject.toml", UV)]).unwrap());
    told(drafted(&[("pyproject.toml", BARE)]).unwrap());
    told(drafted(&[("Pipfile", PIPFILE)]).unwrap());
}
