//! Lines for the tests' reports to show: the numbers in the expected texts are those of this file.

use super::{Probe, Site};

pub(super) struct Bank {
    pub(super) accounts: Probe,
    pub(super) audit: Probe,
    pub(super) others: Vec<Probe>,
}

impl Bank {
    pub(super) fn new() -> Self {
        Self {
            // A field on a line of its own, as rustfmt has it for longer ones.
            accounts: Probe::new(),
            audit: Probe::new(),
            others: (0..1).map(|_| Probe::new()).collect(),
        }
    }

    pub(super) fn transfer(&self) -> [Site; 2] {
        let accounts = self.accounts.lock();
        let (from, to) = (1, 2);
        assert_ne!(from, to);
        let audit = self.audit.lock();
        [accounts, audit]
    }

    pub(super) fn rename(&self) -> [Site; 2] {
        let names = self.accounts.read();
        [names, self.accounts.write()]
    }

    pub(super) fn close(&self, threads: &Probe) -> [Site; 3] {
        let accounts = self.accounts.lock();
        [accounts, threads.scope(), threads.join()]
    }

    pub(super) fn wait_for(&self, signal: &Probe) -> [Site; 3] {
        let accounts = self.accounts.lock();
        let audit = (signal.wait(), signal.wait_timeout());
        [accounts, audit.0, audit.1]
    }

    pub(super) fn configure(&self, config: &Probe) -> [Site; 4] {
        let made = config.get_or_init();
        let (audit, used) = (self.audit.lock(), **config);
        [made, audit, used, self.audit.recv()]
    }
}
