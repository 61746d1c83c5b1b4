//! What is refused, in which words, and what holds all the same.

use super::super::{AllowList, entry, error};
use super::{inversion, shown};
use crate::finding::Code;

/// The one mistake in a file whose other entry holds.
#[track_caller]
fn mistake(bad: &str, expected: &str) {
    let good = "[[allow]]\nfingerprint = '0000000000007c1d'\nreason = 'good'\n";
    for text in [format!("{bad}\n{good}"), format!("{bad}\n{good}").replace('\n', "\r\n")] {
        let (list, errors) = AllowList::parse(&text, "sync-trace.toml");
        let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(errors, [expected], "{text}");
        assert_eq!(list.reason(&inversion(), &shown).as_deref(), Some("good"), "{text}");
        assert_eq!(list.unused().count(), 0, "the bad entry is left out: {text}");
    }
}

#[test]
fn a_mistake_is_told_with_its_place_and_the_accepted_forms() {
    let check = |lines: &str, place: &str, message: &str, help: &str| {
        let loss = "the entry is ignored; the others hold";
        let expected =
            format!("sync-trace.toml:{place}: {message}\n  = note: {loss}\n  = help: {help}");
        mistake(&format!("# déjà\n[[allow]]\n{lines}"), &expected);
    };
    let code = "code = 'ST0101'\nlocks = ['a']";
    let reason = "reason = 'why'";
    let whole = "code = 'ST0101'\nreason = 'why'\nlocks = ['a']";
    let codes = r#"accepted: code = "ST0101", "ST0102", "ST0103", "ST0104", "ST0201", "ST0202", "ST0203", "ST0204", "ST0301", "ST0303", "ST0401", "ST0402" or "ST0501""#;
    let locks =
        r#"accepted: locks = ["Cache.index", "Cache.*"], with names as the report shows them"#;
    let sites = "accepted: sites = [\"src/cache.rs\", \"cache.rs:88\"], each the end of a path, maybe \
                 with a line";
    let fingerprint = r#"accepted: fingerprint = "1f2e3d4c5b6a7988", as the report prints it"#;
    let why = r#"accepted: reason = "why the finding is no problem""#;
    let keys = "accepted: code, locks, sites, fingerprint, reason";

    check(code, "2:1", "`reason` is missing in this [[allow]]", why);
    check(&format!("{code}\nreason = \" \\t\""), "5:10", "`reason` is blank", why);
    check(
        &format!("{code}\nreason = 7"),
        "5:10",
        "`reason` has to be a string, and this is an integer",
        why,
    );
    check(&format!("locks = ['a']\n{reason}"), "2:1", "`code` is missing in this [[allow]]", codes);
    check(
        &format!("code = 'ST0101'\n{reason}"),
        "2:1",
        "this [[allow]] does not say which findings it is for",
        "add at least one of locks, sites, fingerprint",
    );
    for happened in ["ST0001", "ST0002", "ST0003"] {
        check(
            &format!("locks = ['a']\n{reason}\ncode = '{happened}'"),
            "5:8",
            &format!("`{happened}` cannot be allowed: it is a deadlock that has happened"),
            codes,
        );
    }
    for (written, suggestion) in [
        ("ST0111", "; did you mean `ST0101`?"),
        ("st0104", "; did you mean `ST0104`?"),
        ("x\\n", ""),
    ] {
        let message = format!("`{written}` is not a code{suggestion}");
        check(&format!("locks = ['a']\n{reason}\ncode = \"{written}\""), "5:8", &message, codes);
    }
    check(
        &format!("{whole}\nlock = ['a']"),
        "6:1",
        "unknown key `lock` in this [[allow]]; did you mean `locks`?",
        keys,
    );
    check(&format!("{whole}\n  \"ö\\n\" = 1"), "6:3", "unknown key `ö\\n` in this [[allow]]", keys);
    check(
        &format!("{whole}\nsite = 1"),
        "6:1",
        "unknown key `site` in this [[allow]]; did you mean `sites`?",
        keys,
    );
    check(&format!("{whole}\nallow.x = 1"), "6:1", "unknown key `allow` in this [[allow]]", keys);
    check(
        &format!("code = 'ST0101'\n{reason}\nlocks = 'a'"),
        "5:9",
        "`locks` has to be an array of strings, and this is a string",
        locks,
    );
    check(
        &format!("code = 'ST0101'\n{reason}\nlocks = ['ä', 1.5]"),
        "5:15",
        "`locks` has to be an array of strings, and this is a float",
        locks,
    );
    check(&format!("code = 'ST0101'\n{reason}\nlocks = []"), "5:9", "`locks` is empty", locks);
    check(&format!("{whole}\nsites = []"), "6:9", "`sites` is empty", sites);
    check(
        &format!("code = 'ST0101'\n{reason}\nlocks = [\n  'a',\n  '',\n]"),
        "7:3",
        "a text in `locks` is blank",
        locks,
    );
    check(&format!("{whole}\nsites = ['a.rs:0']"), "6:10", "`a.rs:0` is not a file or line", sites);
    check(&format!("{whole}\nsites = ['']"), "6:10", "`` is not a file or line", sites);
    for text in ["1f2e", "+f2e3d4c5b6a7988", "1f2e3d4c5b6a798g", "1f2e3d4c5b6a79881"] {
        let message = format!("`{text}` is not a fingerprint");
        check(&format!("{reason}\nfingerprint = '{text}'"), "4:15", &message, fingerprint);
    }
    check(
        &format!("{reason}\nfingerprint = 1979-05-27"),
        "4:15",
        "`fingerprint` has to be a string, and this is a datetime",
        fingerprint,
    );
}

#[test]
fn every_mistake_of_an_entry_is_told_in_the_order_of_the_lines() {
    let text = "[[allow]]\nsites = [1, ':']\nresaon = 'x'\ncode = true\n[[allow]]\n";
    let (list, errors) = AllowList::parse(text, "f");
    let firsts: Vec<_> =
        errors.iter().map(|e| e.to_string().lines().next().unwrap().to_owned()).collect();
    assert_eq!(
        firsts,
        [
            "f:1:1: `reason` is missing in this [[allow]]",
            "f:2:10: `sites` has to be an array of strings, and this is an integer",
            "f:2:13: `:` is not a file or line",
            "f:3:1: unknown key `resaon` in this [[allow]]; did you mean `reason`?",
            "f:4:8: `code` has to be a string, and this is a boolean",
            "f:5:1: `reason` is missing in this [[allow]]",
            "f:5:1: `code` is missing in this [[allow]]",
            "f:5:1: this [[allow]] does not say which findings it is for",
        ]
    );
    assert_eq!(list.unused().count(), 0);
}

#[test]
fn a_mistake_beside_the_entries_is_told() {
    let accepted = "accepted: [[allow]], and below it code, locks, sites, fingerprint, reason";
    mistake(
        "\n[alow]\nx = 1\n",
        &format!(
            "sync-trace.toml:2:2: unknown key `alow`; did you mean `allow`?\n  \
             = note: it is ignored; the entries hold\n  = help: {accepted}"
        ),
    );
    mistake(
        "level = 3\n",
        &format!(
            "sync-trace.toml:1:1: unknown key `level`\n  \
             = note: it is ignored; the entries hold\n  = help: {accepted}"
        ),
    );
    let whole = |text: &str, expected: &str| {
        let (list, errors) = AllowList::parse(text, "sync-trace.toml");
        let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(errors, [format!("{expected}\n  = help: {accepted}")], "{text}");
        assert_eq!(list.unused().count(), 0);
    };
    whole(
        "# one pair of brackets\n[allow]\ncode = 'ST0101'",
        "sync-trace.toml:2:1: `allow` has to be a list of tables, and this is a table\n  \
         = note: it is ignored, so this file allows nothing",
    );
    whole(
        "allow = 'ST0101'",
        "sync-trace.toml:1:9: `allow` has to be a list of tables, and this is a string\n  \
         = note: it is ignored, so this file allows nothing",
    );
    whole(
        "allow = ['ST0101']",
        "sync-trace.toml:1:10: an entry of `allow` has to be a table, and this is a string\n  \
         = note: the entry is ignored; the others hold",
    );
}

#[test]
fn of_a_file_that_is_not_toml_nothing_holds() {
    let good = "[[allow]]\nfingerprint = '0000000000007c1d'\nreason = 'good'\n";
    for (bad, place) in [
        ("rea son = 'x'", "4:5"),
        ("[[allow]", "4:9"),
        ("[allow]", "4:2"),
        ("reason = 'again'", "4:1"),
        ("sites = ['a'", "4:13"),
        ("{", "4:1"),
        ("ä = 1", "4:1"),
    ] {
        let (list, errors) = AllowList::parse(&format!("{good}{bad}"), "sync-trace.toml");
        let [error] = errors.try_into().unwrap();
        let error = error.to_string();
        // The words in between are those of the parser.
        let start = format!("sync-trace.toml:{place}: this is not TOML: ");
        let end = "\n  = note: nothing in this file holds\n  = help: accepted: [[allow]], and below it \
                   code, locks, sites, fingerprint, reason";
        assert!(error.starts_with(&start) && error.ends_with(end), "{error}");
        assert_eq!(error.lines().count(), 3, "{error}");
        assert_eq!(list.reason(&inversion(), &shown).as_deref(), None);
    }
}

#[test]
fn the_keys_and_codes_that_errors_name_are_those_that_are_accepted() {
    for code in Code::ALL {
        assert_eq!(error::form("code").contains(code.as_str()), entry::may_be_allowed(code));
    }
    for (key, example, _) in error::KEYS {
        let (_, errors) = AllowList::parse(&format!("[[allow]]\n{example}\n"), "f");
        let told: Vec<_> = errors.iter().map(ToString::to_string).collect();
        assert!(told.iter().all(|error| error.starts_with("f:1:1: ")), "{key}: {told:?}");
    }
}
