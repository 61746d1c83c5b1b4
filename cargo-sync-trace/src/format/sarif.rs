//! SARIF 2.1.0, for code scanning: a result for each fingerprint, with a thread flow for each thread.

use crate::explain;
use crate::level::Level;
use crate::read::record::Site;
use crate::report::Report;
use crate::report::item::{Item, Severity};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{self, Write};

/// What GitHub keeps of them.
const MOST_RESULTS: usize = 5_000;
/// The same, of the steps of one thread.
const MOST_STEPS: usize = 1_000;
/// The name of what relative paths are relative to.
const ROOT: &str = "SRCROOT";

/// Writes the report.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let codes: BTreeSet<&str> = report.items.iter().map(|item| &*item.code).collect();
    let codes: Vec<&str> = codes.into_iter().collect();
    let rule_at = |code: &str| codes.iter().position(|known| *known == code).unwrap_or_default();
    let items = report.items.iter().take(MOST_RESULTS);
    let results: Vec<_> = items.map(|item| result(report, item, rule_at(&item.code))).collect();
    let problems: Vec<_> = report
        .run
        .problems
        .iter()
        .map(|problem| {
            json!({
                "level": "warning",
                "message": { "text": problem.to_string() },
            })
        })
        .collect();
    let sarif = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "sync-trace",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": codes.iter().map(|code| rule(code)).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": { ROOT: { "description": { "text": "the root of the workspace" } } },
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": problems,
            }],
            "results": results,
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &sarif)?;
    writeln!(out)
}

fn rule(code: &str) -> Value {
    let title = explain::title(code).unwrap_or(code);
    let text = explain::text(code).unwrap_or_default();
    json!({
        "id": code,
        "shortDescription": { "text": title },
        "help": { "text": text, "markdown": text },
    })
}

fn result(report: &Report, item: &Item, rule_at: usize) -> Value {
    let level = match (report.severity(item), item.level) {
        (Severity::Error, _) => "error",
        (Severity::Warning, Level::Misuse) => "note",
        (Severity::Warning, _) => "warning",
    };
    let mut message = item.title.clone();
    if let Some(condition) = &item.condition {
        message += &format!(" ({condition})");
    }
    if !item.help.is_empty() {
        message += &format!("\n\n{}", item.help);
    }
    let related = item.steps().filter(|step| !step.site.is_unknown()).take(100).enumerate();
    let related: Vec<_> = related
        .map(|(id, step)| {
            let mut location = location(&step.site, step.op.as_deref());
            location["id"] = id.into();
            location["message"] = json!({ "text": step.what });
            location
        })
        .collect();
    let flows: Vec<_> = item
        .strands
        .iter()
        .filter_map(|strand| {
            let steps = strand.steps.iter().filter(|step| !step.site.is_unknown()).take(MOST_STEPS);
            let locations: Vec<_> = steps
                .map(|step| {
                    let mut location = location(&step.site, step.op.as_deref());
                    location["message"] = json!({ "text": step.what });
                    json!({ "location": location })
                })
                .collect();
            let flow = json!({ "message": { "text": strand.who }, "locations": locations });
            (!locations_of(&flow).is_empty()).then_some(flow)
        })
        .collect();
    let mut result = json!({
        "ruleId": item.code,
        "ruleIndex": rule_at,
        "level": level,
        "message": { "text": message },
        "partialFingerprints": { "syncTrace/v1": item.fingerprint },
        "occurrenceCount": item.times.max(1),
        "relatedLocations": related,
        "properties": { "level": item.level.as_str(), "split": item.is_split, "report": item.text },
    });
    // What points nowhere is a result all the same.
    result["locations"] =
        item.main_site().map(|site| location(site, None)).into_iter().collect::<Vec<_>>().into();
    if !flows.is_empty() {
        result["codeFlows"] = json!([{ "threadFlows": flows }]);
    }
    if let Some(accepted) = &item.accepted {
        result["suppressions"] = json!([{ "kind": "external", "justification": accepted.reason }]);
    }
    result
}

fn locations_of(flow: &Value) -> &[Value] {
    flow["locations"].as_array().map_or(&[], |locations| locations)
}

fn location(site: &Site, op: Option<&str>) -> Value {
    let mut region = json!({ "startLine": site.line.max(1), "startColumn": site.column.max(1) });
    if let Some(op) = op.filter(|op| !op.is_empty()) {
        region["endColumn"] = (u64::from(site.column.max(1)) + op.chars().count() as u64).into();
    }
    json!({ "physicalLocation": { "artifactLocation": artifact(&site.file), "region": region } })
}

fn artifact(file: &str) -> Value {
    let path = file.replace('\\', "/");
    let is_absolute = path.starts_with('/') || path.get(1..2) == Some(":");
    let uri = encoded(&path);
    match is_absolute {
        false => json!({ "uri": uri, "uriBaseId": ROOT }),
        true if path.starts_with('/') => json!({ "uri": format!("file://{uri}") }),
        true => json!({ "uri": format!("file:///{uri}") }),
    }
}

/// A path as part of a URI.
fn encoded(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b':' => {
                uri.push(byte.into());
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_uris() {
        assert_eq!(artifact("src/a b.rs")["uri"], "src/a%20b.rs");
        assert_eq!(artifact("/w/ä.rs")["uri"], "file:///w/%C3%A4.rs");
        assert_eq!(artifact("C:\\w\\a.rs")["uri"], "file:///C:/w/a.rs");
        assert_eq!(artifact("src\\a.rs")["uriBaseId"], ROOT);
    }
}
