mod on {
    fn load(rates: &RwLock<u8>) {
        #[allow(unused_imports)]
        use st::lock_requires as _;
        #[allow(unused_imports)]
        use lock_excludes as _;
        #[allow(unused_imports)]
        use lock_only as _;
        #[allow(unused_imports)]
        use no_block as _;
        #[allow(unused_imports)]
        use lock_budget as _;
        #[allow(unused_imports)]
        use lock_exempt as _;
        static __SYNC_TRACE_DECLARATION: declared::Declaration = declared::Declaration::new(
            ::core::concat!(::core::module_path!(), "::", "load"),
            ::core::file!(),
            declared::Span {
                line: 8u32,
                column: 4u32,
                end: 8u32,
            },
            &[
                declared::Clause {
                    rule: declared::Rule::Order {
                        chains: &[
                            &[
                                declared::Element {
                                    what: declared::What::Class(
                                        declared::LockClass::name(
                                            &ACCOUNTS,
                                        ),
                                    ),
                                    mode: ::core::option::Option::None,
                                    ordered: false,
                                    span: declared::Span {
                                        line: 1u32,
                                        column: 30u32,
                                        end: 45u32,
                                    },
                                    text: "class(ACCOUNTS)",
                                },
                                declared::Element {
                                    what: declared::What::Class(
                                        declared::LockClass::name(
                                            &db::AUDIT,
                                        ),
                                    ),
                                    mode: ::core::option::Option::None,
                                    ordered: false,
                                    span: declared::Span {
                                        line: 1u32,
                                        column: 48u32,
                                        end: 64u32,
                                    },
                                    text: "class(db::AUDIT)",
                                },
                            ],
                            &[
                                declared::Element {
                                    what: declared::What::Name(
                                        "log.*",
                                    ),
                                    mode: ::core::option::Option::None,
                                    ordered: false,
                                    span: declared::Span {
                                        line: 1u32,
                                        column: 66u32,
                                        end: 73u32,
                                    },
                                    text: "\"log.*\"",
                                },
                                declared::Element {
                                    what: declared::What::Slot(0usize),
                                    mode: ::core::option::Option::None,
                                    ordered: false,
                                    span: declared::Span {
                                        line: 1u32,
                                        column: 76u32,
                                        end: 81u32,
                                    },
                                    text: "*POOL",
                                },
                            ],
                        ],
                        options: declared::Options {
                            global: true,
                            strict: true,
                            local: false,
                            inherit: false,
                        },
                    },
                    span: declared::Span {
                        line: 1u32,
                        column: 14u32,
                        end: 81u32,
                    },
                    text: "global, strict, class(ACCOUNTS) < class(db::AUDIT), \"log.*\" < *POOL",
                },
                declared::Clause {
                    rule: declared::Rule::Requires {
                        locks: &[
                            declared::Element {
                                what: declared::What::Slot(1usize),
                                mode: ::core::option::Option::Some(
                                    declared::HeldMode::Read,
                                ),
                                ordered: false,
                                span: declared::Span {
                                    line: 2u32,
                                    column: 28u32,
                                    end: 39u32,
                                },
                                text: "read(rates)",
                            },
                            declared::Element {
                                what: declared::What::Slot(2usize),
                                mode: ::core::option::Option::None,
                                ordered: false,
                                span: declared::Span {
                                    line: 2u32,
                                    column: 41u32,
                                    end: 52u32,
                                },
                                text: "of(Vec<u8>)",
                            },
                        ],
                        entry: true,
                    },
                    span: declared::Span {
                        line: 2u32,
                        column: 21u32,
                        end: 52u32,
                    },
                    text: "entry, read(rates), of(Vec<u8>)",
                },
                declared::Clause {
                    rule: declared::Rule::Excludes {
                        locks: &[
                            declared::Element {
                                what: declared::What::Slot(0usize),
                                mode: ::core::option::Option::None,
                                ordered: false,
                                span: declared::Span {
                                    line: 3u32,
                                    column: 17u32,
                                    end: 21u32,
                                },
                                text: "POOL",
                            },
                        ],
                    },
                    span: declared::Span {
                        line: 3u32,
                        column: 17u32,
                        end: 21u32,
                    },
                    text: "POOL",
                },
                declared::Clause {
                    rule: declared::Rule::Only {
                        locks: &[
                            declared::Element {
                                what: declared::What::Slot(0usize),
                                mode: ::core::option::Option::None,
                                ordered: false,
                                span: declared::Span {
                                    line: 4u32,
                                    column: 13u32,
                                    end: 17u32,
                                },
                                text: "POOL",
                            },
                            declared::Element {
                                what: declared::What::Slot(1usize),
                                mode: ::core::option::Option::None,
                                ordered: false,
                                span: declared::Span {
                                    line: 4u32,
                                    column: 19u32,
                                    end: 24u32,
                                },
                                text: "rates",
                            },
                            declared::Element {
                                what: declared::What::Name("x"),
                                mode: ::core::option::Option::Some(
                                    declared::HeldMode::Upgradable,
                                ),
                                ordered: false,
                                span: declared::Span {
                                    line: 4u32,
                                    column: 26u32,
                                    end: 41u32,
                                },
                                text: "upgradable(\"x\")",
                            },
                        ],
                    },
                    span: declared::Span {
                        line: 4u32,
                        column: 13u32,
                        end: 41u32,
                    },
                    text: "POOL, rates, upgradable(\"x\")",
                },
                declared::Clause {
                    rule: declared::Rule::NoBlock,
                    span: declared::Span {
                        line: 5u32,
                        column: 3u32,
                        end: 11u32,
                    },
                    text: "no_block",
                },
                declared::Clause {
                    rule: declared::Rule::Budget {
                        hold: ::core::option::Option::Some(5000000u64),
                        wait: ::core::option::Option::Some(250000u64),
                        await_hold: ::core::option::Option::None,
                    },
                    span: declared::Span {
                        line: 6u32,
                        column: 15u32,
                        end: 43u32,
                    },
                    text: "hold = \"5ms\", wait = \"250us\"",
                },
                declared::Clause {
                    rule: declared::Rule::Exempt {
                        reason: "start-up",
                        codes: &["ST0102", "ST0001"],
                    },
                    span: declared::Span {
                        line: 7u32,
                        column: 15u32,
                        end: 50u32,
                    },
                    text: "reason = \"start-up\", ST0102, ST0001",
                },
            ],
        );
        #[::sync_trace::__private::linkme::distributed_slice(
            declared::DECLARATIONS
        )]
        #[linkme(crate = ::sync_trace::__private::linkme)]
        static __SYNC_TRACE_ENTRY: &declared::Declaration = &__SYNC_TRACE_DECLARATION;
        const _: () = declared::check_ranks(
            &ACCOUNTS,
            &db::AUDIT,
        );
        let __sync_trace_scope = declared::enter(
            &__SYNC_TRACE_DECLARATION,
            |__members| {
                __members.add(0usize, &*POOL);
                __members.add(1usize, &rates);
                __members.of_type::<Vec<u8>>(2usize);
            },
        );
        #[allow(clippy::diverging_sub_expression)]
        let __sync_trace_result: () = {};
        #[allow(unreachable_code)] __sync_trace_scope.leave();
        __sync_trace_result
    }
}
mod off {
    fn load(rates: &RwLock<u8>) {
        #[allow(unused_imports)]
        use st::lock_requires as _;
        #[allow(unused_imports)]
        use lock_excludes as _;
        #[allow(unused_imports)]
        use lock_only as _;
        #[allow(unused_imports)]
        use no_block as _;
        #[allow(unused_imports)]
        use lock_budget as _;
        #[allow(unused_imports)]
        use lock_exempt as _;
        const _: () = declared::check_ranks(
            &ACCOUNTS,
            &db::AUDIT,
        );
        if false {
            declared::check_lock(&*POOL);
            declared::check_lock(&rates);
            let _: ::core::marker::PhantomData<Vec<u8>>;
            declared::check_class(&ACCOUNTS);
            declared::check_class(&db::AUDIT);
        }
    }
}
