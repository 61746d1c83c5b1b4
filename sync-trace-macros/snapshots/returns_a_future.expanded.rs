mod on {
    fn later(&self, early: bool) -> impl Future<Output = u8> {
        static __SYNC_TRACE_DECLARATION: declared::Declaration = declared::Declaration::new(
            ::core::concat!(::core::module_path!(), "::", "later"),
            ::core::file!(),
            declared::Span {
                line: 2u32,
                column: 4u32,
                end: 9u32,
            },
            &[
                declared::Clause {
                    rule: declared::Rule::Order {
                        chains: &[
                            &[
                                declared::Element {
                                    what: declared::What::Name("a"),
                                    mode: ::core::option::Option::None,
                                    ordered: false,
                                    span: declared::Span {
                                        line: 1u32,
                                        column: 14u32,
                                        end: 17u32,
                                    },
                                    text: "\"a\"",
                                },
                                declared::Element {
                                    what: declared::What::Name("b"),
                                    mode: ::core::option::Option::None,
                                    ordered: false,
                                    span: declared::Span {
                                        line: 1u32,
                                        column: 20u32,
                                        end: 23u32,
                                    },
                                    text: "\"b\"",
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
                        end: 23u32,
                    },
                    text: "\"a\" < \"b\"",
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
            |_| {},
        );
        let __sync_trace_future = '__sync_trace_returned: {
            if early {
                break '__sync_trace_returned ready(1);
            }
            let two = || return 2;
            ready(two())
        };
        __sync_trace_scope.around(__sync_trace_future)
    }
}
mod off {
    fn later(&self, early: bool) -> impl Future<Output = u8> {
        if early {
            return ready(1);
        }
        let two = || return 2;
        ready(two())
    }
}
