//! One configuration out of all voices.

use std::net::SocketAddr;
use std::path::Path;

use index::IndexName;
use index::mirror::Upstream;

use super::file::File;
use super::mirror::{Manners, ROOT, Written};
use super::{
    Config, EveryMirror, Fault, Log, MaxSize, Mirror, Overrides, Places, Setting, installer,
};

/// devpi's port, so that every guide and client that speaks to devpi finds us.
pub(super) const LISTEN: ([u8; 4], u16) = ([127, 0, 0, 1], 3141);

/// Puts everything together; nothing only if a fault was noted.
pub(super) fn merge(
    overrides: Overrides,
    file: File,
    path: Option<&Path>,
    places: &Places,
    faults: &mut Vec<Fault>,
) -> Option<Config> {
    let root: IndexName = ROOT.parse().expect("our own name is well-formed");
    let mut notes = Vec::new();
    let default = file
        .default
        .unwrap_or_else(|| Setting::default(root.clone()));
    if default.value != root && !file.mirrors.contains_key(&default.value) {
        faults.push(Fault {
            line: line(&default),
            key: "default".to_owned(),
            what: format!(
                "there is no index `{0}`: add a table [mirror.\"{0}\"]",
                default.value
            ),
        });
    }
    let listen = overrides
        .listen
        .or(file.listen)
        .unwrap_or_else(|| Setting::default(vec![SocketAddr::from(LISTEN)]));
    if listen.value.is_empty() {
        faults.push(Fault {
            line: line(&listen),
            key: "listen".to_owned(),
            what: "is empty: name an address, or leave it out for 127.0.0.1:3141".to_owned(),
        });
    }
    let data_dir = overrides
        .data_dir
        .or(file.data_dir)
        .or_else(|| places.data_dir().map(Setting::default));
    if data_dir.is_none() {
        faults.push(Fault {
            line: None,
            key: "data-dir".to_owned(),
            what: "this user has no home to keep data in: say `--data-dir DIR`".to_owned(),
        });
    }
    let every_mirror = EveryMirror {
        fresh_for: overrides.fresh_for.as_ref().map(|setting| setting.value.0),
        offline: overrides
            .offline
            .as_ref()
            .or(file.offline.as_ref())
            .is_some_and(|setting| setting.value),
    };
    let mut written = file.mirrors;
    let at_root = written.remove(&root);
    let mut mirrors = vec![root_mirror(
        root,
        at_root,
        overrides.upstream,
        places,
        &mut notes,
    )];
    mirrors.extend(written.into_iter().filter_map(|(name, written)| {
        Some(Mirror {
            name,
            upstream: written.upstream?,
            manners: written.manners,
        })
    }));
    mirrors.sort_by(|a, b| a.name.cmp(&b.name));
    // A flag or variable is about every mirror; the file's own `offline` only about those that say nothing.
    for mirror in &mut mirrors {
        let manners = &mut mirror.manners;
        if let Some(fresh_for) = &overrides.fresh_for {
            manners.fresh_for = fresh_for.clone();
        }
        manners.offline = overrides
            .offline
            .clone()
            .or(manners.offline.take())
            .or_else(|| file.offline.clone());
    }
    Some(Config {
        file: path.map(Path::to_owned),
        listen,
        data_dir: data_dir?,
        log: overrides
            .log
            .or(file.log)
            .unwrap_or(Setting::default(Log::Text)),
        default,
        max_size: overrides
            .max_size
            .or(file.max_size)
            .unwrap_or(Setting::default(MaxSize::Auto)),
        restrict_modify: overrides.restrict_modify.or(file.restrict_modify),
        open_to_anyone: overrides
            .open_to_anyone
            .or(file.open_to_anyone)
            .unwrap_or(Setting::default(false)),
        outside_url: overrides.outside_url.or(file.outside_url),
        people: file.people,
        webhooks: file.webhooks,
        every_mirror,
        mirrors,
        notes,
    })
}

/// `root/pypi`, whose upstream need not be said.
fn root_mirror(
    name: IndexName,
    written: Option<Written>,
    flag: Option<Setting<Upstream>>,
    places: &Places,
    notes: &mut Vec<String>,
) -> Mirror {
    let (in_file, manners) = match written {
        Some(Written { upstream, manners }) => (upstream, manners),
        None => (None, Manners::default_for(&name)),
    };
    let upstream = flag.or(in_file).unwrap_or_else(|| {
        let found = installer::find(places);
        notes.extend(found.notes);
        found.upstream.unwrap_or_else(|| Setting::default(pypi()))
    });
    Mirror {
        name,
        upstream,
        manners,
    }
}

/// PyPI, as the field's own library names it.
fn pypi() -> Upstream {
    let mut url: url::Url = (**uv_distribution_types::PYPI_URL).clone();
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Upstream::Simple(url)
}

fn line<T>(setting: &Setting<T>) -> Option<usize> {
    match setting.origin {
        super::Origin::File { line, .. } => Some(line),
        _ => None,
    }
}
