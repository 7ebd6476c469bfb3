//! The binary as a person meets it: help, settings, exit codes, what it prints.

mod binary;
mod cache;
mod docker_costs;
mod docker_explain;
mod docker_fix;
mod docker_init;
mod docker_lint;
mod door;
mod help;
mod people;
mod sarif;
mod serve;
mod settings;
