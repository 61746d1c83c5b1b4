mod on {
    #[automatically_derived]
    impl my::sync::__private::declared::LockFields for Pair {
        fn name_locks(&self) {
            static __SYNC_TRACE_LABEL_0: my::sync::__private::Label = my::sync::__private::declared::label(
                "Pair.0",
            );
            my::sync::__private::declared::name_field(&self.0, &__SYNC_TRACE_LABEL_0);
            static __SYNC_TRACE_LABEL_1: my::sync::__private::Label = my::sync::__private::declared::label(
                "Pair.1",
            );
            my::sync::__private::declared::name_field(&self.1, &__SYNC_TRACE_LABEL_1);
        }
    }
}
mod off {
    #[automatically_derived]
    impl my::sync::__private::declared::LockFields for Pair {
        fn name_locks(&self) {
            if false {
                my::sync::__private::declared::check_lock(&self.0);
                my::sync::__private::declared::check_lock(&self.1);
            }
        }
    }
}
