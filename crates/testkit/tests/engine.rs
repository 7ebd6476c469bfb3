//! Docker's engine, as the kit starts it.

use std::fs;

use testkit::{Buildah, Builder, Engine};

const DOCKERFILE: &str = "FROM base AS builder\nCOPY a.txt /a.txt\nRUN cat /a.txt > /b.txt\n\
                          FROM base\nLABEL a=b\nCOPY --from=builder /b.txt /\n";

#[test]
fn both_builders_say_what_they_took_from_the_cache() {
    let Some(engine) = Engine::start() else {
        return;
    };
    let context = tempfile::tempdir().unwrap();
    fs::write(context.path().join("Dockerfile"), DOCKERFILE).unwrap();
    for (builder, expected) in [
        (Builder::BuildKit, "111"),
        // It counts every instruction.
        (Builder::Legacy, "1111"),
    ] {
        let build = |content: &str| {
            fs::write(context.path().join("a.txt"), content).unwrap();
            let built = engine.build(builder, context.path(), &[]).succeeds();
            let steps = built.steps.iter();
            let work = steps.filter(|ran| !ran.instruction.starts_with("FROM"));
            work.map(|ran| u8::from(ran.cached).to_string())
                .collect::<String>()
        };
        build("a");
        assert_eq!(build("a"), expected);
        assert!(build("another").starts_with('0'));
        engine.import_base("another");
        assert!(build("a").starts_with('0'));
    }
}

#[test]
fn buildah_says_what_it_took_from_the_cache() {
    let Some(buildah) = Buildah::start() else {
        return;
    };
    let context = tempfile::tempdir().unwrap();
    fs::write(context.path().join("Dockerfile"), DOCKERFILE).unwrap();
    let build = |content: &str| {
        fs::write(context.path().join("a.txt"), content).unwrap();
        let built = buildah.build(context.path(), &[]).succeeds();
        let steps = built.steps.iter();
        let work = steps.filter(|ran| !ran.instruction.starts_with("FROM"));
        work.map(|ran| u8::from(ran.cached).to_string())
            .collect::<String>()
    };
    build("a");
    assert_eq!(build("a"), "1111");
    // The label stands in a stage that takes nothing before it.
    assert_eq!(build("another"), "0010");
    buildah.import_base("another");
    assert_eq!(build("a"), "0000");
}
