//! What is in an image: its whole tree of files, and how it runs.

use std::collections::BTreeMap;
use std::io::{BufReader, Read};
use std::process::Stdio;

use tar::{Archive, Entry};

use super::Engine;
use crate::dist::sha256;

/// A file, directory or link of an image. Times are no part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// As tar has it: `b'0'` is a file, `b'5'` a directory.
    pub kind: u8,
    /// Permissions.
    pub mode: u32,
    /// The numbers of its user and group.
    pub owner: (u64, u64),
    /// Where a link points, or the SHA-256 of the bytes.
    pub content: String,
}

impl Engine {
    /// Every path of an image, without the slash at its beginning.
    pub fn tree(&self, image: &str) -> BTreeMap<String, Node> {
        let id = self.said(&["create", "--network", "none", image, "nothing"]);
        let mut export = self
            .client()
            .args(["export", &id])
            .stdout(Stdio::piped())
            .spawn()
            .expect("docker can be run");
        let output = export.stdout.take().expect("it was asked for");
        let mut archive = Archive::new(BufReader::with_capacity(1 << 20, output));
        let entries = archive.entries().expect("docker writes an archive");
        let nodes = entries.map(|entry| node(entry.expect("docker writes it to its end")));
        let tree = nodes.collect();
        drop(archive);
        drop(export.wait());
        self.said(&["rm", &id]);
        tree
    }

    /// How an image runs: its environment, user, folder and command, as JSON.
    pub fn settings(&self, image: &str) -> serde_json::Value {
        let text = self.said(&["image", "inspect", "--format", "{{json .Config}}", image]);
        serde_json::from_str(&text).expect("docker prints JSON")
    }

    fn said(&self, arguments: &[&str]) -> String {
        let output = self.client().args(arguments).output();
        let output = output.expect("docker can be run");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "docker {arguments:?}: {errors}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

fn node(mut entry: Entry<'_, impl Read>) -> (String, Node) {
    let path = entry.path().expect("paths are text").into_owned();
    let mut bytes = Vec::new();
    let read = entry.read_to_end(&mut bytes);
    read.expect("docker writes files to their end");
    // The head of bytecode has a time or a hash of the source.
    if path.extension().is_some_and(|kind| kind == "pyc") {
        bytes.drain(..bytes.len().min(16));
    }
    let link = entry.link_name().expect("links are text");
    let content = link.map_or_else(|| sha256(&bytes), |link| link.display().to_string());
    let header = entry.header();
    let number = |number: std::io::Result<u64>| number.expect("docker writes numbers");
    let node = Node {
        kind: header.entry_type().as_byte(),
        mode: header.mode().expect("docker writes modes"),
        owner: (number(header.uid()), number(header.gid())),
        content,
    };
    let path = path.display().to_string();
    (path.trim_end_matches('/').to_owned(), node)
}
