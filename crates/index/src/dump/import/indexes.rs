//! The indexes of a dump. They are made without bases first, and get them when all are filled.

use serde_json::{Map, Value, json};

use super::{Import, Report};
use crate::acl::Principal;
use crate::dump::{Dump, ListedIndex};
use crate::indexes::{Editor, Noop};
use crate::{By, Error, IndexName, IndexSettings, Origin};

impl Import<'_> {
    pub(super) async fn make_indexes(
        &self,
        dump: &Dump<'_>,
        report: &mut Report,
    ) -> Result<(), Error> {
        for (name, listed) in &dump.indexes {
            if !self.is_skipped(listed) {
                self.make_index(name, listed, report).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn set_all_bases(
        &self,
        dump: &Dump<'_>,
        report: &mut Report,
    ) -> Result<(), Error> {
        for (name, listed) in &dump.indexes {
            if !self.is_skipped(listed) {
                self.set_bases(dump, name, listed, report).await?;
            }
        }
        Ok(())
    }

    /// Whether an index is of a type that is to be left out.
    pub(super) fn is_skipped(&self, listed: &ListedIndex<'_>) -> bool {
        let kind = listed.settings.get("type").and_then(Value::as_str);
        kind.is_some_and(|kind| self.skip_types.iter().any(|skipped| skipped == kind))
    }

    async fn make_index(
        &self,
        name: &str,
        listed: &ListedIndex<'_>,
        report: &mut Report,
    ) -> Result<(), Error> {
        let Ok(index) = name.parse::<IndexName>() else {
            let problem = format!("`{name}` is no name of an index here, and is left out");
            report.problems.push(problem);
            return Ok(());
        };
        let now = self.indexes.catalog().now();
        let known = now.get(&index);
        if known.is_some_and(|entry| entry.origin == Origin::Config) {
            report.notes.push(format!(
                "{name} is set in the config file here, and stays as it is"
            ));
            return Ok(());
        }
        let fields = taken_over(&index, &listed.settings, report);
        if let Some(entry) = known {
            if is_set_as(&entry.settings, &index, &fields) {
                report.known += 1;
            } else {
                report.problems.push(format!(
                    "{name} is here already with other settings, and keeps them"
                ));
            }
            return Ok(());
        }
        let editor = Editor::who_sees_all(By::nobody(self.now));
        match self.indexes.create(&editor, &index, &fields).await {
            Ok(_) => report.indexes += 1,
            Err(error @ (Error::BadRequest { .. } | Error::NoSuchUser { .. })) => {
                let problem = format!("index {name} cannot be taken over: {error}");
                report.problems.push(problem);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    async fn set_bases(
        &self,
        dump: &Dump<'_>,
        name: &str,
        listed: &ListedIndex<'_>,
        report: &mut Report,
    ) -> Result<(), Error> {
        let now = self.indexes.catalog().now();
        let is_here = |base: &str| base.parse().is_ok_and(|base| now.get(&base).is_some());
        let bases = names(listed.settings.get("bases"));
        let (here, missing): (Vec<_>, Vec<_>) = bases.into_iter().partition(|base| is_here(base));
        let index = name.parse::<IndexName>().ok();
        let Some(entry) = index.and_then(|index| now.get(&index)) else {
            return Ok(());
        };
        let known = entry.settings.bases();
        if !known.is_empty() {
            if !known.iter().map(IndexName::as_str).eq(&here) {
                let problem = format!("{name} is here already with other bases, and keeps them");
                report.problems.push(problem);
            }
            return Ok(());
        }
        // A mirror owns no names. What else is missing shielded some from the bases after it.
        let is_mirror = |base: &String| dump.indexes.get(base.as_str()).is_some_and(is_mirror);
        let shield = missing.iter().find(|base| !is_mirror(base));
        if let Some(base) = shield {
            report.problems.push(format!(
                "{name} gets no bases: `{base}`, which is not here, would no longer keep its names from the others"
            ));
            return Ok(());
        }
        for base in missing {
            let problem = format!("{name} loses its base `{base}`, which is not here");
            report.problems.push(problem);
        }
        if here.is_empty() || entry.origin == Origin::Config {
            return Ok(());
        }
        let (sent, editor) = (
            json!([format!("bases={}", here.join(","))]),
            Editor::who_sees_all(By::nobody(self.now)),
        );
        let patch = self.indexes.patch(&editor, &entry.name, &sent, Noop::Fine);
        match patch.await {
            Ok(_) => Ok(()),
            Err(Error::BadRequest { why }) => {
                let problem = format!("the bases of {name} cannot be taken over: {why}");
                report.problems.push(problem);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

/// Whether an index of the dump mirrors another server.
fn is_mirror(listed: &ListedIndex<'_>) -> bool {
    let kind = listed.settings.get("type").and_then(Value::as_str);
    matches!(kind, Some("mirror" | "remote"))
}

/// Whether more people may read an index here than in the dump.
pub(super) fn is_wider(here: &IndexSettings, name: &IndexName, listed: &ListedIndex<'_>) -> bool {
    let fields = taken_over(name, &listed.settings, &mut Report::default());
    let Ok(there) = IndexSettings::create(name.user(), &fields) else {
        return true;
    };
    let (here, there) = (here.readers(), there.readers());
    let is_for_users = there.entries().contains(&Principal::Authenticated);
    let is_there = |one: &Principal| {
        there.entries().contains(one) || (is_for_users && *one != Principal::Anonymous)
    };
    !there.is_for_anyone() && !here.entries().iter().all(is_there)
}

/// Whether all but the bases is set as these fields say. Bases come later, so they may lack
/// where an import was interrupted.
fn is_set_as(settings: &IndexSettings, index: &IndexName, fields: &Map<String, Value>) -> bool {
    let all_but_bases = |settings: &IndexSettings| {
        let mut kept = settings.to_kept();
        kept.remove("bases");
        kept
    };
    IndexSettings::create(index.user(), fields)
        .is_ok_and(|wanted| all_but_bases(&wanted) == all_but_bases(settings))
}

/// The settings that mean something here; what other settings would, is told.
fn taken_over(
    index: &IndexName,
    settings: &Map<String, Value>,
    report: &mut Report,
) -> Map<String, Value> {
    let needed = |key: &str| matches!(key, "type" | "mirror_url" | "remote_url");
    let (mut taken, others): (Map<_, _>, Vec<_>) = {
        let all = of_today(settings).into_iter();
        let all = all.filter(|(key, _)| !matches!(key.as_str(), "bases" | "projects"));
        let (needed, others): (Vec<_>, Vec<_>) = all.partition(|(key, _)| needed(key));
        (needed.into_iter().collect(), others)
    };
    for (key, value) in others {
        let mut with = taken.clone();
        with.insert(key.clone(), value);
        match IndexSettings::create(index.user(), &with) {
            Ok(_) => taken = with,
            Err(_) if IndexSettings::create(index.user(), &taken).is_err() => {
                // Something else is wrong, which is told when the index is made.
                taken = with;
            }
            Err(why) if key == "acl_pkg_read" => {
                taken.insert(key, json!([index.user()]));
                report.problems.push(format!(
                    "{index} is for its owner alone now: who may read it cannot be told ({why})"
                ));
            }
            Err(why) => {
                let problem = format!("{index} loses its setting `{key}`: {why}");
                report.problems.push(problem);
            }
        }
    }
    taken
}

/// Settings in the words of devpi 6, as its own import has them.
fn of_today(settings: &Map<String, Value>) -> Map<String, Value> {
    let mut settings = settings.clone();
    if let Some(whitelist) = settings.remove("pypi_whitelist") {
        // Renamed in devpi 3.
        settings.entry("mirror_whitelist").or_insert(whitelist);
    }
    let trigger = settings.get("uploadtrigger_jenkins");
    if trigger.is_some_and(|url| matches!(url.as_str(), None | Some(""))) {
        // Nothing was ever triggered.
        settings.remove("uploadtrigger_jenkins");
    }
    settings
}

fn names(bases: Option<&Value>) -> Vec<String> {
    match bases {
        Some(Value::Array(bases)) => {
            let bases = bases.iter().filter_map(Value::as_str);
            bases.map(str::to_owned).collect()
        }
        Some(Value::String(bases)) => {
            let bases = bases.split(',').map(str::trim);
            bases
                .filter(|base| !base.is_empty())
                .map(str::to_owned)
                .collect()
        }
        _ => Vec::new(),
    }
}
