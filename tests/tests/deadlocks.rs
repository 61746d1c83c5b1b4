//! Every kind of live deadlock, and beside each its near misses, which must stay silent.
//!
//! The scripts are explained in the crate's documentation. A cycle is written from the thread with
//! the first name on; who closed it does not matter here.
#![cfg(any(debug_assertions, feature = "always"))]

use sync_trace_tests::{check, check_silent};

mod one_thread {
    use super::*;

    #[test]
    fn a_mutex_locked_again_by_its_holder() {
        check("t: lock a; t: lock a", &["ST0002 t -> a -> t"]);
        check("t: lock a; t: lock b; t: release b; t: lock a", &["ST0002 t -> a -> t"]);
        check("t: try_lock a; t: lock a", &["ST0002 t -> a -> t"]);
    }

    #[test]
    fn a_mutex_locked_again_after_its_release() {
        check_silent("t: lock a; t: release a; t: lock a");
        check_silent("t: lock a; t: try_lock a; t: release a; t: lock a");
    }

    #[test]
    fn a_mutex_whose_guard_was_forgotten() {
        check("t: lock a; t: forget a; t: lock a", &["ST0002 t -> a -> t"]);
    }

    #[test]
    fn every_mixture_of_reading_and_writing_one_lock() {
        check("t: write l; t: write l", &["ST0002 t -> l -> t"]);
        check("t: write l; t: read l", &["ST0002 t -> l -> t"]);
        check("t: read l; t: write l", &["ST0002 t -> l -> t"]);
        check("t: write l; t: downgrade l; t: write l", &["ST0002 t -> l -> t"]);
    }

    #[test]
    fn reading_twice_with_nobody_queued() {
        check_silent("t: read l; t: read l; t: read l");
        check_silent("t: write l; t: downgrade l; t: read l");
    }

    #[test]
    fn a_try_that_fails_is_no_wait() {
        check_silent("t: read l; t: try_write l; t: release l; t: write l");
        check_silent("t: lock a; t: try_lock a");
    }

    #[test]
    fn a_read_behind_a_writer_that_queues_for_the_same_threads_read() {
        check("r: read l; w: write l; r: read l", &["ST0002 r -> l behind w -> r"]);
        check("r: read l; x: read l; w: write l; r: read l", &["ST0002 r -> l behind w -> r"]);
    }

    #[test]
    fn a_read_behind_a_queued_writer_that_waits_for_somebody_else() {
        check_silent("x: read l; w: write l; r: read l; x: release l");
    }

    #[test]
    fn a_thread_that_joins_itself() {
        check("t: lock a; t: release a; t: join t", &["ST0002 t -> end -> t"]);
    }
}

mod several_threads {
    use super::*;

    #[test]
    fn two_mutexes_in_two_orders() {
        check(
            "t1: lock a; t2: lock b; t1: lock b; t2: lock a",
            &["ST0001 t1 -> b -> t2 -> a -> t1"],
        );
        check(
            "t1: lock a; t2: lock b; t2: lock a; t1: lock b",
            &["ST0001 t1 -> b -> t2 -> a -> t1"],
        );
    }

    #[test]
    fn two_orders_one_after_the_other() {
        // It does not happen, but it could.
        check(
            "t1: lock a; t1: lock b; t1: release b; t1: release a; t2: lock b; t2: lock a",
            &["ST0101 t1 -> b -> t2 -> a -> t1"],
        );
    }

    #[test]
    fn waiting_in_a_chain_that_ends_with_a_running_thread() {
        check_silent("t1: lock a; t2: lock b; t2: lock a; t3: lock b; t1: release a");
        check_silent("t1: lock a; t2: lock b; t2: lock a; t3: lock c; t3: lock b");
    }

    #[test]
    fn one_order_under_contention() {
        check_silent("t1: lock a; t2: lock a; t3: lock a; t1: lock b; t1: release b");
    }

    #[test]
    fn rings_of_three_and_of_five() {
        check(
            "t1: lock a; t2: lock b; t3: lock c; t1: lock b; t2: lock c; t3: lock a",
            &["ST0001 t1 -> b -> t2 -> c -> t3 -> a -> t1"],
        );
        check(
            "t1: lock a; t2: lock b; t3: lock c; t4: lock d; t5: lock e; \
             t3: lock d; t5: lock a; t1: lock b; t4: lock e; t2: lock c",
            &["ST0001 t1 -> b -> t2 -> c -> t3 -> d -> t4 -> e -> t5 -> a -> t1"],
        );
    }

    #[test]
    fn a_ring_with_one_link_missing() {
        check_silent("t1: lock a; t2: lock b; t3: lock c; t1: lock b; t2: lock c; t3: try_lock a");
    }

    #[test]
    fn a_long_ring_between_deep_nests() {
        let mut script = String::new();
        for thread in 0..20 {
            for depth in 0..20 {
                script += &format!("t{thread:02}: lock m{thread:02}x{depth:02}; ");
            }
        }
        for thread in 0..20 {
            script += &format!("t{thread:02}: lock m{:02}x{thread:02}; ", (thread + 1) % 20);
        }
        let cycle: String =
            (0..20).map(|t| format!("t{t:02} -> m{:02}x{t:02} -> ", (t + 1) % 20)).collect();
        check(&script, &[&format!("ST0001 {cycle}t00")]);
    }

    #[test]
    fn writers_in_two_orders() {
        check(
            "t1: write l; t2: write m; t1: write m; t2: write l",
            &["ST0001 t1 -> m -> t2 -> l -> t1"],
        );
    }

    #[test]
    fn a_reader_that_stops_a_writer() {
        check("r: read l; w: lock a; w: write l; r: lock a", &["ST0001 r -> a -> w -> l -> r"]);
        check("r: read l; w: lock a; r: lock a; w: write l", &["ST0001 r -> a -> w -> l -> r"]);
    }

    #[test]
    fn a_reader_that_stops_a_writer_of_a_lock_that_others_have_written() {
        check(
            "x: write l; x: release l; r: read l; w: lock a; r: lock a; w: write l",
            &["ST0001 r -> a -> w -> l -> r"],
        );
        check(
            "x: write l; x: downgrade l; r: read l; x: release l; w: lock a; r: lock a; w: write l",
            &["ST0001 r -> a -> w -> l -> r"],
        );
    }

    #[test]
    fn one_of_several_readers_that_stop_a_writer() {
        check(
            "r1: read l; r2: read l; r3: read l; w: lock a; r2: lock a; w: write l",
            &["ST0001 r2 -> a -> w -> l -> r2"],
        );
    }

    #[test]
    fn readers_that_stop_nobody() {
        check_silent("r1: read l; r2: read m; r1: read m; r2: read l");
        check_silent("r1: read l; r2: read l; r1: lock a; r2: lock a; r1: release a");
        check_silent("r: read l; w: write l; r: lock a; r: release a; r: release l");
    }

    #[test]
    fn a_writer_that_became_a_reader_stops_writers_only() {
        check(
            "r: write l; r: downgrade l; w: lock a; w: write l; r: lock a",
            &["ST0001 r -> a -> w -> l -> r"],
        );
        check_silent("r: write l; r: downgrade l; x: lock a; x: read l; r: lock b");
    }

    #[test]
    fn a_mixture_of_a_mutex_and_both_sides_of_a_read_write_lock() {
        check(
            "t1: read l; t2: write m; t3: lock a; t1: write m; t2: lock a; t3: write l",
            &["ST0001 t1 -> m -> t2 -> a -> t3 -> l -> t1"],
        );
    }

    #[test]
    fn a_third_thread_that_waits_behind_a_deadlock_is_no_part_of_it() {
        check(
            "t1: lock a; t2: lock b; t3: lock c; t3: lock b; t1: lock b; t2: lock a",
            &["ST0001 t1 -> b -> t2 -> a -> t1"],
        );
    }

    #[test]
    fn two_deadlocks_are_two_findings() {
        check(
            "t1: lock a; t2: lock b; t3: lock c; t4: lock d; \
             t1: lock b; t3: lock d; t2: lock a; t4: lock c",
            &["ST0001 t1 -> b -> t2 -> a -> t1", "ST0001 t3 -> d -> t4 -> c -> t3"],
        );
    }

    #[test]
    fn the_same_threads_can_deadlock_again() {
        check(
            "t2: lock b; t3: lock a; t2: lock a; t3: lock b; t2: end; t3: end; \
             t4: lock a; t5: lock b; t4: lock b; t5: lock a",
            &["ST0001 t2 -> a -> t3 -> b -> t2", "ST0001 t4 -> b -> t5 -> a -> t4"],
        );
    }
}

mod queued_writers {
    use super::*;

    #[test]
    fn a_triangle_that_its_reader_closes() {
        check(
            "r: read l; w: write l; x: lock a; r: lock a; x: read l",
            &["ST0001 r -> a -> x -> l behind w -> r"],
        );
    }

    #[test]
    fn a_triangle_that_the_holder_of_the_read_closes() {
        check(
            "r: read l; w: write l; x: lock a; x: read l; r: lock a",
            &["ST0001 r -> a -> x -> l behind w -> r"],
        );
    }

    #[test]
    fn a_triangle_in_a_lock_that_others_have_written() {
        check(
            "o: write l; o: release l; r: read l; w: write l; x: lock a; x: read l; r: lock a",
            &["ST0001 r -> a -> x -> l behind w -> r"],
        );
        check(
            "o: write l; o: release l; r: read l; w: write l; x: lock a; r: lock a; x: read l",
            &["ST0001 r -> a -> x -> l behind w -> r"],
        );
        check(
            "o: write l; o: release l; r: read l; w: write l; r: read l",
            &["ST0002 r -> l behind w -> r"],
        );
    }

    #[test]
    fn a_triangle_with_other_readers_beside() {
        check(
            "o: read l; r: read l; w: write l; x: lock a; x: read l; r: lock a",
            &["ST0001 r -> a -> x -> l behind w -> r"],
        );
    }

    #[test]
    fn a_triangle_without_the_writer() {
        check_silent("r: read l; x: lock a; x: read l; r: lock b; r: release b");
        check_silent("r: read l; x: lock a; r: lock a; x: read l; x: release l; x: release a");
    }

    #[test]
    fn a_triangle_whose_reader_has_left() {
        check_silent("r: read l; w: write l; x: lock a; x: read l; r: release l; r: lock a");
    }

    #[test]
    fn a_triangle_through_a_join() {
        check(
            "r: read l; w: write l; x: read l; r: join x",
            &["ST0001 r -> end -> x -> l behind w -> r"],
        );
    }
}

mod joins {
    use super::*;

    #[test]
    fn joining_a_thread_that_needs_what_the_joiner_holds() {
        check(
            "c: lock x; c: release x; p: lock a; c: lock a; p: join c",
            &["ST0001 c -> a -> p -> end -> c"],
        );
        check(
            "c: lock x; c: release x; p: lock a; p: join c; c: lock a",
            &["ST0001 c -> a -> p -> end -> c"],
        );
        check("c: lock x; p: read l; p: join c; c: write l", &["ST0001 c -> l -> p -> end -> c"]);
    }

    #[test]
    fn joining_a_thread_that_needs_something_else() {
        check_silent("c: lock x; p: lock a; p: join c; c: lock b; c: end");
        check_silent("c: lock x; p: lock a; p: release a; p: join c; c: lock a; c: end");
        check_silent("c: lock x; p: read l; p: join c; c: read l; c: end");
    }

    #[test]
    fn joining_a_thread_that_has_ended() {
        // Nothing has happened, but it could: there is nothing by which `p` could have known.
        check("c: lock a; c: end; p: lock a; p: join c", &["ST0101 c -> a -> p -> end -> c"]);
    }

    #[test]
    fn threads_that_join_each_other() {
        check(
            "t1: lock x; t2: lock y; t1: join t2; t2: join t1",
            &["ST0001 t1 -> end -> t2 -> end -> t1"],
        );
        check(
            "t1: lock x; t2: lock y; t3: lock z; t1: join t2; t2: join t3; t3: join t1",
            &["ST0001 t1 -> end -> t2 -> end -> t3 -> end -> t1"],
        );
    }

    #[test]
    fn a_ring_of_a_join_a_mutex_and_a_read_write_lock() {
        check(
            "t1: write l; t2: lock a; t3: lock x; t1: lock a; t2: join t3; t3: read l",
            &["ST0001 t1 -> a -> t2 -> end -> t3 -> l -> t1"],
        );
    }
}

mod condvars {
    use super::*;

    #[test]
    fn a_wait_that_keeps_what_the_owner_of_its_mutex_needs() {
        check(
            "t1: lock a; t1: lock m; t1: wait c m; t2: lock m; t2: lock a",
            &["ST0001 t1 -> m -> t2 -> a -> t1"],
        );
    }

    #[test]
    fn a_timed_wait_is_stuck_just_the_same() {
        check(
            "t1: lock a; t1: lock m; t1: wait_timeout c m; t2: lock m; t2: lock a",
            &["ST0001 t1 -> m -> t2 -> a -> t1"],
        );
    }

    #[test]
    fn a_wait_that_keeps_nothing() {
        check_silent(
            "t1: lock m; t1: wait c m; t2: lock m; t2: lock a; t2: release m; t2: notify c",
        );
    }

    #[test]
    fn a_wait_whose_mutex_is_free_when_it_is_woken() {
        check_silent(
            "t1: lock a; t1: lock m; t1: wait c m; t2: lock m; t2: release m; t2: lock b; \
             t2: notify c; t1: release m; t1: release a; t2: lock a",
        );
    }

    #[test]
    fn the_mutex_is_not_held_during_the_wait_and_is_held_after_it() {
        check_silent("t1: lock m; t1: wait c m; t2: lock m; t2: release m; t2: notify c");
        check(
            "t1: lock m; t1: wait c m; t2: lock m; t2: notify c; t2: release m; t1: lock m",
            &["ST0002 t1 -> m -> t1"],
        );
    }
}

mod lost_owners {
    use super::*;

    #[test]
    fn a_lock_whose_holder_has_ended() {
        check("t1: lock a; t1: end_holding; t2: lock a", &["ST0003 t2 -> a of t1"]);
        check("t1: lock a; t1: forget a; t1: end; t2: lock a", &["ST0003 t2 -> a of t1"]);
        check("t1: read l; t1: end_holding; t2: write l", &["ST0003 t2 -> l of t1"]);
    }

    #[test]
    fn a_lock_whose_holder_ended_after_it_had_released_it() {
        check_silent("t1: lock a; t1: end; t2: lock a");
        check_silent("t1: read l; t1: end_holding; t2: read l");
    }

    #[test]
    fn a_lock_whose_forgetful_holder_still_lives() {
        check_silent(
            "t1: lock a; t1: forget a; t1: lock b; t2: lock b; t1: release b; t2: try_lock a",
        );
    }
}

mod initialisers {
    use super::*;

    #[test]
    fn an_initialiser_that_needs_its_own_value() {
        check("t: init o; t: use o", &["ST0002 t -> o -> t"]);
        check("t: init o; t: await o", &["ST0002 t -> o -> t"]);
        check("t: init o; t: init p; t: use o", &["ST0002 t -> o -> t"]);
    }

    #[test]
    fn a_value_used_when_its_initialiser_has_returned() {
        check_silent("t: init o; t: done o; t: use o; t: await o");
        check_silent("t: init o; t: use p; t: done o; t: init p; t: use o");
    }

    #[test]
    fn an_initialiser_that_needs_another_value() {
        check_silent("t: init o; t: use p; t: done o; u: init p; u: use o; u: use p");
    }

    #[test]
    fn two_initialisers_that_need_each_others_value() {
        check("t: init o; u: init p; t: use p; u: use o", &["ST0001 t -> p -> u -> o -> t"]);
        check("t: init o; u: init p; u: use o; t: await p", &["ST0001 t -> p -> u -> o -> t"]);
        check(
            "t: init o; u: init p; v: init q; t: use p; u: use q; v: use o",
            &["ST0001 t -> p -> u -> q -> v -> o -> t"],
        );
    }

    #[test]
    fn users_of_a_value_that_is_being_initialised_wait_for_it() {
        check_silent("t: init o; u: use o; v: await o; w: init o; t: done o; u: use o");
        check_silent("t: init o; u: init p; t: use p; u: done p; u: use o; t: done o");
    }

    #[test]
    fn a_mutex_and_an_initialiser_in_two_orders() {
        check("t: init o; u: lock a; u: use o; t: lock a", &["ST0001 t -> a -> u -> o -> t"]);
        check("t: init o; u: lock a; t: lock a; u: use o", &["ST0001 t -> a -> u -> o -> t"]);
        check("t: init o; u: write l; t: read l; u: await o", &["ST0001 t -> l -> u -> o -> t"]);
        check("t: init o; u: read l; t: write l; u: init o", &["ST0001 t -> l -> u -> o -> t"]);
    }

    #[test]
    fn a_mutex_and_an_initialiser_in_one_order() {
        check_silent("u: lock a; t: init o; t: lock a; u: release a; t: done o; u: use o");
        check(
            "t: init o; t: lock a; t: release a; u: lock a; u: use o; t: done o",
            &["ST0101 t -> a -> u -> o -> t"],
        );
        check_silent("t: use o; u: lock a; u: use o; t: lock a; u: release a");
    }

    #[test]
    fn joins_and_initialisers() {
        check("u: lock a; t: init o; u: use o; t: join u", &["ST0001 t -> end -> u -> o -> t"]);
        check("u: lock a; t: init o; t: join u; u: await o", &["ST0001 t -> end -> u -> o -> t"]);
        check_silent("u: use o; t: init o; t: join u; u: end");
        check_silent("u: lock a; t: init o; t: join u; u: use p; u: end");
    }

    #[test]
    fn a_signal_awaited_in_an_initialiser_whose_mutex_is_taken() {
        check(
            "t: lock a; t: init o; t: wait c a; u: lock a; u: use o",
            &["ST0001 t -> a -> u -> o -> t"],
        );
        check_silent("t: init o; t: lock a; t: wait c a; u: lock a; u: notify c; u: release a");
    }

    #[test]
    fn an_awaited_value_that_nobody_initialises_is_not_judged() {
        check_silent("t: lock a; t: await o; u: lock a; v: use o; t: release a");
    }
}

mod waits_without_an_owner {
    use super::*;

    #[test]
    fn a_receiver_that_holds_what_others_want_may_get_its_message() {
        check_silent("t: lock a; t: recv q; u: lock b; u: lock a");
        check_silent("t: init o; t: recv q; u: use o");
    }

    #[test]
    fn a_parked_thread_that_holds_what_others_want_may_be_unparked() {
        check_silent("t: lock a; t: park; u: lock a");
        check_silent("t: park; u: lock a; u: join t");
    }
}
