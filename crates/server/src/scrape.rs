//! The numbers of the domain and of the workers, as Prometheus text or flat JSON.

use std::fmt::Error;

use index::{Kind, Stats};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use serde_json::{Map, Value};

use crate::app::App;
use crate::metrics::{BOUNDS, CLASSES};
use crate::told::{CacheState, Route};

/// The media type of [`prometheus`].
pub(crate) const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All numbers in Prometheus' text form.
pub(crate) fn prometheus(app: &App) -> Result<String, Error> {
    settle(app);
    let mut registry = Registry::with_prefix("pilothouse");
    registry.register_collector(Box::new(Gathered(app.clone())));
    let mut text = String::with_capacity(16 * 1024);
    prometheus_client::encoding::text::encode(&mut text, &registry)?;
    Ok(text)
}

/// All numbers as one flat JSON object.
pub(crate) fn json(app: &App) -> String {
    settle(app);
    let mut all = Map::new();
    all.insert("version".to_owned(), env!("CARGO_PKG_VERSION").into());
    for (what, kind) in kinds(app.stats()) {
        for (result, count) in results(kind) {
            all.insert(format!("{what}_{result}"), count.into());
        }
    }
    for number in numbers(app) {
        let value = match number.value {
            Amount::Sum(sum) => Value::from(sum),
            Amount::Seconds(micros) => Value::from(micros as f64 / 1e6),
            Amount::Level(level) => Value::from(level),
        };
        all.insert(number.name.to_owned(), value);
    }
    for route in Route::ALL {
        let count: u64 = app
            .tallies()
            .iter()
            .map(|tally| tally.buckets(route).iter().sum::<u64>())
            .sum();
        all.insert(format!("requests_{}", route.name()), count.into());
    }
    for (class, name) in CLASSES.iter().enumerate() {
        let count: u64 = Route::ALL
            .into_iter()
            .flat_map(|route| CacheState::ALL.map(|cache| requests(app, route, class, cache)))
            .sum();
        all.insert(format!("responses_{name}"), count.into());
    }
    Value::Object(all).to_string()
}

fn settle(app: &App) {
    for tally in app.tallies() {
        tally.settle(&app.stats().pages);
    }
}

fn requests(app: &App, route: Route, class: usize, cache: CacheState) -> u64 {
    app.tallies()
        .iter()
        .map(|tally| tally.requests(route, class, cache))
        .sum()
}

struct Number {
    name: &'static str,
    help: &'static str,
    value: Amount,
}

enum Amount {
    Sum(u64),
    /// In microseconds.
    Seconds(u64),
    Level(i64),
}

/// Every number without labels.
fn numbers(app: &App) -> Vec<Number> {
    use Amount::{Level, Seconds, Sum};
    let stats = app.stats();
    let connections = app
        .tallies()
        .iter()
        .map(|tally| tally.connections.value())
        .sum();
    let bytes = app
        .tallies()
        .iter()
        .flat_map(|tally| Route::ALL.map(|route| tally.bytes(route)))
        .sum();
    let (pages, page_bytes) = app.shelf().size();
    let row = |name, help, value| Number { name, help, value };
    vec![
        row(
            "upstream_requests",
            "Requests sent upstream, retries included",
            Sum(stats.upstream_requests.value()),
        ),
        row(
            "upstream_failures",
            "Requests upstream that failed",
            Sum(stats.upstream_failures.value()),
        ),
        row(
            "upstream_retries",
            "Repeated requests upstream",
            Sum(stats.upstream_retries.value()),
        ),
        row(
            "upstream_seconds",
            "Time spent waiting for upstream to answer",
            Seconds(stats.upstream_micros.value()),
        ),
        row(
            "upstream_bytes",
            "Body bytes received from upstream",
            Sum(stats.upstream_bytes.value()),
        ),
        row(
            "saved_bytes",
            "File bytes that did not have to come from upstream",
            Sum(stats.bytes_saved.value()),
        ),
        row(
            "refused_files",
            "Files refused for a wrong digest",
            Sum(stats.refused.value()),
        ),
        row(
            "unkept_files",
            "Files that were served but could not be stored",
            Sum(stats.unkept.value()),
        ),
        row(
            "evicted_files",
            "Files removed to keep the disk bounded",
            Sum(stats.evicted_files.value()),
        ),
        row(
            "evicted_bytes",
            "Bytes removed to keep the disk bounded",
            Sum(stats.evicted_bytes.value()),
        ),
        row(
            "metadata_made",
            "Wheels whose metadata was made here",
            Sum(stats.metadata_made.value()),
        ),
        row(
            "webhooks_delivered",
            "Events that webhooks were told of",
            Sum(stats.webhooks_delivered.value()),
        ),
        row(
            "webhooks_failed",
            "Attempts to tell webhooks that failed",
            Sum(stats.webhooks_failed.value()),
        ),
        row(
            "response_bytes",
            "Body bytes announced to clients",
            Sum(bytes),
        ),
        row(
            "transfers_in_flight",
            "Transfers from upstream under way",
            Level(stats.in_flight.value()),
        ),
        row(
            "disk_used_bytes",
            "Bytes of all stored files",
            Level(stats.disk_used.value()),
        ),
        row(
            "disk_limit_bytes",
            "Bytes that may be stored; 0 means no bound",
            Level(stats.disk_limit.value()),
        ),
        row("connections", "Connections open", Level(connections)),
        row(
            "rendered_pages",
            "Rendered pages in memory",
            Level(pages as i64),
        ),
        row(
            "rendered_page_bytes",
            "Bytes of rendered pages in memory",
            Level(page_bytes as i64),
        ),
    ]
}

fn kinds(stats: &Stats) -> [(&'static str, &Kind); 3] {
    [
        ("pages", &stats.pages),
        ("files", &stats.files),
        ("sidecars", &stats.sidecars),
    ]
}

fn results(kind: &Kind) -> [(&'static str, u64); 5] {
    [
        ("hits", kind.hits.value()),
        ("misses", kind.misses.value()),
        ("stale", kind.stale.value()),
        ("revalidated", kind.revalidated.value()),
        ("failures", kind.failures.value()),
    ]
}

#[derive(Debug)]
struct Gathered(App);

impl Collector for Gathered {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        for number in numbers(&self.0) {
            let Number { name, help, value } = number;
            match value {
                Amount::Sum(sum) => plain(&mut encoder, (name, help), &ConstCounter::new(sum))?,
                Amount::Seconds(micros) => {
                    plain(
                        &mut encoder,
                        (name, help),
                        &ConstCounter::new(micros as f64 / 1e6),
                    )?;
                }
                Amount::Level(level) => plain(&mut encoder, (name, help), &ConstGauge::new(level))?,
            }
        }
        self.answers(&mut encoder)?;
        self.requests(&mut encoder)?;
        self.durations(&mut encoder)
    }
}

fn plain(
    encoder: &mut DescriptorEncoder<'_>,
    (name, help): (&str, &str),
    metric: &impl EncodeMetric,
) -> Result<(), Error> {
    let descriptor = encoder.encode_descriptor(name, help, None, metric.metric_type())?;
    metric.encode(descriptor)
}

impl Gathered {
    fn answers(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let help = "Answers of the indexes, by what was asked and where the answer came from";
        let mut metric = encoder.encode_descriptor("answers", help, None, MetricType::Counter)?;
        for (what, kind) in kinds(self.0.stats()) {
            for (result, count) in results(kind) {
                counter(&mut metric, &[("kind", what), ("result", result)], count)?;
            }
        }
        Ok(())
    }

    fn requests(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let help = "Requests, by what was asked, status class and where the answer came from";
        let mut metric = encoder.encode_descriptor("requests", help, None, MetricType::Counter)?;
        for route in Route::ALL {
            for (class, status) in CLASSES.iter().enumerate() {
                for cache in CacheState::ALL {
                    let count = requests(&self.0, route, class, cache);
                    if count > 0 {
                        let cache = if cache == CacheState::None {
                            "none"
                        } else {
                            cache.name()
                        };
                        let labels = [
                            ("route", route.name()),
                            ("status", *status),
                            ("cache", cache),
                        ];
                        counter(&mut metric, &labels, count)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn durations(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let help = "Time from a request's head to its answer's head";
        let name = "request_duration_seconds";
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
        for route in Route::ALL {
            let mut buckets = [0; 12];
            let mut micros = 0;
            for tally in self.0.tallies() {
                for (sum, more) in buckets.iter_mut().zip(tally.buckets(route)) {
                    *sum += more;
                }
                micros += tally.micros(route);
            }
            let count = buckets.iter().sum();
            let bounds = BOUNDS
                .iter()
                .map(|bound| *bound as f64 / 1e6)
                .chain([f64::INFINITY]);
            let buckets: Vec<(f64, u64)> = bounds.zip(buckets).collect();
            metric
                .encode_family(&[("route", route.name())])?
                .encode_histogram::<NoLabelSet>(micros as f64 / 1e6, count, &buckets, None)?;
        }
        Ok(())
    }
}

fn counter<const N: usize>(
    metric: &mut MetricEncoder<'_>,
    labels: &[(&str, &str); N],
    count: u64,
) -> Result<(), Error> {
    metric
        .encode_family(labels)?
        .encode_counter::<NoLabelSet, u64, f64>(&count, None)
}
