//! What happened to a file, as devpi's client shows it.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::By;

/// One thing that happened to a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "lowercase")]
pub enum LogEntry {
    /// Somebody sent it.
    Upload {
        /// Who.
        who: Option<String>,
        /// Year, month, day, hour, minute and second, UTC.
        when: [i16; 6],
        /// To which index.
        dst: String,
    },
    /// Somebody took it over from another index.
    Push {
        /// Who.
        who: Option<String>,
        /// Year, month, day, hour, minute and second, UTC.
        when: [i16; 6],
        /// From which index.
        src: String,
        /// To which index.
        dst: String,
    },
    /// It came in place of other bytes.
    Overwrite {
        /// Nobody: devpi does not say.
        who: Option<String>,
        /// Year, month, day, hour, minute and second, UTC.
        when: [i16; 6],
        /// How often by now.
        count: u64,
    },
}

impl LogEntry {
    pub(super) fn upload(by: &By, dst: &str) -> Self {
        Self::Upload {
            who: by.who.clone(),
            when: when(by.at),
            dst: dst.to_owned(),
        }
    }

    pub(super) fn push(by: &By, src: &str, dst: &str) -> Self {
        Self::Push {
            who: by.who.clone(),
            when: when(by.at),
            src: src.to_owned(),
            dst: dst.to_owned(),
        }
    }

    fn is_overwrite(&self) -> bool {
        matches!(self, Self::Overwrite { .. })
    }
}

/// Reads a row's log. What cannot be read is left out: it is history, not state.
pub(super) fn read(log: &str) -> Vec<LogEntry> {
    let entries: Vec<serde_json::Value> = serde_json::from_str(log).unwrap_or_default();
    entries
        .into_iter()
        .filter_map(|entry| serde_json::from_value(entry).ok())
        .collect()
}

/// Writes a row's log.
pub(super) fn write(entries: &[LogEntry]) -> String {
    serde_json::to_string(entries).expect("a log can always be written")
}

/// The log of a file that comes in place of one with the log `before`; an overwrite
/// is told first, with how many there were.
pub(super) fn after(before: Option<&str>, entries: Vec<LogEntry>, at: Timestamp) -> Vec<LogEntry> {
    let entries = entries.into_iter().filter(|entry| !entry.is_overwrite());
    let overwrite = before.map(|before| {
        let counts = read(before).into_iter().map(|entry| match entry {
            LogEntry::Overwrite { count, .. } => count,
            _ => 0,
        });
        LogEntry::Overwrite {
            who: None,
            when: when(at),
            count: counts.sum::<u64>() + 1,
        }
    });
    overwrite.into_iter().chain(entries).collect()
}

fn when(at: Timestamp) -> [i16; 6] {
    let at = TimeZone::UTC.to_datetime(at);
    let small = [at.month(), at.day(), at.hour(), at.minute(), at.second()].map(i16::from);
    [at.year(), small[0], small[1], small[2], small[3], small[4]]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by() -> By {
        By {
            who: Some("alice".to_owned()),
            ..By::nobody("2026-11-25T04:05:06.7Z".parse().unwrap())
        }
    }

    #[test]
    fn a_log_is_written_as_devpi_writes_it() {
        let log = [
            LogEntry::upload(&by(), "a/dev"),
            LogEntry::push(&by(), "a/dev", "b/prod"),
        ];
        let text = write(&log);
        assert_eq!(
            text,
            concat!(
                r#"[{"what":"upload","who":"alice","when":[2026,11,25,4,5,6],"dst":"a/dev"},"#,
                r#"{"what":"push","who":"alice","when":[2026,11,25,4,5,6],"src":"a/dev","dst":"b/prod"}]"#
            )
        );
        assert_eq!(read(&text), log);
        assert_eq!(read("[{\"what\":\"other\"}, 1]"), []);
        assert_eq!(read("nothing"), []);
    }

    #[test]
    fn an_overwrite_is_told_first_and_counted() {
        let upload = || vec![LogEntry::upload(&by(), "a/dev")];
        let first = after(None, upload(), by().at);
        assert_eq!(first, upload());
        let second = after(Some(&write(&first)), upload(), by().at);
        let third = after(Some(&write(&second)), second.clone(), by().at);
        assert_eq!((second.len(), third.len()), (2, 2));
        let counts = [&second[0], &third[0]].map(|entry| match entry {
            LogEntry::Overwrite { count, .. } => *count,
            _ => 0,
        });
        assert_eq!(counts, [1, 2]);
    }
}
