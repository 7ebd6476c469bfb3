//! How an index is spoken over HTTP.
//!
//! A request takes one of two ways. A warm project page is answered on the spot
//! by the worker that read the request, from bytes rendered and compressed when
//! the page last changed ([`page`], [`shelf`]). Everything else goes through the
//! flat list of [`routes`]; whatever may have to ask upstream runs on the main
//! runtime, so that a slow or broken domain call never holds up a worker and a
//! panic there is a 500, not a lost connection.
//!
//! This crate decides nothing about indexes: a handler takes typed arguments,
//! makes one call on a [`index::Source`] and names the answer. It is the only
//! place with status codes ([`fault`]) and headers.

mod address;
mod app;
mod asking;
mod at;
mod body;
mod conditional;
mod config;
mod credentials;
mod devpi;
mod docs;
mod fault;
mod file;
mod home;
mod listen;
mod listing;
mod log;
mod metrics;
mod oidc;
mod operator;
mod origin;
mod outside;
mod page;
mod portion;
mod range;
mod rendered;
mod reply;
mod routes;
mod scrape;
mod shelf;
mod silence;
mod stem;
mod tokens;
mod told;
mod upload;
mod worker;
mod yank;

pub use app::{App, House, Probe};
pub use config::{Config, LogFormat};
pub use listen::{Error, bind, serve, serve_all};
