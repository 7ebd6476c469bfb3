//! The report for programs. docs/docker.md tells what is in it.

use std::io::Write;

use dockerfile::cache::{Cached, Cause};
use serde_json::{Value, json};

use super::Report;
use super::text::clause;

pub(super) fn print(report: &Report, out: &mut dyn Write) -> anyhow::Result<()> {
    let steps: Vec<Value> = report
        .steps
        .iter()
        .enumerate()
        .map(|(at, step)| {
            json!({
                "step": at + 1,
                "stage": step.stage,
                "instruction": step.instruction,
                "line": step.line,
                "cached": match step.cached {
                    Cached::Yes => Value::Bool(true),
                    Cached::No => Value::Bool(false),
                    Cached::Depends => Value::Null,
                },
                "causes": step.causes.iter().map(cause).collect::<Vec<_>>(),
                "unseen": step.unseen.iter().map(cause).collect::<Vec<_>>(),
                "seconds": report.costs[at].seconds,
                "bytes": report.costs[at].bytes,
                "takes": step.takes.iter().map(|step| step + 1).collect::<Vec<_>>(),
            })
        })
        .collect();
    let report = json!({
        "engine": report.engine,
        "before": report.before,
        "after": report.after,
        "steps": steps,
        "warnings": report.warnings,
    });
    serde_json::to_writer_pretty(&mut *out, &report)?;
    writeln!(out)?;
    Ok(())
}

fn cause(cause: &Cause) -> Value {
    let mut value = json!({"kind": cause.kind(), "text": clause(cause)});
    let more = match cause {
        Cause::File { path, change } => json!({"path": path, "change": change.as_str()}),
        Cause::Earlier(step) | Cause::Follows(step) | Cause::Depends(step) => {
            json!({"step": step + 1})
        }
        Cause::Variable { name, .. } => json!({"name": name}),
        Cause::Setting { name, .. } if !name.is_empty() => json!({"name": name}),
        _ => json!({}),
    };
    if let (Some(value), Value::Object(more)) = (value.as_object_mut(), more) {
        value.extend(more);
    }
    value
}
