//! devpi's client and the publishers work against devpi's server alone, so that
//! what fails elsewhere is our server's fault.

use testkit::{
    Account, Devpi, DevpiServer, Dist, Installer, Project, Scratch, Tree, Uploader, Upstream,
};

/// A server with the index alice/dev over a mirror, and alice logged in.
fn alice(upstream: &Upstream) -> (DevpiServer, Devpi) {
    let server = DevpiServer::new().mirroring(upstream).start();
    let devpi = Devpi::new();
    for arguments in [
        &["use", &server.url()][..],
        &["user", "-c", "alice", "password=secret"],
        &["login", "alice", "--password", "secret"],
        &["index", "-c", "dev", "bases=root/pypi"],
        &["use", "alice/dev"],
    ] {
        devpi.run(arguments).succeeds();
    }
    (server, devpi)
}

#[test]
fn what_every_publisher_publishes_can_be_installed() {
    let upstream = Upstream::start([Project::new("bar").wheel("1.1")]);
    let (server, _alice) = alice(&upstream);
    let account = Account {
        url: &format!("{}/alice/dev/", server.url()),
        user: "alice",
        password: "secret",
    };
    for (uploader, name) in Uploader::ALL.into_iter().zip(MADE) {
        let scratch = Scratch::new();
        let tree = if uploader == Uploader::Flit {
            Tree::of_flit(&scratch, name, "1.0")
        } else {
            let tree = Tree::new(&scratch, name, "1.0");
            tree.dist(&Dist::wheel("1.0").requires("bar>=1"));
            tree.dist(&Dist::sdist("1.0").requires("bar>=1"));
            tree
        };
        uploader.publish(&scratch, account, &tree).succeeds();
        assert_eq!(tree.dists().len(), 2, "{uploader:?}");
    }
    let simple = format!("{}/alice/dev/+simple/", server.url());
    let installed = Installer::UvNewest.install(&Scratch::new(), &simple, &MADE);
    assert_eq!(
        installed.projects(),
        [
            "bar==1.1",
            "by_flit==1.0",
            "by_hatch==1.0",
            "by_poetry==1.0",
            "by_twine==1.0",
            "by_uv==1.0"
        ]
    );
}

/// One project for each of them, in their order.
const MADE: [&str; 5] = ["by_twine", "by_uv", "by_poetry", "by_flit", "by_hatch"];

#[test]
fn what_a_source_tree_is_built_into_survives_an_export_and_an_import() {
    let upstream = Upstream::start([Project::new("bar").wheel("1.1")]);
    let (mut server, devpi) = alice(&upstream);
    let tree = Tree::new(devpi.scratch(), "foo", "1.0");
    devpi.run_in(tree.path(), &["upload"]).succeeds();
    server.stop();
    let dump = devpi.scratch().path().join("dump");
    server.export(&dump).succeeds();
    let copy = DevpiServer::import(&dump).unwrap().start();
    let simple = format!("{}/alice/dev/+simple/", copy.url());
    let arguments = ["--no-binary", "foo", "foo"];
    let installed = Installer::PipNewest.install(&Scratch::new(), &simple, &arguments);
    assert_eq!(installed.projects(), ["foo==1.0"]);
    devpi
        .run(&["login", "alice", "--password", "secret"])
        .fails()
        .says("could not connect");
    devpi
        .run(&["use", &format!("{}/alice/dev", copy.url())])
        .succeeds();
    devpi
        .run(&["login", "alice", "--password", "secret"])
        .succeeds();
}
