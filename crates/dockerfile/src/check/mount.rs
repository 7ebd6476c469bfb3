//! Whether a `--mount` is one.

/// What is wrong with the value of the flag, in BuildKit's words; what has variables in it is
/// judged when they are known.
pub(super) fn wrong(value: &str) -> Option<String> {
    if value.is_empty() {
        return Some("failed to parse csv mounts: EOF".to_owned());
    }
    if value.contains('$') {
        return None;
    }
    let options: Vec<(String, Option<&str>)> = value.split(',').map(option).collect();
    let kind = options.iter().rev().find(|(name, _)| name == "type");
    let kind = kind.and_then(|(_, value)| *value).unwrap_or("bind");
    let kind = kind.to_lowercase();
    let mut words = value.split(',').zip(&options);
    words
        .find_map(|(text, (name, value))| wrong_option(text, name, *value, &kind))
        .or_else(|| wrong_together(&options, &kind))
}

fn option(text: &str) -> (String, Option<&str>) {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    (name.to_lowercase(), value)
}

fn wrong_option(text: &str, name: &str, value: Option<&str>, kind: &str) -> Option<String> {
    let is_flag = matches!(name, "readonly" | "ro" | "readwrite" | "rw");
    let is_out_of_place = (name == "required" && !matches!(kind, "secret" | "ssh"))
        || (name == "size" && kind != "tmpfs");
    let Some(value) = value else {
        return match name {
            "required" if is_out_of_place => {
                Some(format!("unexpected key '{name}' for mount type '{kind}'"))
            }
            "required" => None,
            _ if is_flag => None,
            _ => Some(format!("invalid field '{text}' must be a key=value pair")),
        };
    };
    let is_good = match name {
        "type" => {
            let types = ["bind", "cache", "tmpfs", "secret", "ssh"];
            return (!types.contains(&value.to_lowercase().as_str()))
                .then(|| format!("unsupported mount type \"{value}\""));
        }
        "sharing" => {
            let modes = ["shared", "private", "locked"];
            return (!modes.contains(&value.to_lowercase().as_str()))
                .then(|| format!("unsupported sharing value \"{value}\""));
        }
        "mode" | "uid" | "gid" => {
            let radix = if name == "mode" { 8 } else { 10 };
            return u32::from_str_radix(value, radix)
                .is_err()
                .then(|| format!("invalid value {value} for {name}"));
        }
        "required" | "size" if is_out_of_place => {
            return Some(format!("unexpected key '{name}' for mount type '{kind}'"));
        }
        "required" => is_boolean(value),
        _ if is_flag => is_boolean(value),
        "from" | "source" | "src" | "target" | "dst" | "destination" | "id" | "size" | "env" => {
            true
        }
        _ => return Some(format!("unexpected key '{name}' in '{text}'")),
    };
    (!is_good).then(|| format!("invalid value for {name}: {value}"))
}

/// As Go reads it.
fn is_boolean(value: &str) -> bool {
    let words = [
        "1", "t", "T", "true", "TRUE", "True", "0", "f", "F", "false", "FALSE", "False",
    ];
    words.contains(&value)
}

fn wrong_together(options: &[(String, Option<&str>)], kind: &str) -> Option<String> {
    let has = |names: &[&str]| {
        let mut named = options.iter().filter(|one| names.contains(&one.0.as_str()));
        named.any(|(_, value)| value.is_some_and(|value| !value.is_empty()))
    };
    let has_owner = matches!(kind, "secret" | "ssh" | "cache");
    let owner = ["mode", "uid", "gid"].into_iter().find(|name| has(&[name]));
    if let Some(name) = owner.filter(|_| !has_owner) {
        return Some(format!("{name} not allowed for \"{kind}\" type mounts"));
    }
    if kind == "secret" {
        let source = ["source", "src"];
        let target = ["target", "dst", "destination"];
        return match () {
            () if has(&["from"]) => Some("secret mount should not have a from".to_owned()),
            () if has(&["sharing"]) => Some("secret mount should not define sharing".to_owned()),
            () if !has(&source) && !has(&target) && !has(&["id"]) => {
                Some("invalid secret mount. one of source, target required".to_owned())
            }
            () if has(&source) && has(&["id"]) => {
                Some("both source and id can't be set".to_owned())
            }
            () => None,
        };
    }
    (has(&["sharing"]) && kind != "cache")
        .then(|| format!("invalid cache sharing set for {kind} mount"))
}
