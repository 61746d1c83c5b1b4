const _: () = {
    #[allow(unused_imports)]
    use may_block as _;
};
mod on {
    #[async_trait]
    impl<T> Bank for Vault<T> {
        const SIZE: usize = 1;
        type Key = u8;
        fn new() -> Self {
            static __SYNC_TRACE_DECLARATION: declared::Declaration = declared::Declaration::new(
                ::core::concat!(::core::module_path!(), "::", "new"),
                ::core::file!(),
                declared::Span {
                    line: 7u32,
                    column: 8u32,
                    end: 11u32,
                },
                &[
                    declared::Clause {
                        rule: declared::Rule::MayBlock,
                        span: declared::Span {
                            line: 2u32,
                            column: 3u32,
                            end: 12u32,
                        },
                        text: "may_block",
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
                |_| {},
            );
            #[allow(clippy::diverging_sub_expression)]
            let __sync_trace_result: Self = { make() };
            #[allow(unreachable_code)] __sync_trace_scope.leave();
            __sync_trace_result
        }
        const fn size(&self) -> usize {
            1
        }
        async fn open(&self) {
            #[allow(unused_imports)]
            use lock_order as _;
            static __SYNC_TRACE_DECLARATION: declared::Declaration = declared::Declaration::new(
                ::core::concat!(::core::module_path!(), "::", "open"),
                ::core::file!(),
                declared::Span {
                    line: 14u32,
                    column: 14u32,
                    end: 18u32,
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
                                            column: 14u32,
                                            end: 20u32,
                                        },
                                        text: "self.a",
                                    },
                                    declared::Element {
                                        what: declared::What::Slot(1usize),
                                        mode: ::core::option::Option::None,
                                        ordered: false,
                                        span: declared::Span {
                                            line: 1u32,
                                            column: 23u32,
                                            end: 29u32,
                                        },
                                        text: "self.b",
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
                            column: 14u32,
                            end: 29u32,
                        },
                        text: "self.a < self.b",
                    },
                    declared::Clause {
                        rule: declared::Rule::MayBlock,
                        span: declared::Span {
                            line: 2u32,
                            column: 3u32,
                            end: 12u32,
                        },
                        text: "may_block",
                    },
                    declared::Clause {
                        rule: declared::Rule::Order {
                            chains: &[
                                &[
                                    declared::Element {
                                        what: declared::What::Slot(1usize),
                                        mode: ::core::option::Option::None,
                                        ordered: false,
                                        span: declared::Span {
                                            line: 13u32,
                                            column: 18u32,
                                            end: 24u32,
                                        },
                                        text: "self.b",
                                    },
                                    declared::Element {
                                        what: declared::What::Name("c"),
                                        mode: ::core::option::Option::None,
                                        ordered: false,
                                        span: declared::Span {
                                            line: 13u32,
                                            column: 27u32,
                                            end: 30u32,
                                        },
                                        text: "\"c\"",
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
                            line: 13u32,
                            column: 18u32,
                            end: 30u32,
                        },
                        text: "self.b < \"c\"",
                    },
                ],
            );
            #[::sync_trace::__private::linkme::distributed_slice(
                declared::DECLARATIONS
            )]
            #[linkme(crate = ::sync_trace::__private::linkme)]
            static __SYNC_TRACE_ENTRY: &declared::Declaration = &__SYNC_TRACE_DECLARATION;
            ::sync_trace::__name_locks_of!(self);
            let __sync_trace_scope = declared::prepare(
                &__SYNC_TRACE_DECLARATION,
                |__members| {
                    __members.add(0usize, &self.a);
                    __members.add(1usize, &self.b);
                },
            );
            __sync_trace_scope
                .around(async move {
                    #[allow(
                        unreachable_code,
                        clippy::diverging_sub_expression,
                        clippy::empty_loop,
                        clippy::let_unit_value,
                        clippy::let_with_type_underscore,
                        clippy::needless_return,
                        clippy::unused_unit
                    )]
                    if false {
                        let __sync_trace_result: () = loop {};
                        return __sync_trace_result;
                    }
                })
                .await
        }
    }
}
mod off {
    #[async_trait]
    impl<T> Bank for Vault<T> {
        const SIZE: usize = 1;
        type Key = u8;
        fn new() -> Self {
            make()
        }
        const fn size(&self) -> usize {
            1
        }
        async fn open(&self) {
            #[allow(unused_imports)]
            use lock_order as _;
            if false {
                declared::check_lock(&self.a);
                declared::check_lock(&self.b);
            }
        }
    }
}
