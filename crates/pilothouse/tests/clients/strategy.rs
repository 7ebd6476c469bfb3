//! Several indexes in one command: which of them answers for a name.

use testkit::{Project, Scratch, Upstream};

use crate::{mirror, with_every_installer};

with_every_installer! {
    // A page without files in place of 404 would be the end of the search for uv.
    fn a_name_that_we_do_not_have_is_left_to_the_next_index(installer) {
        let ours = Upstream::start([Project::new("bar").wheel("1.0")]);
        let server = mirror(&ours);
        let next = Upstream::start([Project::new("foo").wheel("1.0")]);
        // Both ask the extra index first.
        let arguments = ["foo", "bar", "--extra-index-url", &server.simple()];
        let installed = installer.install(&Scratch::new(), &next.simple(), &arguments);
        assert_eq!(installed.projects(), ["bar==1.0", "foo==1.0"]);
        assert_eq!(ours.count("/simple/foo/").requests, 1);
    }

    // pip merges whatever has the name; uv takes the first that has it, with files or without.
    fn a_name_without_files_is_ours_as_it_is_upstreams(installer) {
        let ours = Upstream::start([Project::new("foo")]);
        let server = mirror(&ours);
        let next = Upstream::start([Project::new("foo").wheel("1.0")]);
        let arguments = ["foo", "--extra-index-url", &server.simple()];
        let installed = installer.install(&Scratch::new(), &next.simple(), &arguments);
        if installer.is_pip() {
            assert_eq!(installed.projects(), ["foo==1.0"]);
        } else {
            installed.run.fails().says("there are no versions of foo");
        }
    }
}
