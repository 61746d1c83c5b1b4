//! Parked threads are waited for by nobody and wait for nothing that has a number, so the lines at which they park
//! have one: what is counted of parks is told apart by those.

use super::table::Wanted;
use crate::atomics::{Mutex, lock, push};
use crate::finding::LockId;
use crate::numbers::next_number;
use crate::registry::Access;
use crate::site::{Origin, Site};

/// As many as the program has lines that park. One that two threads come to first at the same moment may be there
/// twice: they are one class all the same.
static LINES: Mutex<Vec<(Site, LockId)>> = Mutex::new(Vec::new());

/// What who parks at this line waits for.
pub(crate) fn wanted(access: &Access, line: Site) -> Wanted {
    let is_it = |known: &&(Site, LockId)| std::ptr::eq(known.0.0, line.0);
    let known = lock(&LINES).iter().find(is_it).map(|known| known.1);
    let id = known.unwrap_or_else(|| {
        let id = LockId(next_number().get());
        push(&LINES, (line, id));
        id
    });
    Wanted::new(id, access, Origin::unnamed(line))
}
