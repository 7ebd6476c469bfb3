//! Every rule against its own examples, and what excuses from it.

use super::*;

fn codes(file: &str, ignore: Option<&str>) -> Vec<&'static str> {
    let file = Dockerfile::parse(file).unwrap();
    let findings = lint(&file, ignore);
    findings.iter().map(|finding| finding.rule.code).collect()
}

#[test]
fn every_rule_flags_its_bad_example_and_not_its_good_one() {
    for rule in RULES {
        let found = |example: &str| match example.strip_prefix("# .dockerignore\n") {
            Some(ignore) => codes("FROM python:3.13-slim\n", Some(ignore)),
            None => codes(example, None),
        };
        assert!(
            found(rule.bad).contains(&rule.code),
            "{}: {}",
            rule.code,
            rule.bad
        );
        assert!(
            !found(rule.good).contains(&rule.code),
            "{}: {}",
            rule.code,
            rule.good
        );
    }
}

#[test]
fn rules_have_codes_of_their_own_in_order() {
    let all = RULES.map(|rule| rule.code);
    assert!(all.is_sorted() && all.windows(2).all(|pair| pair[0] != pair[1]));
    assert_eq!(rule("ph001").unwrap().name, "broad-copy-before-install");
    assert!(rule("PH999").is_none());
}

#[test]
fn a_comment_excuses_the_instruction_below_it_or_the_file() {
    let bad = "FROM python:3.13-slim\nRUN pip install a\n";
    assert_eq!(codes(bad, None), ["PH002"]);
    let above = bad.replace("RUN", "# pilothouse: ignore=PH001,ph002\nRUN");
    assert_eq!(codes(&above, None), [""; 0]);
    let apart = bad.replace("RUN", "# pilothouse: ignore=PH002\n\nRUN");
    assert_eq!(codes(&apart, None), ["PH002"]);
    let top = format!("# pilothouse: ignore=PH002\n\n{bad}");
    assert_eq!(codes(&top, None), [""; 0]);
}

#[test]
fn tools_are_known_in_every_way_they_are_called() {
    for line in [
        "pip install a",
        "pip3.13 install a",
        "python -m pip install -r r.txt",
        "/venv/bin/pip --quiet install a",
        "A=1 uv pip install a",
        "uv sync --frozen",
        "poetry install --no-root",
        "pdm sync",
        "pipenv install",
        "[\"pip\", \"install\", \"a\"]",
        "<<EOF\nset -e\npip install a\nEOF",
    ] {
        assert_eq!(
            codes(&format!("FROM a:1\nRUN {line}\n"), None),
            ["PH002"],
            "{line}"
        );
    }
    for line in ["pip list", "uv run x", "echo pip install", "npm install"] {
        assert_eq!(
            codes(&format!("FROM a:1\nRUN {line}\n"), None),
            [""; 0],
            "{line}"
        );
    }
}

#[test]
fn findings_point_at_what_they_are_about() {
    let text = "FROM python:3.13-slim\nRUN set -e && \\\n    pip install a\n";
    let file = Dockerfile::parse(text).unwrap();
    let finding = &lint(&file, None)[0];
    assert_eq!(finding.span.of(text), "pip install a");
    let position = finding.position(text);
    assert_eq!((position.line, position.column), (3, 5));
}
