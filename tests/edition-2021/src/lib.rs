//! A user of sync-trace with edition 2021; what it uses is in `tests`.
