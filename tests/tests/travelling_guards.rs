//! Guards that unsafe code sends to another thread: their holds go with them. A process of its own,
//! because from then on an owner's end proves nothing any more.
#![cfg(any(debug_assertions, feature = "always"))]

use sync_trace_tests::{check, check_silent};

#[test]
fn a_guard_that_another_thread_drops_is_held_no_longer() {
    check_silent("t2: lock x; t1: lock a; t1: give a t2; t2: release a; t1: lock a; t2: lock b");
    check_silent("t2: lock x; t1: read l; t1: give l t2; t2: release l; t1: write l");
}

#[test]
fn after_that_the_lock_is_judged_as_any_other() {
    check(
        "t2: lock x; t1: lock a; t1: give a t2; t2: release a; t1: lock a; t2: lock b; \
         t1: lock b; t2: lock a",
        &["ST0001 t1 -> b -> t2 -> a -> t1"],
    );
}

#[test]
fn a_holder_that_ended_may_have_given_its_guard_away() {
    check_silent(
        "t2: lock x; t1: lock a; t1: give a t2; t2: release a; t1: lock b; t1: give b t2; \
         t1: end; t3: lock b; t2: release b",
    );
}

#[test]
fn a_guard_that_its_new_thread_has_downgraded_is_held_by_the_old_one_no_more() {
    check_silent(
        "t2: lock x; t1: write l; t1: give l t2; t2: downgrade l; t3: lock b; t3: write l; \
         t1: lock b; t2: release l",
    );
}
