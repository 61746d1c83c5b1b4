//! Each form of a report, checked by somebody else's idea of it.

use crate::story::{Ended, Story, run_of};
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Checks every form of the report on `run`, in which `code` was found, or nothing.
pub(crate) fn check_all(story: &Story, run: &str, code: &str) {
    let report =
        |format: &str| story.run(&["report", run, "--deny", "nothing", "--format", format]);
    let json = report("json").expect(0, &[]);
    check_json(&json.stdout);
    let found = |line: &Value| line["type"] == "finding" && line["code"] == code;
    assert_eq!(
        json.lines().iter().filter(|line| found(line)).count(),
        usize::from(!code.is_empty())
    );

    let sarif: Value = serde_json::from_str(&report("sarif").expect(0, &[]).stdout).unwrap();
    check_sarif(&sarif);
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert!(results.iter().all(|result| result["ruleId"] == code));

    let markdown = report("markdown").expect(0, &[]).stdout;
    assert!(markdown.starts_with("## sync-trace\n\nsync-trace: "), "{markdown}");
    let summary = story.path("summary.md");
    let _ = std::fs::remove_file(&summary);
    let github = story.run_with(
        &["report", run, "--deny", "nothing", "--format", "github"],
        &[("GITHUB_STEP_SUMMARY", summary.to_str().unwrap())],
    );
    assert_eq!(std::fs::read_to_string(&summary).unwrap(), markdown);
    let lines: Vec<_> = github.stdout.lines().collect();
    assert_eq!(lines.len(), results.len(), "{}", github.stdout);
    assert!(lines.iter().all(|line| line.starts_with("::error file=")), "{}", github.stdout);

    let graphs = if code.is_empty() { 1 } else { 2 };
    let dot = report("dot").expect(0, &[]).stdout;
    assert_eq!(check_dot(&dot), graphs, "{dot}");
    let mermaid = report("mermaid").expect(0, &[]).stdout;
    check_mermaid(&mermaid.split("\n\n").map(ToOwned::to_owned).collect::<Vec<_>>());
    check_folded(report("folded"));
}

/// Whether threads have queued is up to the story.
fn check_folded(folded: Ended) {
    if folded.status == Some(1) {
        folded.expect(1, &["error: no contention data in this run"]);
        return;
    }
    let folded = folded.expect(0, &[]).stdout;
    for line in folded.lines() {
        let (stack, nanos) = line.rsplit_once(' ').unwrap();
        assert!(stack.split(';').count() == 3 && nanos.parse::<u64>().is_ok(), "{folded}");
    }
    assert!(!folded.is_empty());
}

fn schema(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[track_caller]
fn check_schema(schema: &Value, values: &[Value]) {
    let schema = jsonschema::validator_for(schema).unwrap();
    for value in values {
        let errors: Vec<_> = schema
            .iter_errors(value)
            .map(|error| format!("{error} at {}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}\nin:\n{value:#}");
    }
}

fn package() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[track_caller]
pub(crate) fn check_json(lines: &str) {
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    check_schema(&schema(&package().join("../docs/report.schema.json")), &lines);
    assert_eq!(
        (&lines[0]["type"], &lines[lines.len() - 1]["type"]),
        (&"report".into(), &"summary".into())
    );
}

#[track_caller]
pub(crate) fn check_sarif(sarif: &Value) {
    let mut schema = schema(&package().join("tests/fixtures/sarif-schema-2.1.0.json"));
    // The pattern of languages is no regular expression: a bracket in it is closed that was not opened.
    for definition in ["run", "toolComponent"] {
        let language = &mut schema["definitions"][definition]["properties"]["language"];
        language.as_object_mut().unwrap().remove("pattern").expect("it is still there");
    }
    check_schema(&schema, std::slice::from_ref(sarif));
    // What the schema does not say: indices point at what they are about.
    let run = &sarif["runs"][0];
    for result in run["results"].as_array().unwrap() {
        let at = result["ruleIndex"].as_u64().unwrap() as usize;
        assert_eq!(run["tool"]["driver"]["rules"][at]["id"], result["ruleId"]);
    }
}

/// Parses graphs with another one's parser, and says how many there are.
#[track_caller]
fn check_dot(text: &str) -> usize {
    let graphs: Vec<_> = text.split_inclusive("\n}\n").collect();
    for graph in &graphs {
        let mut parser = layout::gv::DotParser::new(graph);
        if let Err(error) = parser.process() {
            panic!("{error} in:\n{graph}");
        }
    }
    graphs.len()
}

/// Parses diagrams with Mermaid's own parser, if that is there.
#[track_caller]
fn check_mermaid(diagrams: &[String]) {
    let dir = package().join("tests/mermaid");
    if !dir.join("node_modules/mermaid").is_dir() {
        eprintln!("skipped: `npm ci` in {} brings Mermaid's parser", dir.display());
        return;
    }
    let started = Command::new("node")
        .arg("parse.mjs")
        .current_dir(&dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut node) = started else {
        eprintln!("skipped: node is not installed, so Mermaid's parser cannot run");
        return;
    };
    let text = diagrams.join("\n----\n");
    node.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = node.wait_with_output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}\nin:\n{text}");
    let types = String::from_utf8_lossy(&output.stdout);
    assert_eq!(types.lines().collect::<Vec<_>>(), vec!["flowchart-v2"; diagrams.len()]);
}

/// Two processes with names that every form takes for its own.
const ODD: &str = r#"`<"a|b\\c\n#;&%{x}[y] ::error -->"#;

fn odd_run() -> tempfile::TempDir {
    let process = |pid: u32, held: u32, wanted: u32| {
        format!(
            "{{\"record\":\"header\",\"format\":1,\"library\":\"0.1.0\",\"pid\":{pid}}}\n\
             {{\"record\":\"class\",\"class\":1,\"key\":\"name:1{ODD}\",\"name\":\"1{ODD}\",\"label\":\"1{ODD}\",\"kind\":\"mutex\",\"type\":\"u8\"}}\n\
             {{\"record\":\"class\",\"class\":2,\"key\":\"name:2\",\"name\":\"2\",\"label\":\"2{ODD}\",\"kind\":\"mutex\",\"type\":\"u8\"}}\n\
             {{\"record\":\"thread\",\"thread\":1,\"name\":\"{ODD}\",\"os_id\":7}}\n\
             {{\"record\":\"order\",\"thread\":1,\"held\":[{{\"class\":{held},\"mode\":\"exclusive\",\"op\":\"lock\",\"site\":{{\"file\":\"src/ä b,:.rs\",\"line\":1,\"column\":2}}}}],\
             \"wanted\":{{\"class\":{wanted},\"mode\":\"exclusive\",\"op\":\"lock\",\"site\":{{\"file\":\"src/ä b,:.rs\",\"line\":3,\"column\":4}}}}}}\n"
        )
        .replace(ODD, &ODD.replace('"', "\\\""))
    };
    run_of(&[&process(1, 1, 2), &process(2, 2, 1)])
}

#[test]
fn odd_names_break_no_form() {
    let story = Story::new("odd", &[("src/lib.rs", "")]);
    let run = odd_run();
    let run = run.path().to_str().unwrap();
    let ended = story.run(&["report", run]).expect(0, &[]);
    assert!(ended.stdout.contains("1 warning (ST0101 x1), 2 classes of locks"), "{}", ended.stdout);
    let report =
        |format: &str| story.run(&["report", run, "--format", format]).expect(0, &[]).stdout;
    check_json(&report("json"));
    check_sarif(&serde_json::from_str(&report("sarif")).unwrap());
    assert_eq!(check_dot(&report("dot")), 2);
    check_mermaid(&report("mermaid").split("\n\n").map(ToOwned::to_owned).collect::<Vec<_>>());
    let github = report("github");
    assert_eq!(github.lines().count(), 1, "{github}");
    assert!(
        github.starts_with("::warning file=src/ä b%2C%3A.rs,line=3,col=4,title=ST0101%3A "),
        "{github}"
    );
    let markdown = report("markdown");
    let diagrams: Vec<_> = markdown.split("```mermaid\n").skip(1).collect();
    let diagrams: Vec<_> =
        diagrams.iter().map(|it| it.split("```").next().unwrap().to_owned()).collect();
    assert_eq!(diagrams.len(), 1);
    check_mermaid(&diagrams);
}
