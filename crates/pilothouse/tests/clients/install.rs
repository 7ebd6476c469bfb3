//! Installing: cold, warm, without upstream, after a restart.

use testkit::{Dist, Project, Scratch, Upstream};

use crate::{mirror, with_every_installer};

fn upstream() -> Upstream {
    Upstream::start([
        Project::new("Foo.App").with(Dist::wheel("1.0").requires("bar_lib>=1").padding(3_000_000)),
        Project::new("bar-lib").wheel("0.9").sdist("1.1"),
        Project::new("unwanted").wheel("1.0"),
    ])
}

const ALL: [&str; 2] = ["bar_lib==1.1", "foo_app==1.0"];

with_every_installer! {
    fn a_cold_and_a_warm_install_give_the_same_and_ask_upstream_once(installer) {
        let upstream = upstream();
        let server = mirror(&upstream);
        let cold = installer.install(&Scratch::new(), &server.simple(), &["foo-app"]);
        assert_eq!(cold.projects(), ALL);
        let asked = upstream.requests().len();
        let warm = installer.install(&Scratch::new(), &server.simple(), &["foo-app"]);
        assert_eq!(warm.projects(), ALL);
        assert_eq!(upstream.requests().len(), asked, "{:#?}", upstream.requests());
        assert_eq!(cold.read("foo_app/padding.bin"), warm.read("foo_app/padding.bin"));
        assert_eq!(cold.read("foo_app/padding.bin").len(), 3_000_000);
        assert_eq!(upstream.count("/simple/unwanted/").requests, 0);
    }

    fn what_was_installed_once_installs_without_upstream_and_after_a_restart(installer) {
        let mut upstream = upstream();
        let mut server = mirror(&upstream);
        installer.install(&Scratch::new(), &server.simple(), &["foo-app"]).projects();
        upstream.stop();
        let without = installer.install(&Scratch::new(), &server.simple(), &["foo-app"]);
        assert_eq!(without.projects(), ALL);
        assert_eq!(server.stop().code, Some(0));
        server.start_again();
        let restarted = installer.install(&Scratch::new(), &server.simple(), &["foo-app"]);
        assert_eq!(restarted.projects(), ALL);
    }

    fn the_named_index_serves_as_the_default_one_does(installer) {
        let upstream = upstream();
        let server = mirror(&upstream);
        let installed = installer.install(&Scratch::new(), &server.index("root/pypi"), &["foo-app"]);
        assert_eq!(installed.projects(), ALL);
    }

    fn hashes_that_are_required_hold(installer) {
        let upstream = upstream();
        let server = mirror(&upstream);
        let scratch = Scratch::new();
        let page = testkit::http::Request::get(&format!("{}bar-lib/", server.simple())).json().send();
        let digest = page.json()["files"][0]["hashes"]["sha256"].as_str().unwrap().to_owned();
        let good = scratch.file("good.txt", format!("bar-lib==0.9 --hash=sha256:{digest}\n"));
        let arguments = ["--require-hashes", "--no-deps", "-r", good.to_str().unwrap()];
        let installed = installer.install(&scratch, &server.simple(), &arguments);
        assert_eq!(installed.projects(), ["bar_lib==0.9"]);
        let bad = scratch.file("bad.txt", format!("bar-lib==0.9 --hash=sha256:{}\n", "0".repeat(64)));
        let arguments = ["--require-hashes", "--no-deps", "-r", bad.to_str().unwrap()];
        installer.install(&scratch, &server.simple(), &arguments).run.fails();
    }
}
