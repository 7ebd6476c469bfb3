//! The scenarios that are written down, a group at a time.

use testkit::{Builder, Engine};

use crate::scenario::{Outcome, read};

fn holds(text: &str, builder: Builder) {
    let Some(engine) = Engine::start() else {
        return;
    };
    let scenarios = read(text);
    let mut total = Outcome::default();
    for scenario in &scenarios {
        let outcome = scenario.run(&engine, builder);
        total.agreed += outcome.agreed;
        total.open += outcome.open;
        total.wrong.extend(outcome.wrong);
    }
    let (
        count,
        Outcome {
            agreed,
            open,
            wrong,
        },
    ) = (scenarios.len(), total);
    eprintln!("{count} scenarios, {agreed} steps agree, {open} are open");
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

const FILES: &str = include_str!("scenarios/files.txt");
const COMMANDS: &str = include_str!("scenarios/commands.txt");
const STAGES: &str = include_str!("scenarios/stages.txt");
const MOUNTS: &str = include_str!("scenarios/mounts.txt");

#[test]
fn files_in_buildkit() {
    holds(FILES, Builder::BuildKit);
}

#[test]
fn files_in_the_legacy_builder() {
    holds(FILES, Builder::Legacy);
}

#[test]
fn commands_in_buildkit() {
    holds(COMMANDS, Builder::BuildKit);
}

#[test]
fn commands_in_the_legacy_builder() {
    holds(COMMANDS, Builder::Legacy);
}

#[test]
fn stages_in_buildkit() {
    holds(STAGES, Builder::BuildKit);
}

#[test]
fn stages_in_the_legacy_builder() {
    holds(STAGES, Builder::Legacy);
}

#[test]
fn mounts_in_buildkit() {
    holds(MOUNTS, Builder::BuildKit);
}
