fn scope() {
    let value = (
        (
            on,
            {
                static __SYNC_TRACE_DECLARATION: declared::Declaration = declared::Declaration::new(
                    ::core::concat!(::core::module_path!(), "::", "{scope}"),
                    ::core::file!(),
                    declared::Span {
                        line: 1u32,
                        column: 1u32,
                        end: 1u32,
                    },
                    &[
                        declared::Clause {
                            rule: declared::Rule::Order {
                                chains: &[
                                    &[
                                        declared::Element {
                                            what: declared::What::Slot(0usize),
                                            mode: ::core::option::Option::None,
                                            ordered: false,
                                            span: declared::Span {
                                                line: 1u32,
                                                column: 21u32,
                                                end: 22u32,
                                            },
                                            text: "a",
                                        },
                                        declared::Element {
                                            what: declared::What::Slot(1usize),
                                            mode: ::core::option::Option::None,
                                            ordered: false,
                                            span: declared::Span {
                                                line: 1u32,
                                                column: 25u32,
                                                end: 26u32,
                                            },
                                            text: "b",
                                        },
                                    ],
                                ],
                                options: declared::Options {
                                    global: false,
                                    strict: false,
                                    local: false,
                                    inherit: false,
                                },
                            },
                            span: declared::Span {
                                line: 1u32,
                                column: 21u32,
                                end: 26u32,
                            },
                            text: "a < b",
                        },
                        declared::Clause {
                            rule: declared::Rule::Only {
                                locks: &[
                                    declared::Element {
                                        what: declared::What::Slot(0usize),
                                        mode: ::core::option::Option::None,
                                        ordered: false,
                                        span: declared::Span {
                                            line: 1u32,
                                            column: 34u32,
                                            end: 35u32,
                                        },
                                        text: "a",
                                    },
                                    declared::Element {
                                        what: declared::What::Slot(1usize),
                                        mode: ::core::option::Option::None,
                                        ordered: false,
                                        span: declared::Span {
                                            line: 1u32,
                                            column: 37u32,
                                            end: 38u32,
                                        },
                                        text: "b",
                                    },
                                ],
                            },
                            span: declared::Span {
                                line: 1u32,
                                column: 34u32,
                                end: 38u32,
                            },
                            text: "a, b",
                        },
                    ],
                );
                #[::sync_trace::__private::linkme::distributed_slice(
                    declared::DECLARATIONS
                )]
                #[linkme(crate = ::sync_trace::__private::linkme)]
                static __SYNC_TRACE_ENTRY: &declared::Declaration = &__SYNC_TRACE_DECLARATION;
                let __sync_trace_scope = declared::enter(
                    &__SYNC_TRACE_DECLARATION,
                    |__members| {
                        __members.add(0usize, &a);
                        __members.add(1usize, &b);
                    },
                );
                #[allow(clippy::diverging_sub_expression)]
                let __sync_trace_result = {
                    a.lock();
                    5
                };
                #[allow(unreachable_code)] __sync_trace_scope.leave();
                __sync_trace_result
            },
        ),
        (
            off,
            {
                if false {
                    declared::check_lock(&a);
                    declared::check_lock(&b);
                }
                a.lock();
                5
            },
        ),
    );
}
