//! The merged configuration as a TOML file, each value with where it came from.

use std::fmt::Write as _;

use index::mirror::{Auth, FileHosts, Upstream};

use super::{Config, Mirror, Origin, Setting};

/// One line of the file to show: a table's head, or a key with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Line {
    Table(String),
    Key {
        name: &'static str,
        value: String,
        origin: String,
    },
}

/// The whole file, secrets hidden.
pub(crate) fn show(config: &Config) -> String {
    let lines = lines(config);
    let width = lines
        .iter()
        .map(Line::width)
        .filter(|width| *width <= 60)
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for line in &lines {
        line.write(width, &mut text);
    }
    text
}

/// The values alone, for comparing two configurations.
#[cfg(test)]
pub(super) fn values(config: &Config) -> Vec<String> {
    lines(config)
        .into_iter()
        .map(|line| match line {
            Line::Table(name) => name,
            Line::Key { name, value, .. } => format!("{name} = {value}"),
        })
        .collect()
}

fn lines(config: &Config) -> Vec<Line> {
    let listen: Vec<String> = config
        .listen
        .value
        .iter()
        .map(ToString::to_string)
        .collect();
    let mut lines = vec![
        key("listen", list(&listen), &config.listen.origin),
        text(
            "data-dir",
            &config
                .data_dir
                .clone()
                .map(|path| path.display().to_string()),
        ),
        text("log", &config.log),
        text("default", &config.default),
        key(
            "open-to-anyone",
            config.open_to_anyone.value.to_string(),
            &config.open_to_anyone.origin,
        ),
        Line::Table("cache".to_owned()),
        text("max-size", &config.max_size),
    ];
    for mirror in &config.mirrors {
        lines.push(Line::Table(format!("mirror.\"{}\"", mirror.name)));
        lines.extend(mirror_lines(mirror));
    }
    lines
}

fn mirror_lines(mirror: &Mirror) -> Vec<Line> {
    let manners = &mirror.manners;
    let kind = if matches!(mirror.upstream.value, Upstream::Simple(_)) {
        "simple"
    } else {
        "find-links"
    };
    let statuses: Vec<String> = manners
        .missing
        .value
        .iter()
        .map(ToString::to_string)
        .collect();
    let hosts = match &manners.file_hosts.value {
        FileHosts::AnyPublic(hosts) => list(&[&["*".to_owned()], hosts.as_slice()].concat()),
        FileHosts::Listed(hosts) => list(hosts),
    };
    let offline = manners.offline.clone().unwrap_or(Setting::default(false));
    let mut lines = vec![
        text("upstream", &mirror.upstream),
        key("kind", quoted(kind), &mirror.upstream.origin),
        text("fresh-for", &manners.fresh_for),
        text("missing-for", &manners.missing_for),
        key(
            "missing",
            format!("[{}]", statuses.join(", ")),
            &manners.missing.origin,
        ),
        key("file-hosts", hosts, &manners.file_hosts.origin),
        text("connect-timeout", &manners.connect_timeout),
        text("read-timeout", &manners.read_timeout),
        key(
            "connections-per-file",
            manners.connections_per_file.value.to_string(),
            &manners.connections_per_file.origin,
        ),
        key("offline", offline.value.to_string(), &offline.origin),
    ];
    if let Some(readers) = &manners.readers {
        lines.push(key("acl-pkg-read", list(&readers.value), &readers.origin));
    }
    if let Some(file) = &manners.authorities {
        let path = file.value.path.display().to_string();
        lines.push(key("ca-file", quoted(&path), &file.origin));
    }
    match &manners.auth.value {
        Auth::None => {}
        Auth::Basic { username, .. } => {
            lines.push(key("username", quoted(username), &manners.auth.origin));
            lines.push(key("password", quoted(HIDDEN), &manners.auth.origin));
        }
        Auth::Bearer(_) => lines.push(key("token", quoted(HIDDEN), &manners.auth.origin)),
    }
    if mirror
        .upstream
        .value
        .url()
        .is_some_and(|url| !url.username().is_empty() || url.password().is_some())
    {
        lines.push(key("username", quoted(HIDDEN), &mirror.upstream.origin));
        lines.push(key("password", quoted(HIDDEN), &mirror.upstream.origin));
    }
    lines
}

const HIDDEN: &str = "(hidden)";

impl Line {
    fn width(&self) -> usize {
        match self {
            Self::Table(_) => 0,
            Self::Key { name, value, .. } => name.len() + " = ".len() + value.len(),
        }
    }

    fn write(&self, width: usize, text: &mut String) {
        // Writing to a String cannot fail.
        let _ = match self {
            Self::Table(name) => writeln!(text, "\n[{name}]"),
            Self::Key {
                name,
                value,
                origin,
            } => {
                let setting = format!("{name} = {value}");
                writeln!(text, "{setting:width$}  # {origin}")
            }
        };
    }
}

fn key(name: &'static str, value: String, origin: &Origin) -> Line {
    let origin = origin.to_string();
    Line::Key {
        name,
        value,
        origin,
    }
}

fn text<T: ToString>(name: &'static str, setting: &Setting<T>) -> Line {
    key(name, quoted(&setting.value.to_string()), &setting.origin)
}

fn list(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", texts.join(", "))
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
