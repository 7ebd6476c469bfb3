//! Values as devpi's client writes them, read as what they mean.

use serde_json::Value;

use crate::units::ByteSize;

/// `true`, `"True"`, `"yes"` and their opposites.
pub(super) fn flag(value: &Value) -> Result<bool, String> {
    let word = match value {
        Value::Bool(flag) => return Ok(*flag),
        Value::String(text) => text.to_ascii_lowercase(),
        _ => String::new(),
    };
    match word.as_str() {
        "true" | "yes" => Ok(true),
        "false" | "no" => Ok(false),
        _ => Err(format!("Unknown boolean value {}.", repr(value))),
    }
}

/// A list of texts, or one text with commas.
pub(super) fn texts(value: &Value) -> Result<Vec<String>, String> {
    let unknown = || format!("Unknown list value {}.", repr(value));
    let entries: Vec<&str> = match value {
        Value::String(text) => text.split(',').collect(),
        Value::Array(entries) => {
            let texts = entries.iter().map(Value::as_str);
            texts.collect::<Option<_>>().ok_or_else(unknown)?
        }
        _ => return Err(unknown()),
    };
    let entries = entries.into_iter().map(str::trim);
    let present = entries.filter(|entry| !entry.is_empty());
    Ok(present.map(str::to_owned).collect())
}

/// A text, which is what `key` holds.
pub(super) fn text(key: &str, value: &Value) -> Result<String, String> {
    match value.as_str() {
        Some(text) => Ok(text.to_owned()),
        None => Err(format!("'{key}' must be text, not {}", repr(value))),
    }
}

/// A whole number of seconds, which is what `key` holds.
pub(super) fn seconds(key: &str, value: &Value) -> Result<u64, String> {
    let number = match value {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_u64(),
    };
    // Ten years, as everywhere in the config.
    number
        .filter(|seconds| *seconds <= 3653 * 86_400)
        .ok_or_else(|| {
            format!(
                "'{key}' must be a whole number of seconds, not {}",
                repr(value)
            )
        })
}

/// A number of bytes, or a size with its unit.
pub(super) fn size(key: &str, value: &Value) -> Result<u64, String> {
    let wrong = || {
        let value = repr(value);
        format!("'{key}' must be a number of bytes or a size like '5 GB', not {value}")
    };
    match value {
        Value::String(text) => match text.trim().parse::<u64>() {
            Ok(bytes) => Ok(bytes),
            Err(_) => match text.parse::<ByteSize>() {
                Ok(size) => Ok(size.0),
                Err(_) => Err(wrong()),
            },
        },
        other => other.as_u64().ok_or_else(wrong),
    }
}

/// A value as Python's `%s` writes it: devpi's messages repeat what they refuse.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => repr(other),
    }
}

/// A value as Python's `%r` writes it.
pub(super) fn repr(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quoted(text),
        Value::Array(entries) => {
            let entries: Vec<_> = entries.iter().map(repr).collect();
            format!("[{}]", entries.join(", "))
        }
        Value::Object(fields) => {
            let pairs = fields.iter().map(|(key, value)| {
                let (key, value) = (quoted(key), repr(value));
                format!("{key}: {value}")
            });
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
    }
}

/// A text as Python's `%r` writes it, cut to a length that a person reads.
pub(super) fn quoted(text: &str) -> String {
    const READABLE: usize = 200;
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut out = String::from(quote);
    for c in text.chars().take(READABLE) {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}
