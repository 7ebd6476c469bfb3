//! The scenarios that are written down, a group at a time.

use dockerfile::Engine;

use crate::lab::Lab;
use crate::scenario::{Outcome, read};

/// One of how many scenarios is run, if nothing else is said.
fn every(engine: Engine) -> usize {
    match engine {
        Engine::Buildah => 3,
        Engine::Legacy => 2,
        Engine::BuildKit | Engine::BuildKit08 => 1,
    }
}

fn holds(text: &str, engine: Engine) {
    let Some(lab) = Lab::start(engine) else {
        return;
    };
    let mut scenarios = read(text);
    let all = scenarios.len();
    if let Ok(name) = std::env::var("SCENARIO") {
        scenarios.retain(|scenario| scenario.name.contains(&name));
    } else if every(engine) > 1 {
        // They start processes for each step; `SCENARIO=` runs all of them, in minutes.
        scenarios = scenarios.into_iter().step_by(every(engine)).collect();
        eprintln!("{} of {all} scenarios; SCENARIO= runs all", scenarios.len());
    }
    let mut total = Outcome::default();
    for scenario in &scenarios {
        let outcome = scenario.run(&lab);
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
const HISTORY: &str = include_str!("scenarios/history.txt");
const NAMED: &str = include_str!("scenarios/named.txt");
const MOUNTS: &str = include_str!("scenarios/mounts.txt");

#[test]
fn files_in_buildkit() {
    holds(FILES, Engine::BuildKit08);
}

#[test]
fn files_in_the_legacy_builder() {
    holds(FILES, Engine::Legacy);
}

#[test]
fn commands_in_buildkit() {
    holds(COMMANDS, Engine::BuildKit08);
}

#[test]
fn commands_in_the_legacy_builder() {
    holds(COMMANDS, Engine::Legacy);
}

#[test]
fn stages_in_buildkit() {
    holds(STAGES, Engine::BuildKit08);
}

#[test]
fn stages_in_the_legacy_builder() {
    holds(STAGES, Engine::Legacy);
}

#[test]
fn mounts_in_buildkit() {
    holds(MOUNTS, Engine::BuildKit08);
}

#[test]
fn files_in_buildah() {
    holds(FILES, Engine::Buildah);
}

#[test]
fn commands_in_buildah() {
    holds(COMMANDS, Engine::Buildah);
}

#[test]
fn stages_in_buildah() {
    holds(STAGES, Engine::Buildah);
}

#[test]
fn mounts_in_buildah() {
    holds(MOUNTS, Engine::Buildah);
}

#[test]
fn history_in_buildkit() {
    holds(HISTORY, Engine::BuildKit08);
}

#[test]
fn history_in_the_legacy_builder() {
    holds(HISTORY, Engine::Legacy);
}

#[test]
fn history_in_buildah() {
    holds(HISTORY, Engine::Buildah);
}

/// Neither of Docker 20.10's builders knows of them.
#[test]
fn named_folders_in_buildah() {
    holds(NAMED, Engine::Buildah);
}
