//! Clients that read a wheel's metadata by ranges, where nobody tells them of a better way.
//!
//! We advertise metadata for every wheel, so this takes a client that is too old to
//! see it, or a page that is not ours over files that are.

use testkit::{Dist, Installer, Logged, Project, Scratch, Server, Upstream};

use crate::mirror;

fn projects() -> [Project; 2] {
    [
        Project::new("foo").with(Dist::wheel("1.0").requires("bar").padding(400_000)),
        Project::new("bar").wheel("1.0"),
    ]
}

const ALL: [&str; 2] = ["bar==1.0", "foo==1.0"];

/// An index without metadata whose files are those of our mirror.
fn front(server: &Server) -> Upstream {
    let front = Upstream::start(projects());
    let files = format!("{}/root/pypi/+f", server.url());
    front.change(|settings| {
        settings.metadata = false;
        settings.files_at = Some(files);
    });
    front
}

/// The method and status of each request for foo's wheel.
fn asked(requests: &[Logged]) -> Vec<(&str, u64)> {
    let mut asked: Vec<_> = requests
        .iter()
        .filter(|request| request.path.ends_with("/foo-1.0-py3-none-any.whl"))
        .map(|request| (request.method.as_str(), request.status))
        .collect();
    // Two workers write the log.
    asked.sort_unstable();
    asked
}

fn reads_by_ranges(server: &mut Server) {
    let requests = server.requests();
    let asked = asked(&requests);
    assert!(asked.contains(&("HEAD", 200)), "{asked:?}");
    assert!(asked.contains(&("GET", 206)), "{asked:?}");
}

const FAST_DEPS: &str = "--use-feature=fast-deps";

#[test]
fn the_oldest_pip_reads_dependencies_by_ranges() {
    let upstream = Upstream::start(projects());
    let mut server = mirror(&upstream);
    let installed =
        Installer::PipOldest.install(&Scratch::new(), &server.simple(), &["foo", FAST_DEPS]);
    assert_eq!(installed.projects(), ALL);
    reads_by_ranges(&mut server);
    assert_eq!(upstream.count("*.whl").whole, 2);
}

#[test]
fn the_newest_pip_reads_dependencies_by_ranges() {
    let upstream = Upstream::start(projects());
    let mut server = mirror(&upstream);
    let front = front(&server);
    let installed =
        Installer::PipNewest.install(&Scratch::new(), &front.simple(), &["foo", FAST_DEPS]);
    assert_eq!(installed.projects(), ALL);
    reads_by_ranges(&mut server);
}

// One failed HEAD, and uv would fetch every wheel of the index whole to resolve.
#[test]
fn uv_reads_dependencies_by_ranges_and_no_wheel_whole() {
    for installer in [Installer::UvOldest, Installer::UvNewest] {
        let upstream = Upstream::start(projects());
        let mut server = mirror(&upstream);
        let front = front(&server);
        let scratch = Scratch::new();
        let input = scratch.file("requirements.in", "foo\n");
        let input = input.to_str().unwrap();
        let arguments = [
            "pip",
            "compile",
            "--quiet",
            "--index-url",
            &front.simple(),
            input,
        ];
        let run = installer.run(&scratch, &arguments);
        assert!(
            run.succeeds().stdout.contains("bar==1.0"),
            "{}",
            run.output()
        );
        reads_by_ranges(&mut server);
        let requests = server.requests();
        assert!(!asked(&requests).contains(&("GET", 200)), "{requests:?}");
    }
}
