//! What is read from every kind of file.

use super::*;

fn told(manifest: &Manifest, text: &str) -> Vec<String> {
    let requirements = manifest.requirements.iter();
    requirements
        .map(|one| {
            let version = one.version.as_ref().map(|version| format!(" {version}"));
            let hashed = if one.is_hashed { " hashed" } else { "" };
            let elsewhere = if one.is_from_index { "" } else { " elsewhere" };
            let files = one.files.join(" ");
            let place = one.span.of(text);
            format!(
                "{}{}{hashed}{elsewhere} [{files}] at {place}",
                one.name,
                version.unwrap_or_default()
            )
        })
        .collect()
}

fn read_one(path: &str, text: &str) -> Vec<String> {
    told(&parse(path, text), text)
}

#[test]
fn a_requirements_file_is_read_as_pip_reads_it() {
    let text = "# all\n-i https://pypi.example/simple/\nFlask[async] >=3 # why\nnumpy==2.1 \\\n  --hash=sha256:00 \\\n  --hash=sha256:01\n\
        app @ git+https://git.example/app#egg=app\npywin32==1; sys_platform == 'win32'\n./here\n-e .\nx (>1)\nb== 2\n==\n\n";
    assert_eq!(
        read_one("requirements.txt", text),
        [
            "flask [] at Flask[async] >=3",
            "numpy 2.1 hashed [] at numpy==2.1",
            "app elsewhere [] at app @ git+https://git.example/app#egg=app",
            "x [] at x (>1)",
            "b 2 [] at b== 2",
        ]
    );
}

#[test]
fn files_that_are_named_are_read_once_and_constraints_pin() {
    let files = |path: &str| {
        let text = match path {
            "requirements/base.txt" => "-r prod.txt\n--requirement ../other.txt\na\nb>1\n",
            "requirements/prod.txt" => "-rbase.txt\n-c=constraints.txt\nc==1\n",
            "requirements/constraints.txt" => "a==7 --hash=sha256:00\nz==1\n",
            _ => return None,
        };
        Some(text.to_owned())
    };
    let text = files("requirements/base.txt").unwrap();
    let all = read("requirements/base.txt", &text, &files);
    let paths: Vec<&str> = all.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(paths, ["requirements/base.txt", "requirements/prod.txt"]);
    assert_eq!(told(&all[0], &text), ["a 7 hashed [] at a", "b [] at b>1"]);
}

#[test]
fn locks_tell_versions_and_files() {
    let uv = "version = 1\n[[package]]\nname = \"app\"\nversion = \"0.1\"\nsource = { editable = \".\" }\n\
        [[package]]\nname = \"numpy\"\nversion = \"2.1.0\"\nsource = { registry = \"https://pypi.example/simple\" }\n\
        sdist = { url = \"https://files.example/a/numpy-2.1.0.tar.gz\", hash = \"sha256:00\" }\n\
        wheels = [{ url = \"https://files.example/b/numpy-2.1.0-cp313-cp313-win_amd64.whl\", hash = \"sha256:00\" }]\n";
    assert_eq!(
        read_one("uv.lock", uv),
        [
            "app 0.1 elsewhere [] at \"app\"",
            "numpy 2.1.0 hashed [numpy-2.1.0-cp313-cp313-win_amd64.whl numpy-2.1.0.tar.gz] at \"numpy\"",
        ]
    );
    let poetry = "[[package]]\nname = \"a\"\nversion = \"1\"\nfiles = [{file = \"a-1.tar.gz\", hash = \"sha256:00\"}]\n\
        [[package]]\nname = \"w\"\nversion = \"1\"\nmarkers = \"sys_platform == 'win32'\"\nfiles = []\n\
        [[package]]\nname = \"g\"\nversion = \"1\"\nfiles = []\n[package.source]\ntype = \"git\"\nurl = \"https://git.example\"\n";
    assert_eq!(
        read_one("poetry.lock", poetry),
        [
            "a 1 hashed [a-1.tar.gz] at \"a\"",
            "g 1 elsewhere [] at \"g\""
        ]
    );
    let pylock = "lock-version = \"1.0\"\n[[packages]]\nname = \"a\"\nversion = \"1\"\n[[packages.wheels]]\nname = \"a-1-py3-none-any.whl\"\n";
    assert_eq!(
        read_one("pylock.toml", pylock),
        ["a 1 hashed [a-1-py3-none-any.whl] at \"a\""]
    );
    let pipfile = r#"{"default": {"a": {"hashes": ["sha256:00"], "version": "==1.0"}, "b": {"git": "https://git.example"}}}"#;
    assert_eq!(
        read_one("Pipfile.lock", pipfile),
        ["a 1.0 hashed [] at \"a\"", "b elsewhere [] at \"b\""]
    );
}

#[test]
fn a_project_tells_its_dependencies_and_whether_its_version_is_written_down() {
    let text = "[project]\nname = \"app\"\nversion = \"1.2\"\ndependencies = [\"flask>=3\", \"x; sys_platform == 'win32'\"]\n";
    assert_eq!(
        read_one("pyproject.toml", text),
        ["flask [] at \"flask>=3\""]
    );
    assert_eq!(Project::read(text).version.unwrap().of(text), "\"1.2\"");
    assert_eq!(
        Project::read("[project]\ndynamic = [\"version\"]\n").version,
        None
    );
    let poetry = "[tool.poetry]\nversion = \"1\"\n";
    assert_eq!(Project::read(poetry).version.unwrap().of(poetry), "\"1\"");
}

proptest::proptest! {
    #[test]
    fn no_file_makes_it_stumble(text in "[-a-z=<>;#@\\[\\]{}\"',. \\\\\nä0-9]{0,80}") {
        for name in ["requirements.txt", "pyproject.toml", "uv.lock", "Pipfile.lock"] {
            for requirement in parse(name, &text).requirements {
                let _ = requirement.span.of(&text);
            }
        }
    }
}
