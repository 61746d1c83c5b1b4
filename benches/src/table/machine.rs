//! Where it was measured.

use std::thread::available_parallelism;

/// The processor, the system and the compiler, as far as they can be told.
pub(super) fn describe() -> String {
    let cores = available_parallelism().map_or(1, usize::from);
    let cores = if cores == 1 { "1 core".to_owned() } else { format!("{cores} cores") };
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    let rustc = env!("BENCHES_RUSTC");
    let parts = [processor(), Some(cores), Some(format!("{os} on {arch}")), Some(rustc.to_owned())];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn processor() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
