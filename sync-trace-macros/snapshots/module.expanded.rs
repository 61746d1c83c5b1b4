pub mod bank {
    //! Inner.
    use super::*;
    mod on {
        pub fn open() {
            static __SYNC_TRACE_DECLARATION: declared::Declaration = declared::Declaration::new(
                ::core::concat!(::core::module_path!(), "::", "open"),
                ::core::file!(),
                declared::Span {
                    line: 5u32,
                    column: 12u32,
                    end: 16u32,
                },
                &[
                    declared::Clause {
                        rule: declared::Rule::Only {
                            locks: &[
                                declared::Element {
                                    what: declared::What::Name(
                                        "bank.*",
                                    ),
                                    mode: ::core::option::Option::None,
                                    ordered: false,
                                    span: declared::Span {
                                        line: 1u32,
                                        column: 13u32,
                                        end: 21u32,
                                    },
                                    text: "\"bank.*\"",
                                },
                            ],
                        },
                        span: declared::Span {
                            line: 1u32,
                            column: 13u32,
                            end: 21u32,
                        },
                        text: "\"bank.*\"",
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
            let __sync_trace_result: () = {};
            #[allow(unreachable_code)] __sync_trace_scope.leave();
            __sync_trace_result
        }
    }
    mod off {
        pub fn open() {}
    }
    mod on {
        impl Vault<{ SIZE }> {
            fn close(&self) {
                #[allow(unused_imports)]
                use lock_excludes as _;
                static __SYNC_TRACE_DECLARATION: declared::Declaration = declared::Declaration::new(
                    ::core::concat!(::core::module_path!(), "::", "close"),
                    ::core::file!(),
                    declared::Span {
                        line: 8u32,
                        column: 12u32,
                        end: 17u32,
                    },
                    &[
                        declared::Clause {
                            rule: declared::Rule::Only {
                                locks: &[
                                    declared::Element {
                                        what: declared::What::Name(
                                            "bank.*",
                                        ),
                                        mode: ::core::option::Option::None,
                                        ordered: false,
                                        span: declared::Span {
                                            line: 1u32,
                                            column: 13u32,
                                            end: 21u32,
                                        },
                                        text: "\"bank.*\"",
                                    },
                                ],
                            },
                            span: declared::Span {
                                line: 1u32,
                                column: 13u32,
                                end: 21u32,
                            },
                            text: "\"bank.*\"",
                        },
                        declared::Clause {
                            rule: declared::Rule::Excludes {
                                locks: &[
                                    declared::Element {
                                        what: declared::What::Name(
                                            "bank.x",
                                        ),
                                        mode: ::core::option::Option::None,
                                        ordered: false,
                                        span: declared::Span {
                                            line: 7u32,
                                            column: 25u32,
                                            end: 33u32,
                                        },
                                        text: "\"bank.x\"",
                                    },
                                ],
                            },
                            span: declared::Span {
                                line: 7u32,
                                column: 25u32,
                                end: 33u32,
                            },
                            text: "\"bank.x\"",
                        },
                    ],
                );
                #[::sync_trace::__private::linkme::distributed_slice(
                    declared::DECLARATIONS
                )]
                #[linkme(crate = ::sync_trace::__private::linkme)]
                static __SYNC_TRACE_ENTRY: &declared::Declaration = &__SYNC_TRACE_DECLARATION;
                ::sync_trace::__name_locks_of!(self);
                let __sync_trace_scope = declared::enter(
                    &__SYNC_TRACE_DECLARATION,
                    |_| {},
                );
                #[allow(clippy::diverging_sub_expression)]
                let __sync_trace_result: () = {};
                #[allow(unreachable_code)] __sync_trace_scope.leave();
                __sync_trace_result
            }
        }
    }
    mod off {
        impl Vault<{ SIZE }> {
            fn close(&self) {
                #[allow(unused_imports)]
                use lock_excludes as _;
            }
        }
    }
    mod deep {
        mod on {
            trait Open {
                fn open(&self);
                fn again(&self) {
                    static __SYNC_TRACE_DECLARATION: declared::Declaration = declared::Declaration::new(
                        ::core::concat!(::core::module_path!(), "::", "again"),
                        ::core::file!(),
                        declared::Span {
                            line: 13u32,
                            column: 16u32,
                            end: 21u32,
                        },
                        &[
                            declared::Clause {
                                rule: declared::Rule::Only {
                                    locks: &[
                                        declared::Element {
                                            what: declared::What::Name(
                                                "bank.*",
                                            ),
                                            mode: ::core::option::Option::None,
                                            ordered: false,
                                            span: declared::Span {
                                                line: 1u32,
                                                column: 13u32,
                                                end: 21u32,
                                            },
                                            text: "\"bank.*\"",
                                        },
                                    ],
                                },
                                span: declared::Span {
                                    line: 1u32,
                                    column: 13u32,
                                    end: 21u32,
                                },
                                text: "\"bank.*\"",
                            },
                        ],
                    );
                    #[::sync_trace::__private::linkme::distributed_slice(
                        declared::DECLARATIONS
                    )]
                    #[linkme(crate = ::sync_trace::__private::linkme)]
                    static __SYNC_TRACE_ENTRY: &declared::Declaration = &__SYNC_TRACE_DECLARATION;
                    ::sync_trace::__name_locks_of!(self);
                    let __sync_trace_scope = declared::enter(
                        &__SYNC_TRACE_DECLARATION,
                        |_| {},
                    );
                    #[allow(clippy::diverging_sub_expression)]
                    let __sync_trace_result: () = { self.open() };
                    #[allow(unreachable_code)] __sync_trace_scope.leave();
                    __sync_trace_result
                }
            }
        }
        mod off {
            trait Open {
                fn open(&self);
                fn again(&self) {
                    self.open()
                }
            }
        }
    }
}
