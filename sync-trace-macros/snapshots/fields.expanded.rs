mod on {
    #[automatically_derived]
    impl<'a, T: Clone, const N: usize> declared::LockFields
    for Bank<'a, T, N>
    where
        T: Send,
    {
        fn name_locks(&self) {
            static __SYNC_TRACE_LABEL_0: ::sync_trace::__private::Label = declared::label(
                "Bank.accounts",
            );
            declared::name_field(
                &self.accounts,
                &__SYNC_TRACE_LABEL_0,
            );
            static __SYNC_TRACE_CLASS_1: declared::LockClass = declared::LockClass::new(
                    "bank.audit",
                )
                .leaf();
            mod on {
                const _: () = {
                    #[::sync_trace::__private::linkme::distributed_slice(
                        declared::CLASSES
                    )]
                    #[linkme(crate = ::sync_trace::__private::linkme)]
                    static __SYNC_TRACE_CLASS: &declared::LockClass = &__SYNC_TRACE_CLASS_1;
                };
            }
            mod off {}
            static __SYNC_TRACE_LABEL_1: ::sync_trace::__private::Label = declared::label(
                    "bank.audit",
                )
                .in_class(&__SYNC_TRACE_CLASS_1);
            declared::name_field(
                &self.audit,
                &__SYNC_TRACE_LABEL_1,
            );
            static __SYNC_TRACE_LABEL_2: ::sync_trace::__private::Label = declared::label(
                    "Bank.rates",
                )
                .in_class(&RATES);
            declared::name_field(
                &self.rates,
                &__SYNC_TRACE_LABEL_2,
            );
        }
    }
    const _: () = {
        static __SYNC_TRACE_DECLARATION: declared::Declaration = declared::Declaration::new(
            ::core::concat!(::core::module_path!(), "::", "Bank"),
            ::core::file!(),
            declared::Span {
                line: 2u32,
                column: 8u32,
                end: 12u32,
            },
            &[
                declared::Clause {
                    rule: declared::Rule::Order {
                        chains: &[
                            &[
                                declared::Element {
                                    what: declared::What::Name(
                                        "Bank.accounts",
                                    ),
                                    mode: ::core::option::Option::None,
                                    ordered: false,
                                    span: declared::Span {
                                        line: 7u32,
                                        column: 5u32,
                                        end: 13u32,
                                    },
                                    text: "Bank.accounts",
                                },
                                declared::Element {
                                    what: declared::What::Name(
                                        "bank.audit",
                                    ),
                                    mode: ::core::option::Option::None,
                                    ordered: false,
                                    span: declared::Span {
                                        line: 6u32,
                                        column: 19u32,
                                        end: 24u32,
                                    },
                                    text: "bank.audit",
                                },
                            ],
                        ],
                        options: declared::Options {
                            global: true,
                            strict: false,
                            local: false,
                            inherit: false,
                        },
                    },
                    span: declared::Span {
                        line: 6u32,
                        column: 19u32,
                        end: 24u32,
                    },
                    text: "audit",
                },
                declared::Clause {
                    rule: declared::Rule::Order {
                        chains: &[
                            &[
                                declared::Element {
                                    what: declared::What::Name(
                                        "Bank.accounts",
                                    ),
                                    mode: ::core::option::Option::None,
                                    ordered: false,
                                    span: declared::Span {
                                        line: 7u32,
                                        column: 5u32,
                                        end: 13u32,
                                    },
                                    text: "Bank.accounts",
                                },
                                declared::Element {
                                    what: declared::What::Name(
                                        "log.*",
                                    ),
                                    mode: ::core::option::Option::None,
                                    ordered: false,
                                    span: declared::Span {
                                        line: 6u32,
                                        column: 26u32,
                                        end: 33u32,
                                    },
                                    text: "log.*",
                                },
                            ],
                        ],
                        options: declared::Options {
                            global: true,
                            strict: false,
                            local: false,
                            inherit: false,
                        },
                    },
                    span: declared::Span {
                        line: 6u32,
                        column: 26u32,
                        end: 33u32,
                    },
                    text: "\"log.*\"",
                },
                declared::Clause {
                    rule: declared::Rule::Order {
                        chains: &[
                            &[
                                declared::Element {
                                    what: declared::What::Name(
                                        "Bank.accounts",
                                    ),
                                    mode: ::core::option::Option::None,
                                    ordered: false,
                                    span: declared::Span {
                                        line: 10u32,
                                        column: 35u32,
                                        end: 43u32,
                                    },
                                    text: "Bank.accounts",
                                },
                                declared::Element {
                                    what: declared::What::Name(
                                        "Bank.rates",
                                    ),
                                    mode: ::core::option::Option::None,
                                    ordered: false,
                                    span: declared::Span {
                                        line: 11u32,
                                        column: 5u32,
                                        end: 10u32,
                                    },
                                    text: "Bank.rates",
                                },
                            ],
                        ],
                        options: declared::Options {
                            global: true,
                            strict: false,
                            local: false,
                            inherit: false,
                        },
                    },
                    span: declared::Span {
                        line: 10u32,
                        column: 35u32,
                        end: 43u32,
                    },
                    text: "accounts",
                },
            ],
        );
        #[::sync_trace::__private::linkme::distributed_slice(
            declared::DECLARATIONS
        )]
        #[linkme(crate = ::sync_trace::__private::linkme)]
        static __SYNC_TRACE_ENTRY: &declared::Declaration = &__SYNC_TRACE_DECLARATION;
    };
}
mod off {
    #[automatically_derived]
    impl<'a, T: Clone, const N: usize> declared::LockFields
    for Bank<'a, T, N>
    where
        T: Send,
    {
        fn name_locks(&self) {
            if false {
                declared::check_lock(&self.accounts);
                declared::check_lock(&self.audit);
                declared::check_lock(&self.rates);
                declared::check_class(&RATES);
            }
        }
    }
}
