//! The run directory.
#[expect(dead_code, reason = "written by the next change")]
pub(crate) mod record;
