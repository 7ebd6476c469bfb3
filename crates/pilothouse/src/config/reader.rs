//! Walks a TOML document by hand, so that every fault is found and has its line.
//!
//! Serde would stop at the first. A [`Table`] is asked for each key it may have;
//! what nobody asked for is unknown.

use std::cell::RefCell;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Fault, Origin, Setting};

/// The text being read, and what was found wrong with it.
pub(super) struct Document<'a> {
    text: &'a str,
    name: Arc<str>,
    faults: RefCell<Vec<Fault>>,
}

/// A table of the document.
pub(super) struct Table<'a> {
    entries: &'a DeTable<'a>,
    /// `` or `mirror."root/pypi".`
    prefix: String,
    known: &'static [&'static str],
    document: &'a Document<'a>,
}

impl<'a> Document<'a> {
    pub(super) fn new(text: &'a str, path: &Path) -> Self {
        let name = path.file_name().unwrap_or(path.as_os_str());
        Self {
            text,
            name: name.to_string_lossy().into(),
            faults: RefCell::default(),
        }
    }

    /// Reads the whole document with `walk`; answers the faults in the order of their lines.
    pub(super) fn walk<T>(
        &self,
        known: &'static [&'static str],
        walk: impl FnOnce(&Table) -> T,
    ) -> (T, Vec<Fault>) {
        let (root, errors) = DeTable::parse_recoverable(self.text);
        let mut faults: Vec<Fault> = errors.iter().map(|error| self.syntax(error)).collect();
        // One slip makes the parser stumble over the whole line.
        faults.sort_by_key(|fault| fault.line);
        faults.dedup_by_key(|fault| fault.line);
        let table = Table {
            entries: root.get_ref(),
            prefix: String::new(),
            known,
            document: self,
        };
        let value = walk(&table);
        table.refuse_unknown();
        // What the parser made of a broken text is a guess: faults of that are told when it reads.
        if faults.is_empty() {
            faults = self.faults.take();
            faults.sort_by_key(|fault| fault.line);
        }
        (value, faults)
    }

    fn syntax(&self, error: &toml::de::Error) -> Fault {
        Fault {
            line: error.span().map(|span| self.line(span.start)),
            key: String::new(),
            what: error.message().replace('\n', ", "),
        }
    }

    fn line(&self, offset: usize) -> usize {
        let before = self.text.get(..offset).unwrap_or_default();
        before.matches('\n').count() + 1
    }
}

impl<'a> Table<'a> {
    /// A text, checked by `parse`.
    pub(super) fn text<T, E: fmt::Display>(
        &self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Setting<T>> {
        self.read(key, |value| match value.as_str() {
            Some(text) => parse(text).map_err(|error| error.to_string()),
            None => Err(format!("should be a text in quotes, not {}", kind(value))),
        })
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, key: &'static str) -> Option<Setting<bool>> {
        self.read(key, |value| {
            value
                .as_bool()
                .ok_or_else(|| format!("should be true or false, not {}", kind(value)))
        })
    }

    /// A whole number within bounds.
    pub(super) fn number(
        &self,
        key: &'static str,
        bounds: std::ops::RangeInclusive<u64>,
    ) -> Option<Setting<u64>> {
        self.read(key, |value| number(value, &bounds))
    }

    /// A list of whole numbers within bounds.
    pub(super) fn numbers(
        &self,
        key: &'static str,
        bounds: std::ops::RangeInclusive<u64>,
    ) -> Option<Setting<Vec<u64>>> {
        self.list(key, |value| number(value, &bounds))
    }

    /// A list of texts; one text alone is a list of one.
    pub(super) fn texts<T, E: fmt::Display>(
        &self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Setting<Vec<T>>> {
        self.list(key, |value| match value.as_str() {
            Some(text) => parse(text).map_err(|error| error.to_string()),
            None => Err(format!("should be a text in quotes, not {}", kind(value))),
        })
    }

    /// A table within this one.
    pub(super) fn table<T>(
        &self,
        key: &'static str,
        known: &'static [&'static str],
        walk: impl FnOnce(&Table) -> T,
    ) -> Option<T> {
        let (_, value) = self.entry(key)?;
        self.inner(key, value, known, walk)
    }

    /// A table of tables, whose keys are names: `visit` gets each name with its line.
    pub(super) fn named_tables(
        &self,
        key: &'static str,
        known: &'static [&'static str],
        mut visit: impl FnMut(&str, &Table),
    ) {
        let Some((_, value)) = self.entry(key) else {
            return;
        };
        let Some(tables) = value.get_ref().as_table() else {
            self.fault_at(
                value,
                self.path(key),
                format!("should be tables, like [{key}.\"root/pypi\"]"),
            );
            return;
        };
        let mut in_order: Vec<_> = tables.iter().collect();
        in_order.sort_by_key(|(name, _)| name.span().start);
        for (name, value) in in_order {
            let path = format!("{key}.{}", quoted(name.get_ref()));
            self.inner(&path, value, known, |table| visit(name.get_ref(), table));
        }
    }

    /// Notes a fault about a key of this table, or about the table itself.
    pub(super) fn fault(&self, key: &str, what: String) {
        let line = match self.entry(key) {
            Some((name, _)) => Some(self.document.line(name)),
            None => self
                .entries
                .iter()
                .map(|(name, _)| self.document.line(name.span().start))
                .min(),
        };
        let key = if key.is_empty() {
            self.prefix.trim_end_matches('.').to_owned()
        } else {
            self.path(key)
        };
        self.document
            .faults
            .borrow_mut()
            .push(Fault { line, key, what });
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    fn read<T>(
        &self,
        key: &'static str,
        parse: impl FnOnce(&DeValue) -> Result<T, String>,
    ) -> Option<Setting<T>> {
        debug_assert!(self.known.contains(&key), "`{key}` is not listed");
        let (_, value) = self.entry(key)?;
        match parse(value.get_ref()) {
            Ok(parsed) => Some(Setting::new(parsed, self.origin(value))),
            Err(what) => {
                self.fault_at(value, self.path(key), what);
                None
            }
        }
    }

    fn list<T>(
        &self,
        key: &'static str,
        parse: impl Fn(&DeValue) -> Result<T, String>,
    ) -> Option<Setting<Vec<T>>> {
        debug_assert!(self.known.contains(&key), "`{key}` is not listed");
        let (_, value) = self.entry(key)?;
        let Some(items) = value.get_ref().as_array() else {
            return self.read(key, |value| parse(value).map(|item| vec![item]));
        };
        let mut parsed = Vec::new();
        for (position, item) in items.iter().enumerate() {
            match parse(item.get_ref()) {
                Ok(item) => parsed.push(item),
                Err(what) => self.fault_at(item, format!("{}[{position}]", self.path(key)), what),
            }
        }
        Some(Setting::new(parsed, self.origin(value)))
    }

    fn inner<T>(
        &self,
        key: &str,
        value: &Spanned<DeValue>,
        known: &'static [&'static str],
        walk: impl FnOnce(&Table) -> T,
    ) -> Option<T> {
        let Some(entries) = value.get_ref().as_table() else {
            self.fault_at(
                value,
                self.path(key),
                format!("should be a table, not {}", kind(value.get_ref())),
            );
            return None;
        };
        let table = Table {
            entries,
            prefix: format!("{}.", self.path(key)),
            known,
            document: self.document,
        };
        let read = walk(&table);
        table.refuse_unknown();
        Some(read)
    }

    fn refuse_unknown(&self) {
        for (name, _) in self.entries {
            let key = name.get_ref().as_ref();
            if !self.known.contains(&key) {
                let what = match nearest(key, self.known) {
                    Some(near) => format!("there is no such key; did you mean `{near}`?"),
                    None => format!("there is no such key; there are {}", self.known.join(", ")),
                };
                self.fault_at_offset(name.span().start, self.path(&quoted(key)), what);
            }
        }
    }

    fn entry(&self, key: &str) -> Option<(usize, &'a Spanned<DeValue<'a>>)> {
        let (name, value) = self.entries.get_key_value(key)?;
        Some((name.span().start, value))
    }

    fn path(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    fn origin(&self, value: &Spanned<DeValue>) -> Origin {
        Origin::File {
            file: self.document.name.clone(),
            line: self.document.line(value.span().start),
        }
    }

    fn fault_at(&self, value: &Spanned<DeValue>, key: String, what: String) {
        self.fault_at_offset(value.span().start, key, what);
    }

    fn fault_at_offset(&self, offset: usize, key: String, what: String) {
        let line = Some(self.document.line(offset));
        self.document
            .faults
            .borrow_mut()
            .push(Fault { line, key, what });
    }
}

fn number(value: &DeValue, bounds: &std::ops::RangeInclusive<u64>) -> Result<u64, String> {
    let (first, last) = (bounds.start(), bounds.end());
    value
        .as_integer()
        .and_then(|integer| u64::from_str_radix(integer.as_str(), integer.radix()).ok())
        .filter(|number| bounds.contains(number))
        .ok_or_else(|| format!("should be a whole number from {first} to {last}"))
}

fn kind(value: &DeValue) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// A key as it must be written in a path.
fn quoted(key: &str) -> String {
    let bare = !key.is_empty()
        && key
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if bare {
        key.to_owned()
    } else {
        format!("\"{}\"", key.escape_default())
    }
}

/// The known name that was probably meant.
pub(super) fn nearest(key: &str, known: &[&'static str]) -> Option<&'static str> {
    let close = known
        .iter()
        .map(|name| (distance(key, name), *name))
        .min()?;
    (close.0 <= 2).then_some(close.1)
}

/// How many letters must be changed, added or left out.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_key_is_recognised() {
        let known = &["upstream", "fresh-for"];
        assert_eq!(nearest("upsteam", known), Some("upstream"));
        assert_eq!(nearest("fresh_for", known), Some("fresh-for"));
        assert_eq!(nearest("colour", known), None);
    }

    #[test]
    fn a_list_may_be_one_text() {
        let document = Document::new("a = \"x\"\nb = [\"y\", 1]\n", Path::new("f.toml"));
        let ((a, b), faults) = document.walk(&["a", "b"], |table| {
            let text = |text: &str| Ok::<_, String>(text.to_owned());
            (table.texts("a", text), table.texts("b", text))
        });
        assert_eq!(a.unwrap().value, ["x"]);
        assert_eq!(b.unwrap().value, ["y"]);
        assert_eq!(faults.len(), 1);
        assert_eq!(
            faults[0].to_string(),
            "line 2: b[1]: should be a text in quotes, not a number"
        );
    }
}
