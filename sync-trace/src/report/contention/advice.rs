//! Advice as a sentence.

use std::fmt;

use super::super::words::{duration, in_thousands, tame, times};
use super::{class_namer, line};
use crate::contention::{Advice, Evidence};
use crate::finding::LockKind;

impl fmt::Display for Advice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&sentence(self, &class_namer()(self.class)))
    }
}

/// What to do about the locks that are called `name`, and why.
pub(super) fn sentence(advice: &Advice<'_>, name: &str) -> String {
    match advice.evidence {
        Evidence::OneHolder { holder, waits, total, share } => format!(
            "{} of the waiting for `{name}` ({} in {} waits) is behind what is held since {}: \
             shorten that section, or give what it does a lock of its own",
            percent(share),
            duration(total),
            in_thousands(waits),
            line(Some(holder)),
        ),
        Evidence::OneSection { site, share, mean, others, waited } => format!(
            "{} of the time that `{name}` is held, it is held since {}, for {} each time and for {} \
             since other lines: shorten that section, which {} of waiting can be because of",
            percent(share),
            line(Some(site)),
            duration(mean),
            duration(others),
            duration(waited),
        ),
        Evidence::OffProcessor { holder, holds, took, ran, waited } => format!(
            "while `{name}` is held since {}, its holder ran for {} of {} (in {} measured holds), and \
             others waited for {}: do input, output and sleeping before or after that section",
            line(Some(holder)),
            duration(ran),
            duration(took),
            in_thousands(holds),
            duration(waited),
        ),
        Evidence::BusyLock { threads, busy, waits, hold } => format!(
            "`{name}` is held for {} of the time by {} threads, though half of the holds take {} at \
             most, and {} waits were for it: split what it protects among several locks",
            percent(busy),
            in_thousands(threads),
            duration(hold),
            in_thousands(waits),
        ),
        Evidence::MostlyReads { share, samples, hold, saved, waited } => format!(
            "{} of the sampled sections of `{name}` never gave mutable access (of {}; what did need not \
             have written), and half of them take {} or more; about {} of {} of waiting is for one such \
             behind another: {}",
            percent(share),
            in_thousands(samples),
            duration(hold),
            duration(saved),
            duration(waited),
            match advice.class.kind {
                LockKind::RwLock => "take it with `read` there",
                _ => "an `RwLock` lets them read together",
            },
        ),
        Evidence::SeldomShared { reads, writes, hold, readers } => format!(
            "`{name}` is read {} and written {}, but {readers:.2} threads read it at a time, half of \
             them for {} at most: a Mutex does the same and costs less",
            times(reads),
            times(writes),
            duration(hold),
        ),
        Evidence::Convoy { waits, handed_on } => format!(
            "`{name}` goes from one waiter to the next: {} of {} waits began behind a thread that had \
             itself waited for it; take it less often, or split it",
            in_thousands(handed_on),
            in_thousands(waits),
        ),
        Evidence::Barging { waits, bypasses, wait, hold } => format!(
            "`{name}` was had at once about {} while somebody waited, in {} waits: half of the holds \
             take {} at most, half of the waits {}; do more at one time, or pause before taking it again",
            times(bypasses),
            in_thousands(waits),
            duration(hold),
            duration(wait),
        ),
        Evidence::Starvation { median, longest, waiter, holder } => format!(
            "one wait for `{name}` took {} at {}, and half of them take {} at most: a thread is passed \
             over, or what was held since {} was once very long",
            duration(longest),
            line(waiter),
            duration(median),
            holder.map_or_else(|| "then".to_owned(), |holder| line(Some(holder))),
        ),
        Evidence::WritersWait { waits, behind_readers, write, read } => format!(
            "whoever writes `{name}` waits for {} in the mean, and whoever reads it for {}: {} of that \
             were behind readers, in {} waits; read for a shorter time, or let writers replace a shared copy",
            duration(write),
            duration(read),
            duration(behind_readers),
            in_thousands(waits),
        ),
        Evidence::TriesInVain { failures, successes } => format!(
            "`{name}` was tried in vain {}, and {} with success: whoever tries again and again spins, or \
             makes no progress; wait with `lock`, or take the locks in one order",
            times(failures),
            times(successes),
        ),
        Evidence::SignalsInVain { waits, timeouts, notifies, in_vain } => format!(
            "{} of {} notifications of `{name}` came when nobody waited, and {} of {} waits ended because \
             their time was over: they may miss each other; change what is waited for under the mutex, and \
             look at it there before waiting",
            in_thousands(in_vain),
            in_thousands(notifies),
            in_thousands(timeouts),
            in_thousands(waits),
        ),
        Evidence::OneThread { locks, acquisitions } => format!(
            "{} acquired {}, never by two threads that lived at one time: what one thread has to itself needs no \
             lock",
            match locks {
                1 => format!("`{name}` was"),
                _ => format!("{} locks `{name}` were", in_thousands(locks as u64)),
            },
            times(acquisitions),
        ),
        Evidence::Neighbours {
            pairs,
            distance,
            acquisitions: [one, other],
            created,
            name: with,
            ..
        } => {
            let which = match with {
                Some(with) if advice.class.name == Some(with) => format!("two locks `{name}`"),
                Some(with) => format!("`{name}` and `{}`", tame(with)),
                None if advice.class.created == created => format!("two locks `{name}`"),
                None => format!("`{name}` and a lock of {}", line(Some(created))),
            };
            format!(
                "{which} lie {distance} bytes apart, in one cache line, and different threads acquired them {} \
                 and {}{}: give each a line of its own, in a wrapper that is `#[repr(align(64))]`",
                times(one),
                times(other),
                match pairs {
                    1 => String::new(),
                    _ => format!(" ({pairs} such pairs)"),
                },
            )
        }
    }
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::contention::Snapshot;
    use crate::finding::LockId;
    use crate::site::Site;

    #[test]
    fn each_says_what_was_seen_and_what_to_do() {
        let snapshot = super::super::example();
        let text: Vec<_> = snapshot.advice().iter().map(ToString::to_string).collect();
        assert!(
            text[0]
                .starts_with("98 % of the waiting for `accounts` (21.0 ms in 201 waits) is behind")
        );
        assert!(
            text[1].starts_with("`accounts` goes from one waiter to the next: 210 of 211 waits")
        );
        assert!(text[2].starts_with("one wait for `accounts` took 11.0 ms at "));
        assert!(text[2].contains("half of them take 50.2 us at most"), "{}", text[2]);
    }

    /// What is said of such locks.
    fn said(kind: LockKind, evidence: Evidence) -> String {
        let mut snapshot: Snapshot = super::super::example();
        snapshot.classes[0].kind = kind;
        Advice { class: &snapshot.classes[0], evidence }.to_string()
    }

    #[test]
    fn every_number_is_in_the_sentence() {
        let (us, ms) = (Duration::from_micros, Duration::from_millis);
        let here = Site::caller();
        let at = line(Some(here));
        let mutex = |evidence| said(LockKind::Mutex, evidence);
        let (mean, others, waited) = (ms(3), us(10), ms(50));
        assert_eq!(
            mutex(Evidence::OneSection { site: here, share: 0.814, mean, others, waited }),
            format!(
                "81 % of the time that `accounts` is held, it is held since {at}, for 3.00 ms each time and \
                 for 10.0 us since other lines: shorten that section, which 50.0 ms of waiting can be because of"
            )
        );
        let (took, ran, waited) = (ms(200), ms(4), ms(90));
        assert_eq!(
            mutex(Evidence::OffProcessor { holder: here, holds: 40, took, ran, waited }),
            format!(
                "while `accounts` is held since {at}, its holder ran for 4.00 ms of 200 ms (in 40 measured \
                 holds), and others waited for 90.0 ms: do input, output and sleeping before or after that section"
            )
        );
        assert_eq!(
            mutex(Evidence::BusyLock { threads: 8, busy: 0.93, waits: 12_345, hold: us(2) }),
            "`accounts` is held for 93 % of the time by 8 threads, though half of the holds take 2.00 us at \
             most, and 12 345 waits were for it: split what it protects among several locks"
        );
        let reads = Evidence::MostlyReads {
            share: 0.96,
            samples: 1_500,
            hold: us(20),
            saved: ms(30),
            waited: ms(35),
        };
        let seen = "96 % of the sampled sections of `accounts` never gave mutable access (of 1 500; what did need \
                    not have written), and half of them take 20.0 us or more; about 30.0 ms of 35.0 ms of waiting \
                    is for one such behind another: ";
        assert_eq!(mutex(reads), format!("{seen}an `RwLock` lets them read together"));
        assert_eq!(said(LockKind::RwLock, reads), format!("{seen}take it with `read` there"));
        let seldom =
            Evidence::SeldomShared { reads: 9, writes: 1_000, hold: us(1), readers: 0.016 };
        assert_eq!(
            said(LockKind::RwLock, seldom),
            "`accounts` is read 9 times and written 1 000 times, but 0.02 threads read it at a time, half of \
             them for 1.00 us at most: a Mutex does the same and costs less"
        );
        let (wait, hold) = (ms(2), us(4));
        assert_eq!(
            mutex(Evidence::Barging { waits: 200, bypasses: 9_000, wait, hold }),
            "`accounts` was had at once about 9 000 times while somebody waited, in 200 waits: half of the \
             holds take 4.00 us at most, half of the waits 2.00 ms; do more at one time, or pause before \
             taking it again"
        );
        let (behind_readers, write, read) = (ms(80), ms(9), us(2));
        assert_eq!(
            said(
                LockKind::RwLock,
                Evidence::WritersWait { waits: 12, behind_readers, write, read }
            ),
            "whoever writes `accounts` waits for 9.00 ms in the mean, and whoever reads it for 2.00 us: 80.0 ms \
             of that were behind readers, in 12 waits; read for a shorter time, or let writers replace a shared copy"
        );
        assert_eq!(
            mutex(Evidence::TriesInVain { failures: 20_000, successes: 1 }),
            "`accounts` was tried in vain 20 000 times, and once with success: whoever tries again and again \
             spins, or makes no progress; wait with `lock`, or take the locks in one order"
        );
        let (waits, timeouts, notifies, in_vain) = (30, 20, 25, 15);
        assert_eq!(
            said(LockKind::Condvar, Evidence::SignalsInVain { waits, timeouts, notifies, in_vain }),
            "15 of 25 notifications of `accounts` came when nobody waited, and 20 of 30 waits ended because \
             their time was over: they may miss each other; change what is waited for under the mutex, and \
             look at it there before waiting"
        );
        let one = |locks| mutex(Evidence::OneThread { locks, acquisitions: 600_000 });
        assert_eq!(
            one(1),
            "`accounts` was acquired 600 000 times, never by two threads that lived at one time: what one \
             thread has to itself needs no lock"
        );
        assert!(one(3).starts_with("3 locks `accounts` were acquired"));
        let near = |pairs, name| {
            let (locks, acquisitions) = ([LockId(1), LockId(2)], [600_000, 700_000]);
            let (distance, created) = (40, here);
            mutex(Evidence::Neighbours { pairs, locks, distance, acquisitions, name, created })
        };
        assert_eq!(
            near(1, Some("audit")),
            "`accounts` and `audit` lie 40 bytes apart, in one cache line, and different threads acquired \
             them 600 000 times and 700 000 times: give each a line of its own, in a wrapper that is \
             `#[repr(align(64))]`"
        );
        assert!(near(1, None).starts_with(&format!("`accounts` and a lock of {at} lie 40 bytes")));
        let several = near(3, Some("accounts"));
        assert!(several.starts_with("two locks `accounts` lie 40 bytes apart"), "{several}");
        assert!(several.contains("700 000 times (3 such pairs): give"), "{several}");
    }
}
