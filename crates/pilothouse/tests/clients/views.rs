//! Named views: an accelerator's index before the default one, each project from one of them.

use std::fmt::Write as _;

use serde_json::json;
use testkit::http::{self, Request};
use testkit::{Dist, Project, Scratch, Server, Upstream};

use crate::{alice, with_every_installer};

/// The public index, an accelerator's index, and a server with a view of both.
struct House {
    server: Server,
    _upstreams: [Upstream; 2],
}

impl House {
    fn new() -> Self {
        let public = Upstream::start([
            Project::new("torch")
                .with(Dist::wheel("2.8").requires("bar"))
                .with(Dist::wheel("2.9").requires("bar")),
            Project::new("bar").wheel("1.0").wheel("1.1"),
        ]);
        let gpu = Upstream::start([
            Project::new("torch").with(Dist::wheel("2.8+cu128").requires("bar")),
            // Such indexes carry a few old copies of what they depend on.
            Project::new("nvidia-runtime").wheel("12.8"),
        ]);
        let mut config = String::new();
        for (name, upstream) in [("root/pypi", &public), ("gpu/cu128", &gpu)] {
            let url = upstream.simple();
            let _ = writeln!(config, "[mirror.\"{name}\"]\nupstream = \"{url}\"");
        }
        config += "[view.\"cu128\"]\nindexes = [\"gpu/cu128\", \"root/pypi\"]\n";
        config += "[view.\"mine\"]\nindexes = [\"alice/dev\", \"gpu/cu128\", \"root/pypi\"]\n";
        Self {
            server: crate::server().config(&config).start(),
            _upstreams: [public, gpu],
        }
    }

    fn view(&self, name: &str) -> String {
        format!("{}/views/{name}/simple/", self.server.url())
    }

    fn versions(index: &str, project: &str) -> Vec<String> {
        let page = Request::get(&format!("{index}{project}/")).json().send();
        let json = page.json();
        let versions = json["versions"].as_array().unwrap().iter();
        versions
            .map(|version| version.as_str().unwrap().to_owned())
            .collect()
    }
}

with_every_installer! {
    fn a_view_installs_the_accelerators_build_and_the_rest_from_the_default(installer) {
        let house = House::new();
        let installed = installer.install(&Scratch::new(), &house.view("cu128"), &["torch"]);
        assert_eq!(installed.projects(), ["bar==1.1", "torch==2.8+cu128"]);
        let newest = installer.install(&Scratch::new(), &house.server.simple(), &["torch"]);
        assert_eq!(newest.projects(), ["bar==1.1", "torch==2.9"]);
    }

    // The first index that has a project answers for all of it.
    fn a_view_never_mixes_versions(installer) {
        let house = House::new();
        let newer = installer.install(&Scratch::new(), &house.view("cu128"), &["torch>=2.9"]);
        newer.run.fails();
        let local = house.server.simple();
        let local = installer.install(&Scratch::new(), &local, &["torch==2.8+cu128"]);
        local.run.fails();
        let only = installer.install(&Scratch::new(), &house.server.simple(), &["nvidia-runtime"]);
        only.run.fails();
    }

    fn a_private_index_can_be_the_first_of_a_view(installer) {
        let house = House::new();
        alice(&house.server, &json!({"acl_pkg_read": "alice"}));
        let upload = Request::new("POST", &format!("{}/alice/dev/", house.server.url()))
            .basic("alice", "secret")
            .header("Content-Type", testkit::FORM)
            .body(Dist::wheel("7.0").form("torch"));
        assert_eq!(upload.send().status, 200);
        let with_password = house.view("mine").replace("http://", "http://alice:secret@");
        let mine = installer.install(&Scratch::new(), &with_password, &["torch", "bar"]);
        assert_eq!(mine.projects(), ["bar==1.1", "torch==7.0"]);
        // Who may not read it sees that the name is taken, as with bases.
        let stranger = installer.install(&Scratch::new(), &house.view("mine"), &["torch"]);
        stranger.run.fails();
    }
}

#[test]
fn pages_of_a_view_and_of_the_default_index_stay_apart() {
    let house = House::new();
    let (view, default) = (house.view("cu128"), house.server.simple());
    for _ in ["cold", "warm"] {
        assert_eq!(House::versions(&view, "torch"), ["2.8+cu128"]);
        assert_eq!(House::versions(&default, "torch"), ["2.8", "2.9"]);
        assert_eq!(House::versions(&view, "bar"), ["1.0", "1.1"]);
    }
    assert_eq!(http::get(&format!("{view}none/")).status, 404);
    assert_eq!(http::get(&format!("{default}nvidia-runtime/")).status, 404);
    assert_eq!(http::get(&house.view("none")).status, 404);
}
