mod on {
    fn hand_over<'a, T: Clone, const N: usize>(
        from: &'a Account<T>,
        to: &[u8; N],
    ) -> (&'a T, u8)
    where
        T: Send,
    {
        #![allow(unused)]
        static __SYNC_TRACE_DECLARATION: my::sync::__private::declared::Declaration = my::sync::__private::declared::Declaration::new(
            ::core::concat!(::core::module_path!(), "::", "hand_over"),
            ::core::file!(),
            my::sync::__private::declared::Span {
                line: 2u32,
                column: 4u32,
                end: 13u32,
            },
            &[
                my::sync::__private::declared::Clause {
                    rule: my::sync::__private::declared::Rule::Acquires {
                        locks: &[
                            my::sync::__private::declared::Element {
                                what: my::sync::__private::declared::What::Slot(0usize),
                                mode: ::core::option::Option::None,
                                ordered: false,
                                span: my::sync::__private::declared::Span {
                                    line: 1u32,
                                    column: 38u32,
                                    end: 47u32,
                                },
                                text: "from.lock",
                            },
                        ],
                    },
                    span: my::sync::__private::declared::Span {
                        line: 1u32,
                        column: 38u32,
                        end: 47u32,
                    },
                    text: "from.lock",
                },
                my::sync::__private::declared::Clause {
                    rule: my::sync::__private::declared::Rule::Releases {
                        locks: &[
                            my::sync::__private::declared::Element {
                                what: my::sync::__private::declared::What::Slot(1usize),
                                mode: ::core::option::Option::None,
                                ordered: false,
                                span: my::sync::__private::declared::Span {
                                    line: 1u32,
                                    column: 59u32,
                                    end: 65u32,
                                },
                                text: "to.0.1",
                            },
                        ],
                    },
                    span: my::sync::__private::declared::Span {
                        line: 1u32,
                        column: 59u32,
                        end: 65u32,
                    },
                    text: "to.0.1",
                },
                my::sync::__private::declared::Clause {
                    rule: my::sync::__private::declared::Rule::MayBlock,
                    span: my::sync::__private::declared::Span {
                        line: 1u32,
                        column: 68u32,
                        end: 77u32,
                    },
                    text: "may_block",
                },
                my::sync::__private::declared::Clause {
                    rule: my::sync::__private::declared::Rule::Order {
                        chains: &[
                            &[
                                my::sync::__private::declared::Element {
                                    what: my::sync::__private::declared::What::Slot(2usize),
                                    mode: ::core::option::Option::None,
                                    ordered: true,
                                    span: my::sync::__private::declared::Span {
                                        line: 1u32,
                                        column: 101u32,
                                        end: 133u32,
                                    },
                                    text: "each(from.lock, to.lock by addr)",
                                },
                            ],
                        ],
                        options: my::sync::__private::declared::Options {
                            global: false,
                            strict: false,
                            local: true,
                            inherit: true,
                        },
                    },
                    span: my::sync::__private::declared::Span {
                        line: 1u32,
                        column: 85u32,
                        end: 133u32,
                    },
                    text: "local, inherit, each(from.lock, to.lock by addr)",
                },
            ],
        );
        #[my::sync::__private::linkme::distributed_slice(
            my::sync::__private::declared::DECLARATIONS
        )]
        #[linkme(crate = my::sync::__private::linkme)]
        static __SYNC_TRACE_ENTRY: &my::sync::__private::declared::Declaration = &__SYNC_TRACE_DECLARATION;
        let __sync_trace_scope = my::sync::__private::declared::enter(
            &__SYNC_TRACE_DECLARATION,
            |__members| {
                __members.add(0usize, &from.lock);
                __members.add(1usize, &to.0.1);
                __members.add_by_addr(2usize, &from.lock);
                __members.add_by_addr(2usize, &to.lock);
            },
        );
        #[allow(clippy::diverging_sub_expression)]
        let __sync_trace_result: (&'a T, u8) = {
            let from = from;
            let to = to;
            let __sync_trace_value: (&'a T, u8) = { (from, 1) };
            __sync_trace_value
        };
        #[allow(unreachable_code)] __sync_trace_scope.leave();
        __sync_trace_result
    }
}
mod off {
    fn hand_over<'a, T: Clone, const N: usize>(
        from: &'a Account<T>,
        to: &[u8; N],
    ) -> (&'a T, u8)
    where
        T: Send,
    {
        #![allow(unused)]
        if false {
            my::sync::__private::declared::check_lock(&from.lock);
            my::sync::__private::declared::check_lock(&to.0.1);
            my::sync::__private::declared::check_lock(&from.lock);
            my::sync::__private::declared::check_lock(&to.lock);
        }
        (from, 1)
    }
}
