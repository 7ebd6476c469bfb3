//! The classic Dockerfiles of "why does pip run again", really built.
//!
//!     cargo xtask bench classic
//!
//! Each is built by a fresh engine: from nothing, after a source was edited, and after one more
//! requirement. Packages come from an index that is far away, and from a pilothouse on this
//! machine that has them already.
//! Prints a table for docs/benchmarks.md. To try the bench itself without a release build:
//!
//!     cargo test -p pilothouse --bench classic

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "its table is its result")]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use testkit::{Builder, Dist, Engine, Fault, Project, Server, Upstream, Wheels};

/// How it is called, and what it says.
const CLASSICS: [(&str, &str); 5] = [
    (
        "`COPY . .` before `pip install`",
        include_str!("classic/everything-first.Dockerfile"),
    ),
    (
        "`ADD requirements.txt` first",
        include_str!("classic/requirements-first.Dockerfile"),
    ),
    (
        "the same with a cache mount",
        include_str!("classic/cache-mount.Dockerfile"),
    ),
    (
        "wheels in a builder stage",
        include_str!("classic/wheels-in-a-builder.Dockerfile"),
    ),
    (
        "no wheels at all, as on Alpine",
        include_str!("classic/without-wheels.Dockerfile"),
    ),
];

/// Packages of the application, of which the first is large.
const COUNT: usize = 20;
const LARGE: usize = 40 << 20;
const SMALL: usize = 200 << 10;

/// An index far away answers after this time, and sends this many bytes every so often: 10 MB/s.
const AWAY: Duration = Duration::from_millis(50);
const RATE: (usize, Duration) = (100_000, Duration::from_millis(10));

fn main() {
    let upstream = Upstream::start((0..=COUNT).map(project));
    let server = Server::new(env!("CARGO_BIN_EXE_pilothouse"))
        .mirroring(&upstream)
        .start();
    // These ask upstream for everything; their figures are thrown away.
    for (_, dockerfile) in CLASSICS.iter().rev().take(2) {
        if measured(&server.simple(), dockerfile).is_none() {
            return;
        }
    }
    upstream.fault("/simple/*", Fault::delay(AWAY));
    upstream.fault("/packages/*", Fault::trickle(RATE.0, RATE.1));
    println!("| Dockerfile | index | from nothing | a source edited | one requirement more |");
    println!("|---|---|---|---|---|");
    for (name, dockerfile) in CLASSICS {
        for (index, url) in [
            ("far away", upstream.simple()),
            ("pilothouse", server.simple()),
        ] {
            let took = measured(&url, dockerfile).expect("an engine started before");
            let cells = took.map(|took| format!("{:.1} s", took.as_secs_f64()));
            println!("| {name} | {index} | {} |", cells.join(" | "));
        }
    }
}

fn name(number: usize) -> String {
    format!("package-{number}")
}

fn project(number: usize) -> Project {
    let bytes = if number == 0 { LARGE } else { SMALL };
    Project::new(&name(number))
        .with(Dist::wheel("1.0").padding(bytes))
        .with(Dist::sdist("1.0").padding(bytes))
}

/// Three builds: from nothing, after an edit, after one requirement more.
fn measured(index: &str, dockerfile: &str) -> Option<[Duration; 3]> {
    let engine = Engine::start()?;
    engine.import_python("python:3.11-slim", &Wheels::Index(index));
    let context = TempDir::with_prefix("pilothouse-classic-").unwrap();
    let context = context.path();
    lay_out(context, dockerfile);
    let build = || {
        let start = Instant::now();
        let arguments = ["--network", "host"];
        drop(
            engine
                .build(Builder::BuildKit, context, &arguments)
                .succeeds(),
        );
        start.elapsed()
    };
    let cold = build();
    fs::write(context.join("app/module_7.py"), "VALUE = \"another\"\n").unwrap();
    let edited = build();
    fs::write(context.join("requirements.txt"), requirements(COUNT + 1)).unwrap();
    Some([cold, edited, build()])
}

fn requirements(count: usize) -> String {
    let lines = (0..count).map(|number| format!("{}==1.0\n", name(number)));
    lines.collect()
}

fn lay_out(context: &Path, dockerfile: &str) {
    fs::create_dir(context.join("app")).unwrap();
    for number in 0..50 {
        let path = context.join(format!("app/module_{number}.py"));
        fs::write(path, format!("VALUE = {number}\n")).unwrap();
    }
    fs::write(context.join("Dockerfile"), dockerfile).unwrap();
    fs::write(context.join("requirements.txt"), requirements(COUNT)).unwrap();
}
