//! `pilothouse stats`: what a running server has done so far, as a table.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value};
use url::Url;

use crate::advice;
use crate::arguments::TEMPLATE;
use crate::config::Overrides;
use crate::failure::{Explained, Outcome};
use crate::table::{Side, Table};
use crate::units::ByteSize;

/// Show what a running server has done so far
#[derive(Debug, Args)]
#[command(help_template = TEMPLATE, before_help = "Example: pilothouse stats\n\n")]
pub(crate) struct Arguments {
    /// The server [default: where the settings say it listens]
    #[arg(long, value_name = "URL")]
    url: Option<Url>,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
    /// Read settings from this file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
struct Answer {
    version: u32,
    /// As the server gives them: `docs/mirror.md` names them.
    metrics: Metrics,
}

/// Numbers by name.
#[derive(Debug, Serialize)]
struct Metrics(Map<String, Value>);

pub(crate) fn run(arguments: Arguments, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    let url = match arguments.url {
        Some(url) => url,
        None => local(arguments.config)?,
    };
    let metrics = Metrics(super::block_on(fetch(url))?);
    if arguments.json {
        super::print_json(
            out,
            &Answer {
                version: 1,
                metrics,
            },
        )?;
    } else {
        metrics.print(out)?;
    }
    Ok(Outcome::Clean)
}

/// The server that the settings describe.
fn local(config: Option<PathBuf>) -> anyhow::Result<Url> {
    let config = super::whereabouts(Overrides {
        config,
        ..Overrides::default()
    })?;
    let address = config
        .listen
        .value
        .first()
        .context("the settings name no address")?;
    let url = format!(
        "http://{}",
        SocketAddr::new(advice::reachable(address.ip()), address.port())
    );
    url.parse().with_context(|| format!("`{url}` is not a URL"))
}

async fn fetch(mut url: Url) -> anyhow::Result<Map<String, Value>> {
    url.set_path("/+metrics");
    url.set_query(Some("format=json"));
    let unreachable = || {
        Explained::new(
            format!(
                "no pilothouse answers at `{}`",
                url.origin().ascii_serialization()
            ),
            "start one with `pilothouse serve`, or name it with `--url http://ADDRESS:PORT`",
        )
    };
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(10))
        .build()?;
    let answer = client.get(url.clone()).send().await;
    let answer = answer
        .and_then(reqwest::Response::error_for_status)
        .map_err(reqwest::Error::without_url);
    let body = answer
        .with_context(unreachable)?
        .bytes()
        .await
        .map_err(reqwest::Error::without_url);
    serde_json::from_slice(&body.with_context(unreachable)?).with_context(unreachable)
}

impl Metrics {
    fn print(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let mut table = Table::new([
            ("answers", Side::Left),
            ("hits", Side::Right),
            ("revalidated", Side::Right),
            ("stale", Side::Right),
            ("misses", Side::Right),
            ("failures", Side::Right),
        ]);
        for (name, kind) in [
            ("pages", "pages"),
            ("files", "files"),
            ("metadata", "sidecars"),
        ] {
            let count = |result: &str| self.number(&format!("{kind}_{result}")).to_string();
            table.row([
                name.to_owned(),
                count("hits"),
                count("revalidated"),
                count("stale"),
                count("misses"),
                count("failures"),
            ]);
        }
        table.print(out)?;
        writeln!(out)?;
        for (name, line) in self.lines() {
            writeln!(out, "{name:<9} {line}")?;
        }
        Ok(())
    }

    fn lines(&self) -> [(&'static str, String); 6] {
        let count = |name| self.number(name);
        let size = |name| ByteSize(self.number(name)).rounded();
        let requests: u64 = ["1xx", "2xx", "3xx", "4xx", "5xx"]
            .iter()
            .map(|class| self.number(&format!("responses_{class}")))
            .sum();
        let limit = match count("disk_limit_bytes") {
            0 => "no bound".to_owned(),
            limit => ByteSize(limit).rounded(),
        };
        [
            (
                "served",
                format!(
                    "{requests} answers, {}; {} with 4xx, {} with 5xx",
                    size("response_bytes"),
                    count("responses_4xx"),
                    count("responses_5xx")
                ),
            ),
            (
                "saved",
                format!(
                    "{} of files that did not have to come from upstream",
                    size("saved_bytes")
                ),
            ),
            (
                "upstream",
                format!(
                    "{} requests, {}; {} repeated, {} failed, {:.0} ms each",
                    count("upstream_requests"),
                    size("upstream_bytes"),
                    count("upstream_retries"),
                    count("upstream_failures"),
                    self.mean_upstream_millis()
                ),
            ),
            (
                "disk",
                format!(
                    "{} of {limit}; {} files evicted, {}",
                    size("disk_used_bytes"),
                    count("evicted_files"),
                    size("evicted_bytes")
                ),
            ),
            (
                "refused",
                format!("{} files whose digest was wrong", count("refused_files")),
            ),
            (
                "now",
                format!(
                    "{} connections, {} transfers from upstream",
                    count("connections"),
                    count("transfers_in_flight")
                ),
            ),
        ]
    }

    fn mean_upstream_millis(&self) -> f64 {
        let seconds = self
            .0
            .get("upstream_seconds")
            .and_then(Value::as_f64)
            .unwrap_or(0.0);
        let requests = self.number("upstream_requests").max(1);
        seconds * 1000.0 / requests as f64
    }

    /// A server of another version may not count everything.
    fn number(&self, name: &str) -> u64 {
        let value = self.0.get(name);
        value
            .and_then(|value| {
                value
                    .as_u64()
                    .or_else(|| value.as_i64().map(|n| n.max(0) as u64))
            })
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_readable() {
        let metrics = serde_json::json!({
            "version": "0.1.0", "pages_hits": 1200, "pages_misses": 7, "files_hits": 80, "files_misses": 12,
            "upstream_requests": 20, "upstream_seconds": 0.5, "upstream_bytes": 3_500_000, "saved_bytes": 2_147_483_648_u64,
            "response_bytes": 3_221_225_472_u64, "responses_2xx": 1290, "responses_4xx": 3, "disk_used_bytes": 1_073_741_824_u64,
            "disk_limit_bytes": 0, "connections": 2, "transfers_in_flight": 1
        });
        let Value::Object(metrics) = metrics else {
            unreachable!()
        };
        let mut out = Vec::new();
        Metrics(metrics).print(&mut out).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r"
        answers   hits  revalidated  stale  misses  failures
        pages     1200            0      0       7         0
        files       80            0      0      12         0
        metadata     0            0      0       0         0

        served    1293 answers, 3.0 GiB; 3 with 4xx, 0 with 5xx
        saved     2.0 GiB of files that did not have to come from upstream
        upstream  20 requests, 3.3 MiB; 0 repeated, 0 failed, 25 ms each
        disk      1.0 GiB of no bound; 0 files evicted, 0 B
        refused   0 files whose digest was wrong
        now       2 connections, 1 transfers from upstream
        ");
    }
}
