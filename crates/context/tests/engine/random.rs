//! Builds that nobody thought of: what the model says of them is what the engines do.

use dockerfile::Engine;
use proptest::prelude::*;

use crate::lab::Lab;
use crate::scenario::Scenario;

/// Instructions that any context of the fixture can be built with, whatever is changed in it.
fn instruction() -> impl Strategy<Value = String> {
    prop_oneof![
        (0..4).prop_map(|n| format!("RUN echo {n}")),
        (0..3).prop_map(|n| format!("ENV A={n}")),
        (0..3).prop_map(|n| format!("ARG B={n}")),
        (0..2).prop_map(|n| format!("LABEL l={n}")),
        Just("WORKDIR /w".to_owned()),
        Just("WORKDIR v/".to_owned()),
        Just("USER app".to_owned()),
        Just("COPY . /all/".to_owned()),
        Just("COPY dir /d".to_owned()),
        Just("COPY dir/ app/ /both/".to_owned()),
        Just("COPY *.py /py/".to_owned()),
        Just("COPY a.txt b.txt /texts/".to_owned()),
        Just("ADD requirements.txt /r".to_owned()),
        Just("COPY --chown=1000:1000 app /mine".to_owned()),
    ]
}

fn change() -> impl Strategy<Value = String> {
    let files = proptest::sample::select(vec![
        "a.txt",
        "b.txt",
        "c.py",
        "dir/x.txt",
        "dir/sub/z.txt",
        "app/main.py",
        "requirements.txt",
    ]);
    prop_oneof![
        files.clone().prop_map(|file| format!("write {file} other")),
        files.clone().prop_map(|file| format!("touch {file}")),
        files.clone().prop_map(|file| format!("chmod 600 {file}")),
        files.prop_map(|file| format!("chmod 755 {file}")),
        proptest::sample::select(vec![
            "write new.py n",
            "write dir/new.txt n",
            "write app/deep/new.py n",
            "mv dir/x.txt dir/w.txt",
            "mv app/util.py dir/util.py",
            "rm dir/sub",
            "rm app/util.py",
            "rm link",
            "sneak dir/y.py YYY\\n",
            "ln b.txt link",
            "mkdir dir/empty",
            "ignore dir/sub",
            "ignore dir/*.py",
            "ignore link",
            "replace FROM base\\n => FROM base\\nENV Z=1\\n",
            "base",
        ])
        .prop_map(str::to_owned),
    ]
}

fn scenario() -> impl Strategy<Value = Scenario> {
    let instructions = proptest::collection::vec(instruction(), 1..7);
    (instructions, change()).prop_map(|(instructions, change)| Scenario {
        name: format!("{instructions:?} {change}"),
        before: format!("FROM base\n{}\n", instructions.join("\n")),
        changes: vec![change],
        ..Scenario::default()
    })
}

fn hold(engine: Engine) {
    let Some(lab) = Lab::start(engine) else {
        return;
    };
    let cases = std::env::var("PROPTEST_CASES").ok();
    let config = ProptestConfig {
        cases: cases.and_then(|cases| cases.parse().ok()).unwrap_or(20),
        // Each try builds twice.
        max_shrink_iters: 30,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(scenario in scenario())| {
        let wrong = scenario.run(&lab).wrong;
        // A build of what is only told has no steps to compare.
        let wrong: Vec<String> = wrong
            .into_iter()
            .filter(|one| !one.contains("nothing to compare"))
            .collect();
        prop_assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}

#[test]
fn any_build_of_buildkit_is_as_the_model_says() {
    hold(Engine::BuildKit08);
}

#[test]
fn any_build_of_the_legacy_builder_is_as_the_model_says() {
    hold(Engine::Legacy);
}

#[test]
fn any_build_of_buildah_is_as_the_model_says() {
    hold(Engine::Buildah);
}
