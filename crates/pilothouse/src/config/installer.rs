//! The index that pip or uv already use on this machine: the one to mirror.
//!
//! Somebody whose pip is set to a company's index means that index when they say
//! nothing. Only files are read, the user's before the machine's.

use std::path::PathBuf;

use index::mirror::{Upstream, shown};
use url::{Host, Url};

use super::{Origin, Places, Setting, mirror};

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) upstream: Option<Setting<Upstream>>,
    /// What was found and not taken, and why.
    pub(super) notes: Vec<String>,
}

#[derive(Debug, Clone, Copy)]
enum Tool {
    Pip,
    Uv,
}

/// Looks through the usual files.
pub(super) fn find(places: &Places) -> Found {
    let mut found = Found::default();
    for (tool, path) in candidates(places) {
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        let Some(index) = tool.index_in(&text) else {
            continue;
        };
        match judge(&index) {
            Ok(upstream) => {
                let origin = Origin::Installer {
                    tool: tool.name(),
                    file: path.display().to_string(),
                };
                found.upstream = Some(Setting::new(upstream, origin));
                return found;
            }
            Err(why) => found.notes.push(format!(
                "the index of {} in `{}` is not mirrored: {why}",
                tool.name(),
                path.display()
            )),
        }
    }
    found
}

fn judge(index: &str) -> Result<Upstream, String> {
    let upstream = mirror::simple(index)?;
    match upstream.url() {
        Some(url) if is_this_machine(url) => Err(format!(
            "`{}` is on this machine, it may be this very server",
            shown(url)
        )),
        _ => Ok(upstream),
    }
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback() || ip.is_unspecified(),
        Some(Host::Ipv6(ip)) => ip.is_loopback() || ip.is_unspecified(),
        Some(Host::Domain(name)) => {
            name == "localhost" || name.ends_with(".localhost") || name == "host.docker.internal"
        }
        None => true,
    }
}

/// Every file that may hold the setting, the strongest first.
fn candidates(places: &Places) -> Vec<(Tool, PathBuf)> {
    let mut files = Vec::new();
    if let Some(config) = &places.config {
        files.push((Tool::Pip, config.join("pip").join(PIP_FILE)));
    }
    if let Some(home) = &places.home {
        if cfg!(target_os = "macos") {
            files.push((
                Tool::Pip,
                home.join("Library/Application Support/pip/pip.conf"),
            ));
        }
        let folder = if cfg!(windows) { "pip" } else { ".pip" };
        files.push((Tool::Pip, home.join(folder).join(PIP_FILE)));
    }
    if let Some(config) = &places.config {
        files.push((Tool::Uv, config.join("uv").join("uv.toml")));
    }
    files.extend(
        MACHINE_WIDE
            .iter()
            .map(|(tool, path)| (*tool, PathBuf::from(path))),
    );
    files
}

const PIP_FILE: &str = if cfg!(windows) { "pip.ini" } else { "pip.conf" };

#[cfg(target_os = "macos")]
const MACHINE_WIDE: &[(Tool, &str)] = &[
    (Tool::Pip, "/Library/Application Support/pip/pip.conf"),
    (Tool::Uv, "/etc/uv/uv.toml"),
];
#[cfg(windows)]
const MACHINE_WIDE: &[(Tool, &str)] = &[
    (Tool::Pip, "C:\\ProgramData\\pip\\pip.ini"),
    (Tool::Uv, "C:\\ProgramData\\uv\\uv.toml"),
];
#[cfg(not(any(target_os = "macos", windows)))]
const MACHINE_WIDE: &[(Tool, &str)] = &[
    (Tool::Pip, "/etc/pip.conf"),
    (Tool::Pip, "/etc/xdg/pip/pip.conf"),
    (Tool::Uv, "/etc/xdg/uv/uv.toml"),
    (Tool::Uv, "/etc/uv/uv.toml"),
];

impl Tool {
    fn name(self) -> &'static str {
        match self {
            Self::Pip => "pip",
            Self::Uv => "uv",
        }
    }

    fn index_in(self, text: &str) -> Option<String> {
        match self {
            Self::Pip => index_of_pip(text),
            Self::Uv => index_of_uv(text),
        }
    }
}

/// `index-url` under `[global]`. pip reads `_` as `-` and lets `:` stand for `=`.
fn index_of_pip(text: &str) -> Option<String> {
    let mut section = "";
    for line in text.lines() {
        let line = line.trim_end();
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            section = name;
        } else if section == "global"
            && !line.starts_with(['#', ';', ' ', '\t'])
            && let Some((key, value)) = line.split_once(['=', ':'])
            && key.trim().to_ascii_lowercase().replace('_', "-") == "index-url"
        {
            return Some(value.trim().to_owned());
        }
    }
    None
}

/// The `[[index]]` marked as default, or the older `index-url`.
fn index_of_uv(text: &str) -> Option<String> {
    let settings: toml::Table = text.parse().ok()?;
    let indexes = settings.get("index").and_then(toml::Value::as_array);
    let default = indexes
        .into_iter()
        .flatten()
        .find(|index| index.get("default").and_then(toml::Value::as_bool) == Some(true));
    let url = default.and_then(|index| index.get("url"));
    let url = url
        .or_else(|| settings.get("index-url"))
        .or_else(|| settings.get("pip")?.get("index-url"));
    Some(url?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_of_pip_is_read_as_pip_reads_it() {
        for text in [
            "[global]\nindex-url = https://pypi.example/simple\n",
            "[install]\nindex-url = https://other.example\n[global]\n# index-url = no\nindex_url: https://pypi.example/simple",
            "[global]\r\ntimeout = 60\r\nIndex-URL=https://pypi.example/simple\r\n",
        ] {
            assert_eq!(
                index_of_pip(text).as_deref(),
                Some("https://pypi.example/simple"),
                "{text}"
            );
        }
        for text in [
            "",
            "[global]\nextra-index-url = https://pypi.example\n",
            "index-url = https://pypi.example\n",
            "[global]\nindex-url\n",
        ] {
            assert_eq!(index_of_pip(text), None, "{text}");
        }
    }

    #[test]
    fn the_default_index_of_uv_is_found_in_each_of_its_forms() {
        for text in [
            "[[index]]\nurl = \"https://extra.example\"\n[[index]]\nurl = \"https://pypi.example/simple\"\ndefault = true\n",
            "index-url = \"https://pypi.example/simple\"\n",
            "[pip]\nindex-url = \"https://pypi.example/simple\"\n",
        ] {
            assert_eq!(
                index_of_uv(text).as_deref(),
                Some("https://pypi.example/simple"),
                "{text}"
            );
        }
        assert_eq!(
            index_of_uv("[[index]]\nurl = \"https://extra.example\"\n"),
            None
        );
        assert_eq!(index_of_uv("not toml"), None);
    }

    #[test]
    fn an_index_on_this_machine_may_be_ourselves() {
        for index in [
            "http://127.0.0.1:3141/simple/",
            "http://localhost/simple",
            "http://[::1]:3141/root/pypi/+simple/",
        ] {
            assert!(
                judge(index).unwrap_err().contains("this very server"),
                "{index}"
            );
        }
        assert!(judge("https://user:secret@pypi.example/simple").is_ok());
    }

    #[test]
    fn the_users_file_is_taken_and_its_password_is_not_shown() {
        let home = tempfile::tempdir().unwrap();
        let places = Places::within(home.path());
        let pip = home.path().join(".config/pip");
        std::fs::create_dir_all(&pip).unwrap();
        std::fs::write(
            pip.join("pip.conf"),
            "[global]\nindex-url = http://localhost:3141/simple\n",
        )
        .unwrap();
        let uv = home.path().join(".config/uv");
        std::fs::create_dir_all(&uv).unwrap();
        std::fs::write(
            uv.join("uv.toml"),
            "index-url = \"https://me:secret@pypi.example/simple\"\n",
        )
        .unwrap();
        let found = find(&places);
        assert_eq!(found.notes.len(), 1);
        let upstream = found.upstream.unwrap();
        assert_eq!(upstream.value.to_string(), "https://pypi.example/simple/");
        assert_eq!(
            upstream.origin.to_string(),
            format!("uv's own setting in {}", uv.join("uv.toml").display())
        );
    }
}
