//! Rows of the tables that are not here, and why.

use std::collections::BTreeMap;

/// Reasons, and the rows.
const ELSEWHERE: &[(&str, &[&str])] = &[
    (
        "std has no recursive or upgradable reads",
        &[
            "LD01-LD07 R",
            "LD20-LD27 R",
            "LD28",
            "LD29",
            "LD30",
            "LD31",
            "LD32 R",
            "LD35",
            "LD36",
            "LD38",
            "LD39",
            "TS08 R",
            "TS15 R",
            "PR06 R",
            "PR07 R",
        ],
    ),
    ("there are no contexts yet", &["LD40", "LD41", "LD42", "WI5"]),
    ("guards forbid it by their types", &["LD08", "TS24", "TS25", "TS27", "HG5, unlock", "PR19"]),
    ("std has no reentrant lock", &["TS09"]),
    ("signals need code that is not portable", &["TS29"]),
    ("the graph's unit tests have it", &["TSU1-TSU8", "AB6"]),
    ("the predictor is compared with all interleavings there", &["PR26"]),
    (
        "it is no matter of lock orders, and is not looked for yet",
        &["HG7, at the end", "HG8", "HG9", "HG10", "HG11", "HG12", "GD5"],
    ),
    ("std has no timed lock", &["GD8"]),
    ("std has no locks that are taken together or not at all", &["WW01-WW22", "WW25-WW36"]),
    ("orders cannot be declared yet", &["WI1", "WI2"]),
    ("there is no such function", &["AB1, forget", "AB7", "WI6", "WI7", "WI8, upgrade"]),
    (
        "what is shared and how much memory is used is measured by benches",
        &["TS10", "TS11", "TS14"],
    ),
];

#[test]
fn rows_that_are_not_here() {
    let count: usize = ELSEWHERE.iter().map(|(_, rows)| rows.len()).sum();
    println!("{count} rows elsewhere or nowhere");
    let by_reason: BTreeMap<_, _> = ELSEWHERE.iter().copied().collect();
    for (reason, rows) in by_reason {
        println!("  {reason}: {}", rows.join(", "));
    }
}
