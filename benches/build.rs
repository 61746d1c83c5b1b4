//! Tells the program which compiler has made it.

use std::env;
use std::process::Command;

fn main() {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().map(|it| it.stdout);
    let version = String::from_utf8_lossy(&output.unwrap_or_default()).trim().to_owned();
    println!("cargo::rustc-env=BENCHES_RUSTC={version}");
    println!("cargo::rerun-if-changed=build.rs");
}
