//! What processes leave in a run directory: each record, and that nothing is lost or written without need.
#![cfg(any(debug_assertions, feature = "always"))]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let schema = include_str!("../../docs/run-directory.schema.json");
    jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap()
});

/// A directory of one test's own, that does not exist yet.
struct Dir(PathBuf);

impl Dir {
    fn new(test: &str) -> Self {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("run_directory").join(test);
        if dir.exists() {
            std::fs::remove_dir_all(&dir).unwrap();
        }
        Self(dir)
    }

    /// Runs a scenario of `src/bin/recorder.rs` with it. Returns how that has ended.
    fn run(&self, scenario: &str, args: &[&str]) -> Output {
        self.command(scenario, args).output().expect("the recorder starts")
    }

    fn command(&self, scenario: &str, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_recorder"));
        command.arg(scenario).args(args).stdin(Stdio::null()).env("RUST_BACKTRACE", "0");
        command.env_remove("SYNC_TRACE").env("SYNC_TRACE_DIR", &self.0);
        command
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> =
            std::fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }

    /// What the only process has written.
    fn journal(&self) -> Journal {
        let files = self.files();
        assert_eq!(files.len(), 1, "{files:?}");
        Journal::read(&files[0])
    }
}

/// What one process has written, checked against the schema.
struct Journal(Vec<Value>);

impl Journal {
    fn read(file: &Path) -> Self {
        let text = std::fs::read_to_string(file).unwrap();
        assert!(text.ends_with('\n'), "the last line is whole");
        let records: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
        for record in &records {
            // The kind's own schema says more than that none of them fits.
            if let Err(error) = SCHEMA.validate(record) {
                panic!(
                    "{error}\n{record}\n{:#?}",
                    SCHEMA.evaluate(record).iter_errors().collect::<Vec<_>>()
                );
            }
        }
        assert_eq!(records[0]["record"], "header");
        Self(records)
    }

    fn all<'j>(&'j self, kind: &str) -> impl Iterator<Item = &'j Value> + use<'j> {
        let kind = kind.to_owned();
        self.0.iter().filter(move |record| record["record"] == kind)
    }

    #[track_caller]
    fn only(&self, kind: &str) -> &Value {
        let all: Vec<_> = self.all(kind).collect();
        assert_eq!(all.len(), 1, "{all:#?}");
        all[0]
    }

    /// The class with this number, which has to be described before `record`.
    fn class(&self, record: &Value, number: &Value) -> &Value {
        let before = self.0.iter().take_while(|other| !std::ptr::eq(*other, record));
        let mut classes = before.filter(|other| other["record"] == "class");
        classes.find(|class| class["class"] == *number).expect("it is described before")
    }

    /// An order as `a b > c`, by what reports call its classes.
    fn order(&self, order: &Value) -> String {
        let name = |hold: &Value| {
            let label = self.class(order, &hold["class"])["label"].as_str().unwrap();
            match hold["mode"].as_str().unwrap() {
                "exclusive" => label.to_owned(),
                mode => format!("{mode}({label})"),
            }
        };
        let held: Vec<_> = order["held"].as_array().unwrap().iter().map(name).collect();
        format!("{} > {}", held.join(" "), name(&order["wanted"]))
    }

    fn orders(&self) -> Vec<String> {
        self.all("order").map(|order| self.order(order)).collect()
    }
}

#[track_caller]
fn succeeds(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn an_order_is_told_once_for_a_test_with_all_that_is_held() {
    let dir = Dir::new("orders");
    succeeds(&dir.run("orders", &[]));
    let journal = dir.journal();
    assert_eq!(
        journal.orders(),
        ["bank.accounts > read(bank.cache)", "bank.accounts read(bank.cache) > audit"]
    );
    let order = journal.all("order").nth(1).unwrap();
    let thread = journal.all("thread").next().unwrap();
    assert_eq!(order["thread"], thread["thread"]);
    assert_eq!((&thread["name"], &thread["root"]), (&"first".into(), &"main".into()));
    assert_eq!(thread["started_by"]["name"], "main");
    let site = &order["wanted"]["site"];
    assert!(site["file"].as_str().unwrap().ends_with("recorder.rs") && site["line"].is_u64());
    let ops = ["lock", "read"];
    assert!(order["held"].as_array().unwrap().iter().zip(ops).all(|(hold, op)| hold["op"] == op));
    let counts: Vec<_> = journal.all("count").map(|count| count["times"].as_u64()).collect();
    assert_eq!(counts, [Some(6), Some(6), Some(6)], "each pair, three times by two threads");
}

#[test]
fn who_makes_whom_wait_is_told_at_the_end_also_if_nothing_else_is() {
    let dir = Dir::new("queue");
    succeeds(&dir.run("queue", &[]));
    let journal = dir.journal();
    let contention = journal.only("contention");
    let [waits, lock, held] = ["waits at ", "pages", "held since "];
    let stack = contention["stack"].as_array().unwrap();
    let starts = stack.iter().zip([waits, lock, held]);
    for (frame, start) in starts {
        assert!(frame.as_str().unwrap().starts_with(start), "{contention}");
    }
    assert_eq!(stack.len(), 3);
    assert_eq!(contention["waits"], 1);
    assert!(contention["wait_ns"].as_u64() > Some(0), "{contention}");
    assert_eq!(journal.all("end").count(), 1);
}

#[test]
fn of_very_many_holds_the_oldest_and_the_newest_are_told() {
    let dir = Dir::new("deep");
    succeeds(&dir.run("deep", &[]));
    let journal = dir.journal();
    let orders: Vec<_> = journal.all("order").collect();
    assert_eq!(orders.len(), 99);
    let [full, last] = [orders[63], orders[98]];
    assert_eq!((full["held"].as_array().unwrap().len(), full.get("left_out")), (64, None));
    let classes: Vec<_> =
        last["held"].as_array().unwrap().iter().map(|hold| hold["class"].clone()).collect();
    // Levels are numbered as they come, but the first wanted lock is known before the first held one.
    let oldest: Vec<_> =
        full["held"].as_array().unwrap()[..32].iter().map(|h| h["class"].clone()).collect();
    assert_eq!((&classes[..32], classes.len()), (&oldest[..], 64));
    assert_eq!(classes[63], orders[97]["wanted"]["class"]);
    assert_eq!(last["left_out"], 99 - 64);
}

#[test]
fn the_same_order_by_another_test_is_told_again() {
    let dir = Dir::new("tests");
    succeeds(&dir.run("tests", &[]));
    let journal = dir.journal();
    assert_eq!(journal.orders(), ["outer > inner", "outer > inner"]);
    let by = |order: &Value| {
        let mut threads = journal.all("thread");
        threads.find(|thread| thread["thread"] == order["thread"]).unwrap()["root"].clone()
    };
    assert_eq!(journal.all("order").map(by).collect::<Vec<_>>(), ["tests::one", "tests::other"]);
}

#[test]
fn a_class_has_a_key_that_other_processes_share() {
    let dirs = ["class_one", "class_other"].map(Dir::new);
    let keys = dirs.map(|dir| {
        succeeds(&dir.run("orders", &[]));
        let journal = dir.journal();
        let class = |class: &Value| {
            ["key", "kind", "type"].map(|member| class[member].as_str().unwrap().to_owned())
        };
        let mut classes: Vec<_> = journal.all("class").map(class).collect();
        classes.sort();
        classes
    });
    assert_eq!(keys[0], keys[1]);
    let [audit, accounts, cache] = &keys[0][..] else { panic!("{keys:?}") };
    assert!(audit[0].starts_with("created:tests/src/bin/recorder.rs:"), "{audit:?}");
    assert!(audit[0].ends_with(":()") && audit[1..] == ["mutex", "()"], "{audit:?}");
    assert_eq!(accounts[0], "name:bank.accounts");
    assert_eq!(cache.each_ref().map(String::as_str), ["name:bank.cache", "rwlock", "i32"]);
}

#[test]
fn a_class_that_comes_from_nowhere_has_no_key() {
    let dir = Dir::new("nowhere");
    succeeds(&dir.run("nowhere", &[]));
    let journal = dir.journal();
    let class = journal.only("class");
    assert!(class["created"]["file"].as_str().unwrap().starts_with("/rustc/"), "{class:#}");
    assert_eq!((class.get("key"), &class["label"]), (None, &"Mutex<i32>".into()));
    let order = journal.only("order");
    assert_eq!(order["held"][0]["class"], order["wanted"]["class"]);
    assert_ne!(order["held"][0]["lock"], order["wanted"]["lock"]);
}

#[test]
fn who_writes_what_others_read_is_told_also_without_an_order() {
    let dir = Dir::new("writers");
    succeeds(&dir.run("orders", &[]));
    let journal = dir.journal();
    // The root thread writes; it holds nothing, so it has no order.
    let writer = journal.only("writer");
    assert_eq!(journal.class(writer, &writer["wanted"]["class"])["name"], "bank.cache");
    assert_eq!(
        (&writer["wanted"]["mode"], &writer["wanted"]["op"]),
        (&"exclusive".into(), &"write".into())
    );
}

#[test]
fn what_is_meant_by_several_of_one_class_is_told() {
    let dir = Dir::new("meanings");
    succeeds(&dir.run("meanings", &[]));
    let journal = dir.journal();
    let key = |name: &str| {
        let mut keys = journal.all("class").map(|class| class["key"].as_str().unwrap());
        keys.any(|key| key == name)
    };
    assert!(key("name:node") && key("level:1:name:node"), "levels are classes of their own");
    let of = |name: &str| {
        let is_it =
            |order: &&Value| journal.class(order, &order["wanted"]["class"])["name"] == name;
        journal.all("order").filter(is_it).last().unwrap()
    };
    let shards = of("shard");
    let first = shards["held"].as_array().unwrap().last().unwrap();
    assert_eq!(first["key"], "-5");
    assert_eq!(shards["wanted"]["key"], u64::MAX.to_string());
    let rows = of("ledgers");
    let table = rows["held"].as_array().unwrap().iter().rev().nth(1).unwrap();
    assert_eq!(rows["under"]["lock"], table["lock"]);
    let class = journal.class(rows, &rows["wanted"]["class"]);
    assert_eq!(
        (&class["declared"]["rank"], &class["declared"]["multi"]),
        (&7.into(), &true.into())
    );
    assert!(class["declared"].get("leaf").is_none(), "what is not so is not there");
}

#[test]
fn what_is_declared_is_told_when_it_is_known_what_that_is() {
    let dir = Dir::new("declared");
    succeeds(&dir.run("declared", &[]));
    let journal = dir.journal();
    let texts: Vec<_> =
        journal.all("declaration").map(|one| one["text"].as_str().unwrap()).collect();
    let runs = journal.all("declaration").last().unwrap();
    assert!(runs["item"].as_str().unwrap().ends_with("declared::runs"), "{runs:#}");
    assert_eq!(texts.len(), 3, "that of the function that does not run is not told: {texts:?}");
    assert_eq!((&runs["local"], runs.get("global")), (&true.into(), None));
    let chain = &runs["chains"][0];
    assert_eq!(chain[0]["locks"], serde_json::json!([{ "name": "named" }]));
    assert_eq!(chain[1]["mode"], "read");
    assert!(chain[1]["locks"][0]["created"]["line"].is_u64());
    let hierarchy = journal.all("declaration").find(|one| one["chains"][0][0]["name"] == "hall");
    let chain = &hierarchy.unwrap()["chains"][0];
    assert_eq!((&chain[1]["class_name"], &chain[2]["name"]), (&"ledgers".into(), &"door.*".into()));
    // They stand before everything that runs.
    assert!(journal.0[1..3].iter().all(|record| record["record"] == "declaration"));
}

#[test]
fn a_finding_is_told_with_all_its_data_and_its_report() {
    let dir = Dir::new("found");
    succeeds(&dir.run("found", &[]));
    let journal = dir.journal();
    let all: Vec<_> = journal.all("finding").collect();
    let [relocked, possible] = &all[..] else { panic!("each once: {all:#?}") };
    let finding = &relocked["finding"];
    assert_eq!((&finding["code"], &finding["outcome"]), (&"ST0002".into(), &"panicked".into()));
    let link = &finding["links"][0];
    assert_eq!(link["wait"]["target"]["lock"]["key"], "name:relocked");
    assert_eq!(link["blocker"]["hold"]["lock"]["label"], "relocked");
    let report = relocked["report"].as_str().unwrap();
    assert!(
        report.starts_with("error[ST0002]: ")
            && report.contains(finding["title"].as_str().unwrap())
    );
    assert!(report.contains(finding["fingerprint"].as_str().unwrap()));
    assert_eq!(possible["finding"]["links"].as_array().unwrap().len(), 2);
    let end = journal.only("end");
    assert_eq!((&end["findings"], &end["status"]), (&2.into(), &0.into()));
    let taken: Vec<_> = journal.all("taken").map(|taken| &taken["fingerprint"]).collect();
    assert!(all.iter().all(|found| taken.contains(&&found["finding"]["fingerprint"])), "{taken:?}");
}

#[test]
fn a_deferred_finding_is_told_at_once_and_again_when_it_is_raised() {
    let dir = Dir::new("deferred");
    succeeds(&dir.run("deferred", &[]));
    let journal = dir.journal();
    let all: Vec<_> = journal.all("finding").map(|record| &record["finding"]).collect();
    let outcomes: Vec<_> = all.iter().map(|finding| finding["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["deferred", "panicked"]);
    assert_eq!(all[0]["fingerprint"], all[1]["fingerprint"]);
    assert_eq!(all[0]["level"], "predicted");
}

#[test]
fn a_note_is_told_with_what_kept_it_from_happening() {
    let dir = Dir::new("noted");
    succeeds(&dir.run("noted", &[]));
    let journal = dir.journal();
    let notes: Vec<_> = journal.all("note").map(|note| &note["finding"]).collect();
    let [inversion, pairing] = &notes[..] else { panic!("each once: {notes:#?}") };
    assert_eq!(inversion["condition"]["kind"], "one_thread");
    assert_eq!((&inversion["level"], &inversion["severity"]), (&"order".into(), &"warning".into()));
    assert_eq!(pairing["code"], "ST0501");
    assert_eq!(pairing["pairing"]["waits"].as_array().unwrap().len(), 2);
    assert_eq!(journal.only("end")["findings"], 0);
}

#[test]
fn a_note_that_is_accepted_is_told_as_that() {
    let dir = Dir::new("accepted");
    succeeds(&dir.run("accepted", &[]));
    let journal = dir.journal();
    assert_eq!(journal.all("note").count(), 0);
    let accepted = journal.only("accepted");
    assert_eq!(
        (&accepted["finding"]["code"], &accepted["reason"]),
        (&"ST0101".into(), &"it is one thread".into())
    );
    assert!(accepted["by"][0].as_str().unwrap().contains("recorder.rs:"), "{accepted}");
    assert_eq!(journal.orders(), ["one > other", "other > one"], "that it was seen is told");
    assert!(journal.only("end").get("limits").is_none(), "nothing is counted twice for that");
}

#[test]
fn the_header_says_which_process_it_is() {
    let dir = Dir::new("header");
    let nextest = [
        ("NEXTEST_RUN_ID", "5c4d"),
        ("NEXTEST_BINARY_ID", "bank::transfers"),
        ("NEXTEST_TEST_NAME", "both_ways"),
        ("NEXTEST_ATTEMPT_ID", "5c4d:bank::transfers$both_ways"),
    ];
    let mut command = dir.command("orders", &[]);
    command.env("CARGO_MANIFEST_DIR", env!("CARGO_MANIFEST_DIR"));
    command.env("CARGO_PKG_NAME", env!("CARGO_PKG_NAME"));
    command.envs(nextest).env("SYNC_TRACE", "perturb=0x1f").env("SYNC_TRACE_SRC", "/src");
    let child = command.stderr(Stdio::null()).spawn().unwrap();
    let pid = child.id();
    succeeds(&child.wait_with_output().unwrap());
    let journal = dir.journal();
    let header = &journal.0[0];
    assert_eq!((&header["format"], &header["pid"]), (&1.into(), &pid.into()));
    assert_eq!(header["parent_pid"], std::process::id());
    let name = dir.files()[0].file_name().unwrap().to_string_lossy().into_owned();
    assert!(name.starts_with(&format!("{pid}-")) && name.ends_with(".jsonl"), "{name}");
    let text = |name: &str| header[name].as_str().unwrap_or_default();
    assert!(text("exe").contains("recorder") && text("argv0").contains("recorder"));
    assert_eq!((text("settings"), text("seed")), ("perturb=0x1f", "0x1f"));
    assert_eq!(text("source_dir"), "/src");
    assert_eq!(text("package"), env!("CARGO_PKG_NAME"));
    assert_eq!(Path::new(text("manifest_dir")), Path::new(env!("CARGO_MANIFEST_DIR")));
    // The paths of source files are relative to that one.
    assert!(Path::new(text("workspace_root")).join(file!()).is_file());
    for ((_, value), member) in
        nextest.iter().zip(["run_id", "binary_id", "test_name", "attempt_id"])
    {
        assert_eq!(header["nextest"][member], *value);
    }
    assert!(header.get("test_harness").is_none() && header.get("forked_from").is_none());
}

#[test]
fn a_process_that_is_killed_has_told_what_it_has_found() {
    let dir = Dir::new("killed");
    let mut command = dir.command("killed", &[]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    // Its panic has just begun.
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "panics\n");
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().code(), None, "it was killed");
    let journal = dir.journal();
    assert_eq!(journal.only("finding")["finding"]["code"], "ST0002");
    assert_eq!(journal.all("end").count(), 0);
}

#[test]
fn so_has_one_that_aborts() {
    let dir = Dir::new("aborts");
    assert_eq!(dir.run("aborts", &[]).status.code(), None);
    assert_eq!(dir.journal().orders(), ["outer > inner"]);
}

#[test]
fn many_threads_write_line_by_line() {
    let dir = Dir::new("many");
    succeeds(&dir.run("many", &[]));
    let journal = dir.journal();
    assert_eq!(journal.all("thread").count(), 8);
    assert!(journal.all("thread").all(|thread| thread["name"].as_str().unwrap().ends_with("\"\n")));
    assert_eq!(journal.all("order").count(), 8 * 200);
    // Each refers to a class that stands before it.
    assert!(journal.orders().iter().all(|order| order.starts_with("outer > ")));
}

#[test]
fn without_a_directory_or_with_tracing_off_there_is_no_file() {
    let dir = Dir::new("off");
    succeeds(&dir.command("orders", &[]).env_remove("SYNC_TRACE_DIR").output().unwrap());
    succeeds(&dir.command("orders", &[]).env("SYNC_TRACE", "off").output().unwrap());
    succeeds(&dir.command("orders", &[]).env("SYNC_TRACE_DIR", "").output().unwrap());
    // Nor does who has nothing to say leave one.
    succeeds(&dir.run("quiet", &[]));
    assert!(!dir.0.exists());
}

#[test]
fn processes_share_a_directory_and_no_file() {
    let dir = Dir::new("shared");
    let children: Vec<_> =
        (0..2).map(|_| dir.command("orders", &[]).stderr(Stdio::null()).spawn().unwrap()).collect();
    let pids: Vec<_> = children.iter().map(std::process::Child::id).collect();
    for child in children {
        succeeds(&child.wait_with_output().unwrap());
    }
    let journals: Vec<_> = dir.files().iter().map(|file| Journal::read(file)).collect();
    assert_eq!(journals.len(), 2);
    for journal in &journals {
        assert!(pids.iter().any(|pid| journal.0[0]["pid"] == *pid));
        assert_eq!(journal.all("order").count(), 2);
    }
}

#[test]
fn what_cannot_be_written_is_said_once_and_harms_nobody() {
    let dir = Dir::new("unwritable");
    std::fs::create_dir_all(&dir.0).unwrap();
    let file = dir.0.join("file");
    std::fs::write(&file, "").unwrap();
    let output = dir.command("orders", &[]).env("SYNC_TRACE_DIR", &file).output().unwrap();
    succeeds(&output);
    let stderr = String::from_utf8_lossy(&output.stderr);
    let told = format!("error: cannot write `{}`: it is not a directory\n", file.display());
    assert_eq!(stderr.matches(&told).count(), 1, "{stderr}");
    assert_eq!(stderr.matches("error: ").count(), 1, "{stderr}");
}

#[cfg(unix)]
#[test]
fn what_is_there_stands_when_there_is_no_more_room() {
    let dir = Dir::new("full");
    // No file may get larger than so many blocks, as on a full disk.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -f 16; exec \"$0\" many"]);
    command.arg(env!("CARGO_BIN_EXE_recorder")).env("SYNC_TRACE_DIR", &dir.0);
    let output = command.env_remove("SYNC_TRACE").output().unwrap();
    succeeds(&output);
    let stderr = String::from_utf8_lossy(&output.stderr);
    let file = &dir.files()[0];
    assert_eq!(stderr.matches(&format!("error: cannot write `{}`: ", file.display())).count(), 1);
    let text = std::fs::read_to_string(file).unwrap();
    let (whole, _) = text.rsplit_once('\n').unwrap();
    for line in whole.lines() {
        SCHEMA.validate(&serde_json::from_str(line).unwrap()).unwrap();
    }
    assert!(whole.lines().count() > 10);
}

#[test]
fn the_program_may_name_the_directory_and_the_variable_goes_over_it() {
    let (named, other) = (Dir::new("configured"), Dir::new("configured_other"));
    let named_path = named.0.to_str().unwrap();
    succeeds(
        &other.command("configured", &[named_path]).env_remove("SYNC_TRACE_DIR").output().unwrap(),
    );
    assert_eq!(named.journal().all("order").count(), 1);
    succeeds(&other.run("configured", &[named_path]));
    assert_eq!(other.journal().all("order").count(), 1);
    assert_eq!(named.files().len(), 1);
    succeeds(
        &named.command("configured", &[named_path]).env("SYNC_TRACE_DIR", "").output().unwrap(),
    );
    assert_eq!(named.files().len(), 1);
}

#[test]
fn a_process_that_moves_goes_on_in_its_file() {
    let dir = Dir::new("moves");
    std::fs::create_dir_all(dir.0.parent().unwrap()).unwrap();
    let mut command = dir.command("moves", &[]);
    command.current_dir(dir.0.parent().unwrap()).env("SYNC_TRACE_DIR", "moves");
    succeeds(&command.output().unwrap());
    assert_eq!(dir.journal().all("order").count(), 2);
}

#[cfg(unix)]
#[test]
fn a_forked_child_begins_a_file_of_its_own() {
    let dir = Dir::new("forks");
    succeeds(&dir.run("forks", &[]));
    let journals: Vec<_> = dir.files().iter().map(|file| Journal::read(file)).collect();
    let [child, parent] = ["child", "parent"].map(|which| {
        let is_it = |one: &&Journal| one.0[0].get("forked_from").is_some() == (which == "child");
        journals.iter().find(is_it).unwrap()
    });
    assert_eq!(child.0[0]["forked_from"], parent.0[0]["pid"]);
    assert_ne!(child.0[0]["pid"], parent.0[0]["pid"]);
    assert_eq!((child.all("order").count(), parent.all("order").count()), (1, 2));
    assert_eq!((child.all("end").count(), parent.all("end").count()), (1, 1));
}

#[cfg(unix)]
#[test]
fn a_file_that_has_got_our_number_is_left_alone() {
    let dir = Dir::new("closes");
    let own = Path::new(env!("CARGO_TARGET_TMPDIR")).join("closes_own");
    if own.exists() {
        std::fs::remove_file(&own).unwrap();
    }
    succeeds(&dir.run("closes", &[own.to_str().unwrap()]));
    assert_eq!(std::fs::read_to_string(&own).unwrap(), "its own\n");
    let journal = dir.journal();
    assert_eq!(journal.all("order").count(), 2);
    assert_eq!(journal.all("end").count(), 1);
}

/// The names of the files' own records and of the schema's are the same.
#[test]
fn each_kind_of_record_has_been_seen() {
    let dir = Dir::new("all");
    for scenario in ["orders", "declared", "found", "noted", "accepted", "queue"] {
        succeeds(&dir.run(scenario, &[]));
    }
    let journals: Vec<_> = dir.files().iter().map(|file| Journal::read(file)).collect();
    let schema: Value =
        serde_json::from_str(include_str!("../../docs/run-directory.schema.json")).unwrap();
    let kinds = schema["$defs"].as_object().unwrap().keys();
    for kind in kinds.filter_map(|name| name.strip_prefix("record_")) {
        assert!(journals.iter().any(|journal| journal.all(kind).count() > 0), "no {kind}");
    }
}
