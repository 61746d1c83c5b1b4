//! What threads are called.

use super::words::{place, tame};
use crate::finding::{AgentId, Participant, StartedBy};
use std::collections::BTreeMap;

/// The display name of each thread in a finding or dump.
pub(super) struct ThreadNames(BTreeMap<AgentId, String>);

impl ThreadNames {
    /// Names that tell these threads and those that started them apart.
    pub(super) fn of<'a>(threads: impl Iterator<Item = &'a Participant>) -> Self {
        let mut given = BTreeMap::new();
        for thread in threads {
            given.insert(thread.id, thread.name.as_deref());
            if let Some(parent) = &thread.started_by {
                given.entry(parent.id).or_insert(parent.name.as_deref());
            }
        }
        let mut bearers = BTreeMap::new();
        given.values().for_each(|name| *bearers.entry(*name).or_insert(0) += 1);
        let names = given.iter().map(|(id, name)| match name {
            None => (*id, format!("<unnamed> {id}")),
            Some(given) if bearers[name] > 1 => (*id, format!("'{}' {id}", tame(given))),
            Some(given) => (*id, format!("'{}'", tame(given))),
        });
        Self(names.collect())
    }

    /// The name alone.
    pub(super) fn name(&self, id: AgentId) -> &str {
        self.0.get(&id).map_or("an unknown thread", String::as_str)
    }

    /// The name, and the number by which other tools know the thread, as in the header of a panic
    /// message.
    pub(super) fn full_name(&self, thread: &Participant) -> String {
        format!("{} {}", self.name(thread.id), os_id(thread)).trim_end().to_owned()
    }

    /// Who started `thread` and where; empty if that is not known.
    pub(super) fn origin(&self, thread: &Participant) -> String {
        match &thread.started_by {
            Some(StartedBy { id, site, .. }) => {
                format!("started by {} at {}", self.name(*id), place(*site))
            }
            None => String::new(),
        }
    }
}

/// `(21857)`, or nothing if it is not known.
pub(super) fn os_id(thread: &Participant) -> String {
    thread.os_id.map(|id| format!("({id})")).unwrap_or_default()
}
