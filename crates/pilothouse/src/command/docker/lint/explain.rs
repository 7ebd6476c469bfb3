//! What a rule is about: its page, and the list of all.

use std::io::{self, Write};

use dockerfile::lint::{RULES, Rule};

use crate::table::{Side, Table};

/// The pages of these rules; of none, the list of all.
pub(super) fn print(rules: &[&Rule], out: &mut dyn Write) -> io::Result<()> {
    if rules.is_empty() {
        return list(out);
    }
    let pages: Vec<String> = rules.iter().map(|rule| rule.page()).collect();
    write!(out, "{}", pages.join("\n"))
}

fn list(out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new([
        ("rule", Side::Left),
        ("severity", Side::Left),
        ("name", Side::Left),
        ("what", Side::Left),
    ]);
    for rule in RULES {
        table.row([
            rule.code.to_owned(),
            rule.severity.as_str().to_owned(),
            rule.name.to_owned(),
            rule.what.to_owned(),
        ]);
    }
    table.print(out)
}
