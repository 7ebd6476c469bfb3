//! Secrets of the config file: as they are, from a variable, or from a file.

use std::path::Path;

use index::mirror::Secret;

use super::reader::Table;
use super::{Environment, Secrets, Setting};

/// A secret from one of three keys: as it is, from a variable, from a file. `Err` is a fault that was noted.
pub(super) fn secret(
    table: &Table,
    keys: [&'static str; 3],
    directory: &Path,
    environment: &Environment,
) -> Result<Option<Setting<Secret>>, ()> {
    let [literal, variable, file] = keys;
    let given: Vec<&str> = keys.into_iter().filter(|key| table.has(key)).collect();
    let read = match given.as_slice() {
        [] => return Ok(None),
        [one] if environment.secrets() == Secrets::Leave => {
            table.text(one, |_| Ok::<_, String>(Secret::new("")))
        }
        [_] => table
            .text(literal, |text| Ok::<_, String>(Secret::new(text)))
            .or_else(|| table.text(variable, |name| from_environment(name, environment)))
            .or_else(|| table.text(file, |path| from_file(&directory.join(path)))),
        [first, rest @ ..] => {
            table.fault(
                first,
                format!(
                    "cannot stand beside `{}`: keep one of them",
                    rest.join("`, `")
                ),
            );
            None
        }
    };
    read.map(Some).ok_or(())
}

fn from_environment(name: &str, environment: &Environment) -> Result<Secret, String> {
    environment
        .get(name)
        .map(Secret::new)
        .ok_or_else(|| format!("the variable `{name}` is not set"))
}

fn from_file(path: &Path) -> Result<Secret, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("`{}` cannot be read ({error})", path.display()))?;
    Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
}
