//! Takes in the files of processes, one after the other.

use super::Gathered;
use super::classes::ClassId;
use super::orders::{Pair, Taking, Witness};
use super::processes::{Process, ProcessId};
use crate::read::problem::Mistake;
use crate::read::record::{Hold, Mode, Order, Record, Thread};
use crate::read::{Leftovers, Visitor, read, read_file};
use std::collections::HashMap;
use std::path::Path;

impl Gathered {
    /// Takes in one file. Nothing of it is kept but what is new.
    pub fn take_in(&mut self, path: &Path) {
        self.take_in_by(path, |visitor| read_file(path, visitor));
    }

    /// Takes in what a file with these bytes would say.
    pub fn take_in_bytes(&mut self, path: &Path, bytes: &[u8]) {
        self.take_in_by(path, |visitor| read(bytes, path, visitor));
    }

    /// Takes in what `read` reads from the file that is called `path`.
    fn take_in_by(&mut self, path: &Path, read: impl FnOnce(&mut FileOf<'_>) -> Leftovers) {
        let process = ProcessId(self.processes.len() as u32);
        self.processes.push(Process { file: path.to_owned(), ..Process::default() });
        let mut visitor =
            FileOf { all: self, process, classes: HashMap::new(), threads: HashMap::new() };
        let Leftovers { problems, unknown, bytes } = read(&mut visitor);
        self.problems.extend(problems);
        for (kind, count) in unknown {
            *self.unknown.entry(kind).or_default() += count;
        }
        self.bytes += bytes;
    }
}

/// The file that is read now, with what its numbers mean.
struct FileOf<'a> {
    all: &'a mut Gathered,
    process: ProcessId,
    /// `None` for a class that is none outside of its process.
    classes: HashMap<u64, Option<ClassId>>,
    threads: HashMap<u64, Thread>,
}

impl Visitor for FileOf<'_> {
    fn record(&mut self, record: Record) -> Result<(), Mistake> {
        match record {
            Record::Header(header) => self.all.processes[self.process.0 as usize].header = *header,
            Record::Class(mut class) => {
                let number = class.class;
                let id = class.key.take().map(|key| self.all.classes.meet(key, class));
                self.classes.insert(number, id);
            }
            Record::Thread(thread) => {
                self.threads.insert(thread.thread, thread);
            }
            Record::Order(order) => self.order(order)?,
            Record::Writer(writer) => {
                if let Some(class) = self.class(writer.wanted.class)? {
                    self.all.classes.mark_written(class);
                }
            }
            Record::Declaration(declaration) => {
                *self.all.declarations.entry(declaration).or_default() += 1;
            }
            Record::Finding(told) | Record::Note(told) => {
                self.all.findings.add(self.process, *told);
            }
            Record::Accepted(accepted) => {
                let cwd = &self.all.processes[self.process.0 as usize].header.cwd;
                let cwd = Path::new(cwd.as_deref().unwrap_or_default());
                let at = |origin: &String| cwd.join(origin).to_string_lossy().into_owned();
                let by = accepted.by.iter().map(at).collect();
                self.all.findings.accept(self.process, *accepted, by);
            }
            Record::Taken(taken) => self.all.findings.take(self.process, taken),
            Record::Count(count) => {
                let (held, wanted) =
                    (self.class(count.held.class)?, self.class(count.wanted.class)?);
                if let (Some(held), Some(wanted)) = (held, wanted) {
                    self.all.orders.count(Pair { held, wanted }, count.times);
                }
            }
            Record::End(end) => {
                self.all.processes[self.process.0 as usize].ended = Some(end.status);
                self.all.unwritten += end.unwritten;
                for limit in end.limits {
                    *self.all.limits.entry(limit.what).or_default() += limit.count;
                }
            }
            Record::Contention(contention) => {
                if let Some(wait_ns) = contention.wait_ns {
                    let total = self.all.contention.entry(contention.stack).or_default();
                    *total = total.saturating_add(wait_ns);
                }
            }
            Record::Unknown(_) => {}
        }
        Ok(())
    }
}

impl FileOf<'_> {
    fn class(&self, number: u64) -> Result<Option<ClassId>, Mistake> {
        self.classes.get(&number).copied().ok_or(Mistake::NoClass(number))
    }

    fn order(&mut self, order: Order) -> Result<(), Mistake> {
        let Order { thread, held, wanted } = order;
        let Some(wanted_class) = self.class(wanted.class)? else { return Ok(()) };
        let mut holds = Vec::with_capacity(held.len());
        for hold in held {
            if let Some(class) = self.class(hold.class)? {
                holds.push((class, hold));
            }
        }
        let thread = self.threads.get(&thread);
        let witness = |hold: &Hold| Witness {
            process: self.process,
            thread: thread.and_then(|thread| thread.name.clone()),
            os_id: thread.and_then(|thread| thread.os_id),
            root: thread.and_then(|thread| thread.root.clone()),
            is_root: thread.is_some_and(|thread| thread.started_by.is_none()),
            held: taking(hold),
            wanted: taking(&wanted),
        };
        for (at, (class, hold)) in holds.iter().enumerate() {
            let is_new = holds[..at].iter().all(|(before, _)| before != class);
            // Of several locks of one class the program says elsewhere what it means; see ST0104.
            if *class == wanted_class || !is_new {
                continue;
            }
            let gates = holds.iter().map(|(class, hold)| (*class, hold.mode));
            let gates = gates.filter(|(gate, _)| gate != class && *gate != wanted_class);
            let gates: Vec<(ClassId, Mode)> = gates.collect();
            let pair = Pair { held: *class, wanted: wanted_class };
            self.all.orders.add(pair, witness(hold), &gates);
        }
        Ok(())
    }
}

fn taking(hold: &Hold) -> Taking {
    Taking { mode: hold.mode, op: hold.op.clone(), site: hold.site.clone() }
}
