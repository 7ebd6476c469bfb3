//! The tables, what they were measured on, and the same for programs.

use std::fmt;
use std::fs;
use std::process::Command;
use std::thread;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::client::Client;
use crate::rows::{Row, Unit};

/// What a run is known by.
pub(crate) struct Run {
    began: Timestamp,
    version: String,
    cores: usize,
    processor: String,
    kernel: String,
    command: String,
}

impl Run {
    /// One that begins now, of this binary.
    pub(crate) fn new(binary: &str) -> Self {
        let commit = output("git", &["rev-parse", "--short", "HEAD"]);
        let compiler = output("rustc", &["--version"]);
        let arguments = std::env::args().skip(1);
        let arguments: Vec<_> = arguments.filter(|argument| argument != "--bench").collect();
        let command = format!("cargo xtask bench private {}", arguments.join(" "));
        Self {
            began: Timestamp::now(),
            version: format!(
                "{} at commit {commit} ({compiler})",
                output(binary, &["--version"])
            ),
            cores: thread::available_parallelism().unwrap().get(),
            processor: processor(),
            kernel: read("/proc/sys/kernel/osrelease"),
            command: command.trim_end().to_owned(),
        }
    }
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(path)
        .unwrap_or_default()
        .trim()
        .to_owned()
}

fn processor() -> String {
    let all = read("/proc/cpuinfo");
    let line = all.lines().find_map(|line| line.strip_prefix("model name"));
    line.unwrap_or_default()
        .trim_start_matches(['\t', ' ', ':'])
        .to_owned()
}

/// The version of a devpi-server, as it gives it itself.
pub(crate) fn devpis_version(url: &str) -> String {
    let status = Client::new(url).json("GET", "/+status", None, &Value::Null);
    let status: Value = serde_json::from_str(&status.text()).unwrap();
    let version = &status["result"]["versioninfo"]["devpi-server"];
    version.as_str().unwrap().to_owned()
}

/// Both servers' figures beside each other.
pub(crate) struct Report {
    run: Run,
    devpis_version: String,
    lines: Vec<Line>,
}

struct Line {
    what: String,
    unit: Unit,
    ours: Option<f64>,
    devpis: Option<f64>,
}

impl Line {
    /// How many times better ours is.
    fn ratio(&self) -> Option<f64> {
        let (ours, devpis) = self.ours.zip(self.devpis)?;
        Some(match self.unit {
            Unit::PerSecond | Unit::Megabytes => ours / devpis,
            Unit::Milliseconds => devpis / ours,
        })
    }
}

impl Report {
    /// Rows of the same measurements.
    pub(crate) fn new(run: Run, devpis_version: String, ours: &[Row], devpis: &[Row]) -> Self {
        let lines = ours.iter().zip(devpis).map(|(ours, devpis)| {
            assert_eq!(ours.what, devpis.what);
            Line {
                what: ours.what.clone(),
                unit: ours.unit,
                ours: ours.figure,
                devpis: devpis.figure,
            }
        });
        Self {
            run,
            devpis_version,
            lines: lines.collect(),
        }
    }

    /// For programs: every figure as it was measured.
    pub(crate) fn json(&self) -> String {
        let rows: Vec<_> = self
            .lines
            .iter()
            .map(|line| {
                json!({
                    "what": line.what,
                    "unit": line.unit.to_string(),
                    "pilothouse": line.ours,
                    "devpi": line.devpis,
                    "ratio": line.ratio(),
                })
            })
            .collect();
        let report = json!({
            "date": self.run.began.to_string(),
            "command": self.run.command,
            "machine": {
                "cores": self.run.cores,
                "processor": self.run.processor,
                "kernel": self.run.kernel,
            },
            "versions": {"pilothouse": self.run.version, "devpi-server": self.devpis_version},
            "rows": rows,
        });
        format!("{report:#}\n")
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PerSecond => "1/s",
            Self::Megabytes => "MB/s",
            Self::Milliseconds => "ms",
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let run = &self.run;
        writeln!(
            f,
            "Run: {}, devpi-server {}; {} cores of {}, kernel {}; date {}; `{}`.\n",
            run.version,
            self.devpis_version,
            run.cores,
            run.processor,
            run.kernel,
            run.began.strftime("%Y-%m-%d %H:%M"),
            run.command
        )?;
        writeln!(f, "| what | unit | pilothouse | devpi | ratio |")?;
        writeln!(f, "|---|---|---|---|---|")?;
        for line in &self.lines {
            let [ours, devpis] = [line.ours, line.devpis].map(shown);
            let ratio = match line.ratio() {
                Some(ratio) => format!("{} ×", rounded(ratio)),
                None => "-".to_owned(),
            };
            let (what, unit) = (&line.what, line.unit);
            writeln!(f, "| {what} | {unit} | {ours} | {devpis} | {ratio} |")?;
        }
        Ok(())
    }
}

fn shown(figure: Option<f64>) -> String {
    figure.map_or("-".to_owned(), rounded)
}

fn rounded(figure: f64) -> String {
    match figure {
        _ if figure >= 100.0 => format!("{figure:.0}"),
        _ if figure >= 1.0 => format!("{figure:.1}"),
        _ => format!("{figure:.3}"),
    }
}
