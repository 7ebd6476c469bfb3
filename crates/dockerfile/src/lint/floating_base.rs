//! Bases that change by themselves.

use super::{Check, Findings, Rule, Severity, Subject};
use crate::Base;

pub(super) const RULE: Rule = Rule {
    code: "PH013",
    name: "floating-version",
    severity: Severity::Note,
    what: "The base image has no version, or a tool is upgraded to whatever is newest.",
    why: "`python`, `python:latest` and `python:3` become another Python one day, which repeats every step and may break the build; `pip install -U pip` makes the same image differ from day to day.",
    bad: "FROM python:latest\nRUN --mount=type=cache,target=/root/.cache/pip pip install -U pip\n",
    good: "FROM python:3.13-slim\nRUN --mount=type=cache,target=/root/.cache/pip pip install pip==26.3\n",
    check: Check::Files(check),
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for stage in &subject.stages {
        if let Base::Image(image) = &stage.base
            && is_floating(image)
        {
            let span = stage.from.place(0, stage.from.text.len());
            findings.add(
                span,
                format!(
                    "`{image}` is another image one day: name a version, like `python:3.13-slim`"
                ),
            );
        }
        for run in subject.runs(stage) {
            for (_, command, span) in run.installs() {
                let words: Vec<&str> = command.arguments().collect();
                let upgrades = words.iter().any(|word| matches!(*word, "-U" | "--upgrade"));
                let tool = words.iter().find(|word| {
                    matches!(**word, "pip" | "setuptools" | "wheel" | "uv" | "poetry")
                });
                // `python -m pip install` names it as well.
                let is_module = words.first() == Some(&"-m")
                    && words.iter().filter(|word| **word == "pip").count() == 1;
                if let Some(tool) = tool.filter(|tool| upgrades && !(is_module && **tool == "pip"))
                {
                    findings.add(span, format!("`{tool}` is whatever is newest on the day of the build: name a version, like `{tool}==…`"));
                }
            }
        }
    }
}

fn is_floating(image: &str) -> bool {
    if image.contains('@') || image.contains('$') {
        return false;
    }
    let last = image.rsplit('/').next().unwrap_or(image);
    match last.split_once(':') {
        None => true,
        Some((name, tag)) => {
            tag == "latest"
                || (name == "python"
                    && matches!(tag, "3" | "slim" | "alpine" | "3-slim" | "3-alpine"))
        }
    }
}
