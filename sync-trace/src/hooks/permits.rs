//! The verbs for semaphores, whose permits are no locks.
//!
//! A semaphore exists also where tracing is compiled out. Then all of this is empty, and takes no room.

#[cfg(not(any(debug_assertions, feature = "always")))]
pub(crate) use off::{Holder, Pool, times_out};
#[cfg(any(debug_assertions, feature = "always"))]
pub(crate) use on::{Holder, Pool, times_out};

#[cfg(any(debug_assertions, feature = "always"))]
mod on {
    use std::sync::Arc;

    use once_cell::race::OnceBox;

    use crate::current::{self, Working};
    use crate::finding::{AgentId, LockId, LockKind};
    use crate::foresight::passage::Passage;
    use crate::held::{Entry, Held};
    use crate::hooks::{self, Waiting};
    use crate::op::{Mode, Op};
    use crate::registry::{Access, LockHeader, word};
    use crate::site::Site;
    use crate::tracker;
    use crate::waits::source::Source;

    /// What is known of a semaphore.
    pub(crate) struct Pool {
        pub(crate) header: LockHeader,
        /// What came before permits were given back; made when there is first something to tell.
        given_back: OnceBox<Passage>,
        /// What is waited for; made by who waits first.
        source: OnceBox<Arc<Source>>,
    }

    /// On whose record a permit is, if it is on any.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct Holder(Option<AgentId>);

    impl Holder {
        pub(crate) const NOBODY: Self = Self(None);
    }

    impl Pool {
        pub(crate) const fn new(created: Site) -> Self {
            Self {
                header: LockHeader::new(created),
                given_back: OnceBox::new(),
                source: OnceBox::new(),
            }
        }

        /// A permit is about to be asked for. Afterwards its acquisition is recorded without a
        /// look at anything else.
        #[cfg_attr(not(debug_assertions), inline)]
        pub(crate) fn prepare(&self) {
            if !current::current().permits.has_room() {
                prepare_slow();
            }
        }

        /// It has just been acquired.
        #[cfg_attr(not(debug_assertions), inline)]
        pub(crate) fn acquired(&self, access: &'static Access, site: Site) -> Holder {
            self.observe();
            hooks::cut_stretch();
            self.record(access, site)
        }

        /// Part of what was acquired has just become a permit of its own.
        #[cfg_attr(not(debug_assertions), inline)]
        pub(crate) fn record(&self, access: &'static Access, site: Site) -> Holder {
            let header = &self.header;
            if header.id().is_none() && header.first_id().is_none() {
                return Holder::NOBODY;
            }
            let agent = current::current();
            let (word, created) = (header.word(), header.origin());
            match agent.permits.push(&Entry { word, access, created, site }) {
                true => Holder(Some(agent.id())),
                false => record_slow(header, access, site),
            }
        }

        /// Permits are about to be given back, or to be added at this line.
        #[cfg_attr(not(debug_assertions), inline)]
        pub(crate) fn gives(&self, site: Option<Site>) {
            if let Some(source) = self.source.get() {
                match site {
                    Some(site) => {
                        hooks::will_give(source, Op::AddPermits, site);
                        if source.is_awaited() {
                            hooks::give(source, Op::AddPermits, site);
                        }
                    }
                    None if source.is_awaited() => source.stir(),
                    None => {}
                }
            }
            hooks::begin_stretch();
            if current::current().has_something_to_say() {
                self.publish_slow();
            }
        }

        #[cold]
        #[inline(never)]
        fn publish_slow(&self) {
            if self.header.ensure_id().is_some() && !current::is_in_allocator() {
                let passage = {
                    let _working = Working::begin();
                    self.given_back.get_or_init(|| Box::new(Passage::new()))
                };
                hooks::publish(passage);
            }
        }

        /// What follows comes after what was given back so far.
        #[cfg_attr(not(debug_assertions), inline)]
        pub(crate) fn observe(&self) {
            if let Some(passage) = self.given_back.get() {
                hooks::observe(passage);
            }
        }

        /// What `holder` has acquired is held no more.
        #[cfg_attr(not(debug_assertions), inline)]
        pub(crate) fn released(&self, holder: Holder) {
            let Holder(Some(id)) = holder else { return };
            let agent = current::current();
            if agent.id() != id || !agent.permits.pop(self.header.word()) {
                released_slow(&self.header, id);
            }
        }

        /// There were not as many permits as were tried for.
        #[cold]
        pub(crate) fn tried_in_vain(&self) {
            hooks::tried_in_vain(&self.header, &TRIED);
        }

        /// The calling thread is about to wait for a permit. `retry` tries once more to get what it
        /// wants, and says whether that has ended the matter.
        #[track_caller]
        pub(crate) fn wait(
            &self,
            access: &'static Access,
            site: Site,
            retry: &mut dyn FnMut() -> bool,
        ) -> Option<Waiting> {
            let (id, origin) = (self.header.ensure_id()?, self.header.origin());
            if current::is_in_allocator() {
                return None;
            }
            let source = {
                let _working = Working::begin();
                let new = || {
                    let source = Source::new(id, LockKind::Semaphore, origin);
                    // Whose guards end is not noted.
                    source.set_by_others();
                    Box::new(Arc::new(source))
                };
                Arc::clone(self.source.get_or_init(new))
            };
            let own = self.header.reaction();
            Some(hooks::wait_for_signal(source, None, access, site, own, &mut |_| retry()))
        }
    }

    /// What a try asks for, as what is waited for is counted: all permits are alike.
    static TRIED: Access = Access {
        kind: LockKind::Semaphore,
        type_name: || "",
        mode: Mode::Exclusive,
        op: Op::TryAcquire,
    };

    /// The time of such a wait is over.
    pub(crate) fn times_out(waiting: &mut Option<Waiting>) {
        if let Some(waiting) = waiting {
            waiting.times_out();
        }
    }

    #[cold]
    #[inline(never)]
    fn prepare_slow() {
        if current::is_in_allocator() {
            return;
        }
        if let Some(agent) = current::recording() {
            let _working = Working::begin();
            agent.permits.make_room();
            agent.account.drain(agent.permits.counts());
        }
    }

    #[cold]
    #[inline(never)]
    fn record_slow(header: &LockHeader, access: &'static Access, site: Site) -> Holder {
        let agent = current::recording().filter(|_| !current::is_in_allocator());
        let (Some(agent), Some(lock)) = (agent, header.number()) else { return Holder::NOBODY };
        let created = header.origin();
        let _working = Working::begin();
        agent.permits.push_slow(&Held { lock, stamp: 0, told: false, access, created, site });
        Holder(Some(agent.id()))
    }

    /// It is not the newest one, or another thread acquired it.
    #[cold]
    #[inline(never)]
    fn released_slow(header: &LockHeader, holder: AgentId) {
        let Some(lock): Option<LockId> = header.number() else { return };
        if let Some(agent) = current::home().filter(|agent| agent.id() == holder) {
            if !agent.permits.pop(word::of(lock)) {
                agent.permits.remove(lock);
            }
            return;
        }
        // To tell another agent takes memory.
        if current::is_working() || current::is_in_allocator() {
            return;
        }
        if let Some(tracker) = tracker::existing() {
            let _working = Working::begin();
            let is_holder = |agent: &&crate::agent::Agent| agent.is_live() && agent.id() == holder;
            if let Some(agent) = tracker.agents.iter().find(is_holder) {
                agent.permits.given_back_elsewhere(lock);
            }
        }
    }
}

#[cfg(not(any(debug_assertions, feature = "always")))]
mod off {
    use crate::registry::Access;
    use crate::site::Site;

    /// Nothing is known of a semaphore.
    pub(crate) struct Pool;

    /// A wait that is not on record.
    pub(crate) struct Waiting;

    #[inline]
    pub(crate) fn times_out(_: &mut Waiting) {}

    /// A permit is on nobody's record.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct Holder;

    impl Holder {
        pub(crate) const NOBODY: Self = Self;
    }

    impl Pool {
        #[inline]
        pub(crate) const fn new(_: Site) -> Self {
            Self
        }

        #[inline]
        pub(crate) fn prepare(&self) {}

        #[inline]
        pub(crate) fn acquired(&self, _: &'static Access, _: Site) -> Holder {
            Holder
        }

        #[inline]
        pub(crate) fn record(&self, _: &'static Access, _: Site) -> Holder {
            Holder
        }

        #[inline]
        pub(crate) fn gives(&self, _: Option<Site>) {}

        #[inline]
        pub(crate) fn observe(&self) {}

        #[inline]
        pub(crate) fn tried_in_vain(&self) {}

        #[inline]
        pub(crate) fn released(&self, _: Holder) {}

        #[inline]
        pub(crate) fn wait(
            &self,
            _: &'static Access,
            _: Site,
            _: &mut dyn FnMut() -> bool,
        ) -> Waiting {
            Waiting
        }
    }
}
