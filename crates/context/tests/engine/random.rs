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
        Just("COPY --chown=app requirements.txt /d/".to_owned()),
        Just("COPY [\"a.txt\", \"/d/b.txt\"]".to_owned()),
        Just("ADD dir c.py d/".to_owned()),
        Just("env  A=3 ".to_owned()),
        Just("RUN  echo \\\n  1 ".to_owned()),
        Just("ARG B=$A".to_owned()),
        Just("COPY a.txt /$A/".to_owned()),
    ]
}

/// What takes files out of the stage before.
fn copy() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("COPY --from=one /etc /e".to_owned()),
        Just("COPY --from=one /kept /k/".to_owned()),
        Just("COPY --from=one /kept/a.txt /l".to_owned()),
        Just("COPY --from=one --chown=app /kept/ /s/".to_owned()),
        Just("COPY --from=one /written /o".to_owned()),
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
            "chown 1000:1000 a.txt",
            "chown 1000:1000 dir/sub",
            "chmod 700 dir/sub",
            "chmod 700 dir",
            "xattr user.x 1 app/main.py",
            "hardlink a.txt dir/z.txt",
            "--build-arg B=7",
            "replace FROM base\\n => FROM base\\nARG A=4\\n",
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
    let instructions = || proptest::collection::vec(instruction(), 1..7);
    let one = instructions().prop_map(|lines| format!("FROM base\n{}\n", lines.join("\n")));
    let two = (instructions(), copy(), instructions()).prop_map(|(first, copy, second)| {
        let (first, second) = (first.join("\n"), second.join("\n"));
        format!(
            "FROM base AS one\n{first}\nCOPY dir a.txt /kept/\nUSER root\nRUN echo 1 > /written\nFROM base\n{copy}\n{second}\n"
        )
    });
    (prop_oneof![one, two], change()).prop_map(|(dockerfile, change)| Scenario {
        name: format!("{dockerfile:?} {change}"),
        before: dockerfile,
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
        cases: cases.and_then(|cases| cases.parse().ok()).unwrap_or(6),
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
