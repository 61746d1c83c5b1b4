//! What advice rests on.

use std::time::Duration;

use crate::finding::LockId;
use crate::site::Site;

/// What a piece of [`Advice`](super::Advice) rests on.
///
/// None is given about locks that cost little: where the waits took less than [10 ms](Self::TOTAL_MIN) together, or
/// less than [a hundredth](Self::SHARE_OF_TIME_MIN) of the time. A few pieces are about locks that nobody has to wait
/// for. There the acquisitions have to come to that much, at [20 ns](Self::ACQUISITION) each.
///
/// One that took very long, because the machine was asleep or the thread had no processor, tells nothing of the
/// others: a sum of waits or holds, or a part of one, has to reach its threshold without the longest of them, too.
/// Only [`Starvation`](Self::Starvation) is about that one.
///
/// What rests on measured holds needs [20 of them](Self::SAMPLES_MIN). A read-write lock has a class for each mode;
/// where both matter, the advice is with the class of the writes.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Evidence {
    /// One line takes the lock for most of the time that others wait: shorten what it does under the lock.
    ///
    /// Given if at least [10 waits](Self::HOLDER_WAITS_MIN) were counted, and [60 %](Self::HOLDER_SHARE_MIN) of
    /// their time goes to one line. Not given beside [`BusyLock`](Self::BusyLock): there the sections are short.
    OneHolder {
        /// That line.
        holder: Site,
        /// How many waits began during holds that began there.
        waits: u64,
        /// How long those took together.
        total: Duration,
        /// Which part of all waiting for the class that is, from 0 to 1.
        share: f64,
    },
    /// Most of the time that the lock is held, it is held since one line, whose holds are longer than others: shorten
    /// what that line does under the lock.
    ///
    /// A wait is charged to who held the lock when it began, so where several queue, it may be charged to a
    /// short section, while a long one had its turn in between. Holds tell that.
    ///
    /// Given if the holds of one line come to [60 %](Self::SECTION_SHARE_MIN) of all, a single one of them for not more
    /// than half of that, and if they take [4 times](Self::SECTION_FACTOR) as long as those of other lines in the
    /// mean; and if [half](Self::SECTION_WAITING_MIN) of the waiting is behind that line, or behind other lines and
    /// beyond [twice](Self::SECTION_WAIT_FACTOR) what as many of their holds take as threads wait at a time. Not
    /// given where [`OneHolder`](Self::OneHolder) says it of the same line.
    OneSection {
        /// That line.
        site: Site,
        /// Which part of the time that the lock is held that is, from 0 to 1.
        share: f64,
        /// How long a hold takes that begins there, in the mean.
        mean: Duration,
        /// How long a hold takes that begins at another line, in the mean.
        others: Duration,
        /// How long others waited because of that line, as far as that can be.
        waited: Duration,
    },
    /// While the lock is held since one line, its holder is off the processor: it waits for input or output, sleeps, or
    /// waits for another lock. Do that before the lock is taken or after it is released.
    ///
    /// A holder that is ready to run and has no processor looks the same, for example one of low priority.
    ///
    /// Given if of [10 holds](Self::CLOCKED_MIN) it was measured how long the thread ran, that was at most [a
    /// tenth](Self::RUNNING_MAX) of the time, and [a quarter](Self::OFF_PROCESSOR_SHARE_MIN) of the waiting is behind
    /// that line.
    OffProcessor {
        /// That line.
        holder: Site,
        /// How many holds were measured so.
        holds: u64,
        /// How long those took together.
        took: Duration,
        /// How long the thread ran on a processor meanwhile.
        ran: Duration,
        /// How long others waited behind holds that began there.
        waited: Duration,
    },
    /// Many threads go through one lock, which is held most of the time, by short sections: there is nothing to
    /// shorten, so give each part of what it protects a lock of its own, or each group of threads.
    ///
    /// Given if at least [4 threads](Self::BUSY_THREADS_MIN) took the lock, which was held for [half](Self::BUSY_MIN) of
    /// the time, half of the holds did not exceed [50 us](Self::BUSY_HOLD_MAX), at least [100
    /// waits](Self::BUSY_WAITS_MIN) were counted, and no line stands out as in [`OneSection`](Self::OneSection).
    BusyLock {
        /// How many threads took the busiest lock of the class.
        threads: u64,
        /// Which part of the time it was held, from 0 to 1. Holds are [sampled](super::super::Stats::holds), so it
        /// is an estimate.
        busy: f64,
        /// How many waits there were for it.
        waits: u64,
        /// What half of its holds did not exceed.
        hold: Duration,
    },
    /// Whoever holds the lock alone mostly never accesses the data mutably: let them read together, with a read-write
    /// lock in place of a mutex, or with `read` in place of `write`.
    ///
    /// Mutable access does not prove a write, so the share of those who only read may be larger.
    ///
    /// Given if [90 %](Self::READS_SHARE_MIN) of the holds were such, half of them took [5 us](Self::READ_HOLD_MIN) or
    /// more (for less, a read-write lock does not pay), and [half](Self::SHARED_WAITING_MIN) of the waiting was for
    /// such a hold behind another one. That is estimated from the lines of both.
    MostlyReads {
        /// Which part of the holds never gave mutable access, from 0 to 1.
        share: f64,
        /// How many holds were looked at for that.
        samples: u64,
        /// What half of the holds did not exceed.
        hold: Duration,
        /// How long it was waited that those who hold it so would not have to.
        saved: Duration,
        /// How long it was waited in all.
        waited: Duration,
    },
    /// A read-write lock whose readers hardly ever read together: a mutex does the same, and costs less.
    ///
    /// Given if [half a thread](Self::READERS_MAX) or less reads at a time, in the mean, at least [100
    /// acquisitions](Self::SHARED_ACQUISITIONS_MIN) were counted, and half of the reads do not exceed [1
    /// us](Self::READ_TINY_MAX), or [half](Self::WRITES_SHARE_MIN) of all acquisitions are writes, or one thread does
    /// all the reading.
    SeldomShared {
        /// How often it was acquired for reading.
        reads: u64,
        /// How often it was acquired for writing.
        writes: u64,
        /// What half of the holds for reading did not exceed.
        hold: Duration,
        /// How many threads have it for reading at a time, in the mean. An estimate.
        readers: f64,
    },
    /// The lock goes from one that has waited to the next one that has waited; the queue is never empty, so that
    /// each pays for all others: take the lock less often, or split it.
    ///
    /// Given if at least [100 waits](Self::CONVOY_WAITS_MIN) were counted, and [75 %](Self::CONVOY_SHARE_MIN) of them
    /// began behind a hold that had been waited for.
    Convoy {
        /// How many waits there were.
        waits: u64,
        /// Before how many of them the holder had waited itself.
        handed_on: u64,
    },
    /// Who comes later gets the lock first: threads that take it again at once pass over those that wait for it. Do more
    /// under the lock at one time and take it less often, or pause outside.
    ///
    /// Given if at least [100 waits](Self::BARGING_WAITS_MIN) were counted, and it was had at once [10
    /// times](Self::BARGING_FACTOR) for each of them while somebody waited.
    Barging {
        /// How many waits there were.
        waits: u64,
        /// How often the lock was had at once meanwhile. An estimate.
        bypasses: u64,
        /// What half of the waits did not exceed.
        wait: Duration,
        /// What half of the holds did not exceed.
        hold: Duration,
    },
    /// One wait took very much longer than the others: a thread was passed over again and again, or something
    /// that is usually short was once very long.
    ///
    /// Given if at least [100 waits](Self::STARVATION_WAITS_MIN) were counted, and the longest one took
    /// [10 ms](Self::STARVATION_MIN) or more, which is [100 times](Self::STARVATION_FACTOR) what half of them did not
    /// exceed.
    Starvation {
        /// What half of the waits did not exceed.
        median: Duration,
        /// How long the longest one took.
        longest: Duration,
        /// Where that was; `None` if it is not known.
        waiter: Option<Site>,
        /// Where the lock had been taken when it began; `None` if it is not known.
        holder: Option<Site>,
    },
    /// Who writes pays for those who read: a write waits for very much longer than a read. Read for a shorter time, or
    /// let writers replace a shared copy.
    ///
    /// Given if at least [10 writes](Self::WRITES_WAITED_MIN) had to wait, [60 %](Self::BEHIND_READERS_MIN) of that is
    /// behind lines that read, and a write waits for [10 times](Self::WRITERS_FACTOR) as long as a read; of both the
    /// mean counts, with those that did not have to wait.
    WritersWait {
        /// How often it was waited for a write.
        waits: u64,
        /// How long that was behind lines that read.
        behind_readers: Duration,
        /// How long a write waits, in the mean.
        write: Duration,
        /// How long a read waits, in the mean.
        read: Duration,
    },
    /// The lock is tried again and again, and hardly ever free: threads spin, or give way to each other and make no
    /// progress. Wait for it with `lock`, take the locks in one order, or pause for longer each time.
    ///
    /// Given if at least [10 000 tries](Self::TRY_FAILURES_MIN) failed, [1 000 a second](Self::TRY_FAILURES_RATE_MIN), and
    /// [100](Self::TRY_FAILURES_FACTOR) for each one that did not.
    TriesInVain {
        /// How many tries failed.
        failures: u64,
        /// How many did not.
        successes: u64,
    },
    /// A condition variable is notified when nobody waits, and then waited for until the time is over: a notification
    /// may come before the wait that it is meant for. Change what is waited for under the mutex, and look at it
    /// under the same before waiting.
    ///
    /// It is a hint: who is told of work while it works, and waits with a time limit when there is none, looks like
    /// this, too. So it is given only if about as many notifications come to nothing as waits do: at least
    /// [10](Self::SIGNALS_MIN) of both, and [half](Self::SIGNALS_SHARE_MIN) of all; and neither is more than [4
    /// times](Self::SIGNALS_FACTOR) the other.
    SignalsInVain {
        /// How often it was waited.
        waits: u64,
        /// How many of the waits ended because their time was over.
        timeouts: u64,
        /// How often it was notified.
        notifies: u64,
        /// How many of the notifications nobody waited for.
        in_vain: u64,
    },
    /// One thread uses the lock, and nobody else: it may not need any, such as a `RefCell`, or a thread-local one.
    ///
    /// Threads that lived one after the other may count as one. Given if that is so of all locks of the class, and all
    /// are told apart; a read-write lock has to be used in one mode.
    OneThread {
        /// How many locks that is so of.
        locks: usize,
        /// How often they were acquired.
        acquisitions: u64,
    },
    /// Two locks lie in one cache line, and different threads use them, which have to pass the line to each other as if
    /// it were one lock: give each a line of its own, with a wrapper that is `#[repr(align(64))]`.
    ///
    /// Given if both began in one line of [64 bytes](Self::LINE) where they were seen last, each was acquired so often
    /// that it is more than noise, and threads that use both make [a tenth](Self::NEIGHBOURS_OVERLAP_MAX) of that or
    /// less. It is not known whether both were used at one time.
    Neighbours {
        /// How many such pairs there are with a lock of the class.
        pairs: usize,
        /// The two that are used most.
        locks: [LockId; 2],
        /// How many bytes they are apart.
        distance: usize,
        /// How often each was acquired.
        acquisitions: [u64; 2],
        /// The name that the other one was given.
        name: Option<&'static str>,
        /// Where the other one was created, or another one of its class.
        created: Site,
    },
}

impl Evidence {
    /// What the waits for a class have to come to.
    pub const TOTAL_MIN: Duration = Duration::from_millis(10);
    /// Which part of the time that the snapshot covers that has to be. Several threads can wait at once.
    pub const SHARE_OF_TIME_MIN: f64 = 0.01;
    /// What an acquisition is taken to cost that nobody else has to wait for.
    pub const ACQUISITION: Duration = Duration::from_nanos(20);
    /// So many holds have to be measured for what rests on them.
    pub const SAMPLES_MIN: u64 = 20;
}
