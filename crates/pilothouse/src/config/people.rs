//! What the file says about people: groups, views, and whose CI jobs may upload.

use std::collections::{BTreeMap, HashMap};

use index::IndexName;
use index::access::UserName;
use index::publisher::Publisher;
use pyspec::ProjectName;
use url::Url;

use super::reader::Table;

pub(super) const GROUP_KEYS: &[&str] = &["members"];
pub(super) const VIEW_KEYS: &[&str] = &["indexes"];
pub(super) const PUBLISHER_KEYS: &[&str] = &["issuer", "index", "project", "claims"];

/// What the file says about people.
#[derive(Debug, Clone, Default)]
pub(crate) struct People {
    /// The users of each group.
    pub(crate) groups: HashMap<String, Vec<String>>,
    /// Indexes that are shown in a row, by the name of the view.
    pub(crate) views: BTreeMap<Box<str>, Vec<IndexName>>,
    /// Whose CI jobs may upload.
    pub(crate) publishers: Vec<Publisher>,
}

pub(super) fn read(root: &Table) -> People {
    let mut people = People::default();
    root.named_tables("group", GROUP_KEYS, |name, table| {
        let members = table.texts("members", |text| {
            text.parse::<UserName>().map(|user| user.to_string())
        });
        let members = members.map(|setting| setting.value).unwrap_or_default();
        people.groups.insert(name.to_owned(), members);
    });
    root.named_tables("view", VIEW_KEYS, |name, table| {
        let label = format!("views/{name}");
        if label.parse::<IndexName>().is_err() {
            table.fault(
                "",
                "a view's name is made of letters, digits, `.`, `_`, `@` and `-`".to_owned(),
            );
        }
        let indexes = table.texts("indexes", str::parse::<IndexName>);
        let indexes = indexes.map(|setting| setting.value).unwrap_or_default();
        if indexes.is_empty() {
            table.fault(
                "indexes",
                "names the indexes of the view, the first to be asked first".to_owned(),
            );
        }
        people.views.insert(name.into(), indexes);
    });
    root.named_tables("publisher", PUBLISHER_KEYS, |_, table| {
        people.publishers.extend(publisher(table));
    });
    people
}

fn publisher(table: &Table) -> Option<Publisher> {
    for key in ["issuer", "index", "claims"] {
        if !table.has(key) {
            table.fault(
                "",
                format!("needs `{key}`: without it anybody's CI could upload"),
            );
        }
    }
    let issuer = table.text("issuer", issuer);
    let index = table.text("index", str::parse::<IndexName>);
    let project = table.text("project", str::parse::<ProjectName>);
    let claims = table.texts("claims", claim)?;
    if claims.value.is_empty() {
        table.fault(
            "claims",
            "needs at least one: without any, every job of this issuer could upload".to_owned(),
        );
    }
    Some(Publisher {
        issuer: issuer?.value,
        index: index?.value,
        project: project.map(|setting| setting.value),
        claims: claims.value.into_iter().collect(),
    })
}

fn issuer(text: &str) -> Result<Url, String> {
    match text.parse::<Url>() {
        Ok(url) if matches!(url.scheme(), "https" | "http") && url.has_host() => Ok(url),
        _ => Err(format!("`{text}` is not the https URL of an issuer")),
    }
}

fn claim(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!(
            "`{text}` should be a claim and its value, like \"repository=corp/app\""
        )),
    }
}
