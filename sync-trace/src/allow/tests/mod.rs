//! The list as a whole: which findings an entry silences, whoever made it.

mod files;
mod mistakes;

use super::*;
use crate::finding::{Blocker, Code, LockId, Target};
use crate::report::cases::{abba, join_itself, queued_writer, three};
use crate::report::lock_namer;

/// Two locks, `Bank.accounts #3` and `Bank.audit #4`, that two threads could take in opposite orders.
fn inversion() -> Finding {
    Finding { code: Code::Inversion, ..abba() }
}

fn shown(lock: &Lock) -> String {
    match lock.id {
        LockId(3) => "Bank.accounts".to_owned(),
        LockId(4) => "Bank.audit #4".to_owned(),
        id => format!("{} {id}", lock.name.unwrap_or("Mutex<..>")),
    }
}

impl AllowList {
    /// Why `finding` is accepted, if it is.
    fn reason(&self, finding: &Finding, names: &dyn Fn(&Lock) -> String) -> Option<String> {
        self.permits(finding, names).map(|acceptance| acceptance.reason)
    }
}

/// A file that has to be without mistakes.
#[track_caller]
fn list(text: &str) -> AllowList {
    let (list, errors) = AllowList::parse(text, "sync-trace.toml");
    let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(errors, [""; 0], "{text}");
    list
}

fn entry(parts: &str) -> AllowList {
    list(&format!("[[allow]]\nreason = \"why\"\n{parts}\n"))
}

/// Whether an entry with the code of inversions and these parts silences `finding`.
#[track_caller]
fn check(finding: &Finding, parts: &str, expected: bool) {
    let list = entry(&format!("code = \"ST0101\"\n{parts}"));
    assert_eq!(list.reason(finding, &shown).as_deref(), expected.then_some("why"), "{parts}");
    assert_eq!(list.unused().count(), usize::from(!expected), "{parts}");
}

#[test]
fn every_lock_of_the_cycle_has_to_be_named() {
    for (locks, expected) in [
        (r#"["Bank.accounts", "Bank.audit"]"#, true),
        (r#"["Bank.audit", "Bank.accounts", "unrelated"]"#, true),
        (r#"["Bank.audit #4", "Bank.accounts #17"]"#, true),
        (r#"["Bank.*"]"#, true),
        (r#"["*"]"#, true),
        (r#"["Bank.accounts"]"#, false),
        (r#"["Bank.accounts", "audit"]"#, false),
        (r#"["bank.*"]"#, false),
        (r#"["std Mutex<*>"]"#, true),
        (r#"["Mutex<HashMap<u8, Account>>", "std Mutex<Vec<Entry>>"]"#, true),
        (r#"["Mutex<HashMap>", "Mutex<Vec<Entry>>"]"#, false),
        (r#"["RwLock<*>"]"#, false),
    ] {
        check(&inversion(), &format!("locks = {locks}"), expected);
    }
}

#[test]
fn a_given_name_is_meant_as_it_was_given_and_as_it_is_shown() {
    let mut finding = Finding { code: Code::Inversion, ..three() };
    for link in &mut finding.links {
        let Blocker::Holds(hold) = &mut link.blocker else { unreachable!() };
        let Target::Lock(wanted, _) = &mut link.wait.target else { unreachable!() };
        (hold.lock.name, wanted.name) = (Some("shard #1"), Some("shard #1"));
    }
    check(&finding, r#"locks = ["shard #1"]"#, true);
    check(&finding, r#"locks = ["Bank.*", "shard #1"]"#, true);
    check(&finding, r#"locks = ["shard #2"]"#, false);
    check(&finding, r#"locks = ["déjà"]"#, false);
}

#[test]
fn the_names_of_the_report_are_those_that_fit() {
    let namer = lock_namer();
    let names: Vec<_> = crate::report::locks(&inversion()).into_iter().map(&namer).collect();
    assert_eq!(names, ["Bank.accounts", "Bank.audit"]);
    let list = entry("code = \"ST0101\"\nlocks = [\"Bank.audit\", \"Bank.accounts\"]");
    assert_eq!(list.reason(&inversion(), &namer).as_deref(), Some("why"));
}

#[test]
fn a_finding_without_locks_is_not_fitted_by_their_names() {
    check(&Finding { code: Code::Inversion, ..join_itself() }, r#"locks = ["*"]"#, false);
}

#[test]
fn each_site_has_to_be_one_of_the_finding() {
    let finding = inversion();
    let wait = finding.links[0].wait.site;
    let Blocker::Holds(hold) = &finding.links[0].blocker else { unreachable!() };
    for (sites, expected) in [
        (r#"["bank.rs"]"#.to_owned(), true),
        (r#"["cases/bank.rs", "cases/report.rs"]"#.to_owned(), true),
        (format!("['bank.rs:{}']", wait.line()), true),
        (format!("['{wait}', '{}']", hold.site), true),
        (format!("['bank.rs:{}']", wait.line() + 1), false),
        (r#"["bank.rs", "other.rs"]"#.to_owned(), false),
        (r#"["ank.rs"]"#.to_owned(), false),
        (r#"["mybank.rs"]"#.to_owned(), false),
    ] {
        check(&finding, &format!("sites = {sites}"), expected);
    }
}

#[test]
fn the_wait_of_a_queued_writer_is_a_site() {
    let finding = Finding { code: Code::Inversion, ..queued_writer() };
    let Blocker::QueuedWriter { writer: Some((_, site)), .. } = finding.links[0].blocker else {
        unreachable!()
    };
    check(&finding, &format!("sites = ['{site}']"), true);
}

#[test]
fn what_is_given_together_has_to_fit_together() {
    let finding = inversion();
    let fingerprint = "fingerprint = \"0000000000007c1d\"";
    for (parts, expected) in [
        (fingerprint.to_owned(), true),
        (fingerprint.to_uppercase().replace("FINGERPRINT", "fingerprint"), true),
        ("fingerprint = \"1000000000007c1d\"".to_owned(), false),
        (format!("{fingerprint}\nlocks = [\"Bank.*\"]\nsites = [\"bank.rs\"]"), true),
        (format!("{fingerprint}\nlocks = [\"Bank.*\"]\nsites = [\"x.rs\"]"), false),
        (format!("{fingerprint}\nlocks = [\"x\"]\nsites = [\"bank.rs\"]"), false),
    ] {
        check(&finding, &parts, expected);
    }
    assert_eq!(entry(fingerprint).reason(&finding, &shown).as_deref(), Some("why"));
    let same_class = Finding { code: Code::SameClass, ..abba() };
    check(&same_class, "locks = [\"*\"]", false);
    let both = entry("code = \"ST0104\"\nlocks = [\"*\"]");
    assert_eq!(both.reason(&same_class, &shown).as_deref(), Some("why"));
}

#[test]
fn a_deadlock_that_has_happened_is_never_silenced() {
    let list = entry("fingerprint = \"0000000000007c1d\"");
    for code in [Code::Deadlock, Code::SelfDeadlock, Code::Stuck] {
        assert_eq!(list.reason(&Finding { code, ..abba() }, &shown).as_deref(), None);
    }
    assert_eq!(list.unused().collect::<Vec<_>>(), ["sync-trace.toml:1"]);
}

#[test]
fn locks_are_named_only_if_an_entry_asks() {
    let no_names = |_: &Lock| -> String { panic!("nobody needs them") };
    let other_code = entry("code = \"ST0104\"\nlocks = [\"*\"]");
    assert_eq!(other_code.reason(&inversion(), &no_names).as_deref(), None);
    let sites = entry("code = \"ST0101\"\nsites = [\"bank.rs\"]");
    assert_eq!(sites.reason(&inversion(), &no_names).as_deref(), Some("why"));
}

#[test]
fn every_entry_that_fits_is_used_and_the_first_gives_the_reason() {
    let list = list(
        "\
        [[allow]]\ncode = 'ST0101'\nlocks = ['x']\nreason = 'first'\n\
        [[allow]]\ncode = 'ST0101'\nlocks = ['*']\nreason = '''\n second ''' # trimmed\n\
        [[allow]]\ncode = 'ST0101'\nlocks = ['*']\nreason = 'second'\n",
    );
    assert_eq!(list.unused().count(), 3);
    assert_eq!(list.reason(&inversion(), &shown).as_deref(), Some("second"));
    assert_eq!(list.unused().collect::<Vec<_>>(), ["sync-trace.toml:1"]);
}

#[test]
fn a_program_can_add_entries() {
    let mut list = AllowList::default();
    let line = line!() + 1;
    list.push(Allow::new(Code::Inversion, " why ").locks(["Bank.*"]).sites(["bank.rs"]));
    list.push(Allow::new(Code::SameClass, String::from("other")).locks(vec!["*".to_owned()]));
    let unused: Vec<_> = list.unused().collect();
    assert_eq!(unused, [format!("{}:{line}", file!()), format!("{}:{}", file!(), line + 1)]);
    assert_eq!(list.reason(&inversion(), &shown).as_deref(), Some("why"));
    assert_eq!(list.unused().collect::<Vec<_>>(), unused[1..]);
}

#[test]
fn a_program_s_mistake_is_a_panic_that_says_what_is_wrong() {
    #[track_caller]
    fn check(wrong: fn() -> Allow, expected: &str) {
        let push = || AllowList::default().push(wrong());
        let panic = std::panic::catch_unwind(push).unwrap_err();
        assert_eq!(panic.downcast_ref::<String>().unwrap(), expected);
    }
    check(
        || Allow::new(Code::Inversion, " \n"),
        "the reason to allow ST0101 is blank; say why it is no problem",
    );
    check(
        || Allow::new(Code::Stuck, "why"),
        "ST0003 cannot be allowed: it is a deadlock that has happened; accepted: code = \"ST0101\", \
         \"ST0102\", \"ST0103\", \"ST0104\", \"ST0201\", \"ST0202\", \"ST0203\", \"ST0204\", \"ST0301\", \
         \"ST0303\", \"ST0401\", \"ST0402\" or \"ST0501\"",
    );
    check(
        || Allow::new(Code::Inversion, "why").locks(["a", ""]),
        "a lock's name is blank; accepted: locks = [\"Cache.index\", \"Cache.*\"], with names as the \
         report shows them",
    );
    check(
        || Allow::new(Code::Inversion, "why").sites(["a.rs:x"]),
        "`a.rs:x` is not a file or line; accepted: sites = [\"src/cache.rs\", \"cache.rs:88\"], each the \
         end of a path, maybe with a line",
    );
    let aimless = || Allow::new(Code::Inversion, "why");
    let place = format!("{}:{}", file!(), line!() - 1);
    let expected = "names neither locks nor sites, so it would allow everything";
    check(aimless, &format!("the `Allow` of {place} {expected}"));
}

#[test]
fn the_list_can_be_shared_and_sent() {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<AllowList>();
    is_shared::<AllowError>();
    is_shared::<Allow>();
}
