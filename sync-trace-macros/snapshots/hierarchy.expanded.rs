mod on {
    const _: () = {
        static __SYNC_TRACE_DECLARATION: declared::Declaration = declared::Declaration::new(
            ::core::module_path!(),
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
                                    what: declared::What::Class(
                                        declared::LockClass::name(&A),
                                    ),
                                    mode: ::core::option::Option::None,
                                    ordered: false,
                                    span: declared::Span {
                                        line: 1u32,
                                        column: 19u32,
                                        end: 20u32,
                                    },
                                    text: "A",
                                },
                                declared::Element {
                                    what: declared::What::Class(
                                        declared::LockClass::name(&B),
                                    ),
                                    mode: ::core::option::Option::None,
                                    ordered: false,
                                    span: declared::Span {
                                        line: 1u32,
                                        column: 25u32,
                                        end: 26u32,
                                    },
                                    text: "B",
                                },
                            ],
                            &[
                                declared::Element {
                                    what: declared::What::Class(
                                        declared::LockClass::name(&A),
                                    ),
                                    mode: ::core::option::Option::None,
                                    ordered: false,
                                    span: declared::Span {
                                        line: 1u32,
                                        column: 19u32,
                                        end: 20u32,
                                    },
                                    text: "A",
                                },
                                declared::Element {
                                    what: declared::What::Class(
                                        declared::LockClass::name(&E),
                                    ),
                                    mode: ::core::option::Option::None,
                                    ordered: false,
                                    span: declared::Span {
                                        line: 1u32,
                                        column: 29u32,
                                        end: 30u32,
                                    },
                                    text: "E",
                                },
                            ],
                            &[
                                declared::Element {
                                    what: declared::What::Class(
                                        declared::LockClass::name(&A),
                                    ),
                                    mode: ::core::option::Option::None,
                                    ordered: false,
                                    span: declared::Span {
                                        line: 1u32,
                                        column: 19u32,
                                        end: 20u32,
                                    },
                                    text: "A",
                                },
                                declared::Element {
                                    what: declared::What::Name("c.*"),
                                    mode: ::core::option::Option::None,
                                    ordered: false,
                                    span: declared::Span {
                                        line: 1u32,
                                        column: 32u32,
                                        end: 37u32,
                                    },
                                    text: "\"c.*\"",
                                },
                            ],
                            &[
                                declared::Element {
                                    what: declared::What::Class(
                                        declared::LockClass::name(&A),
                                    ),
                                    mode: ::core::option::Option::None,
                                    ordered: false,
                                    span: declared::Span {
                                        line: 1u32,
                                        column: 19u32,
                                        end: 20u32,
                                    },
                                    text: "A",
                                },
                                declared::Element {
                                    what: declared::What::Class(
                                        declared::LockClass::name(&db::D),
                                    ),
                                    mode: ::core::option::Option::None,
                                    ordered: false,
                                    span: declared::Span {
                                        line: 1u32,
                                        column: 42u32,
                                        end: 47u32,
                                    },
                                    text: "db::D",
                                },
                            ],
                            &[
                                declared::Element {
                                    what: declared::What::Class(
                                        declared::LockClass::name(&B),
                                    ),
                                    mode: ::core::option::Option::None,
                                    ordered: false,
                                    span: declared::Span {
                                        line: 1u32,
                                        column: 25u32,
                                        end: 26u32,
                                    },
                                    text: "B",
                                },
                                declared::Element {
                                    what: declared::What::Class(
                                        declared::LockClass::name(&db::D),
                                    ),
                                    mode: ::core::option::Option::None,
                                    ordered: false,
                                    span: declared::Span {
                                        line: 1u32,
                                        column: 42u32,
                                        end: 47u32,
                                    },
                                    text: "db::D",
                                },
                            ],
                            &[
                                declared::Element {
                                    what: declared::What::Class(
                                        declared::LockClass::name(&E),
                                    ),
                                    mode: ::core::option::Option::None,
                                    ordered: false,
                                    span: declared::Span {
                                        line: 1u32,
                                        column: 29u32,
                                        end: 30u32,
                                    },
                                    text: "E",
                                },
                                declared::Element {
                                    what: declared::What::Class(
                                        declared::LockClass::name(&db::D),
                                    ),
                                    mode: ::core::option::Option::None,
                                    ordered: false,
                                    span: declared::Span {
                                        line: 1u32,
                                        column: 42u32,
                                        end: 47u32,
                                    },
                                    text: "db::D",
                                },
                            ],
                            &[
                                declared::Element {
                                    what: declared::What::Name("c.*"),
                                    mode: ::core::option::Option::None,
                                    ordered: false,
                                    span: declared::Span {
                                        line: 1u32,
                                        column: 32u32,
                                        end: 37u32,
                                    },
                                    text: "\"c.*\"",
                                },
                                declared::Element {
                                    what: declared::What::Class(
                                        declared::LockClass::name(&db::D),
                                    ),
                                    mode: ::core::option::Option::None,
                                    ordered: false,
                                    span: declared::Span {
                                        line: 1u32,
                                        column: 42u32,
                                        end: 47u32,
                                    },
                                    text: "db::D",
                                },
                            ],
                            &[
                                declared::Element {
                                    what: declared::What::Class(
                                        declared::LockClass::name(&B),
                                    ),
                                    mode: ::core::option::Option::None,
                                    ordered: false,
                                    span: declared::Span {
                                        line: 1u32,
                                        column: 25u32,
                                        end: 26u32,
                                    },
                                    text: "B",
                                },
                                declared::Element {
                                    what: declared::What::Class(
                                        declared::LockClass::name(&E),
                                    ),
                                    mode: ::core::option::Option::None,
                                    ordered: false,
                                    span: declared::Span {
                                        line: 1u32,
                                        column: 29u32,
                                        end: 30u32,
                                    },
                                    text: "E",
                                },
                            ],
                            &[
                                declared::Element {
                                    what: declared::What::Class(
                                        declared::LockClass::name(&X),
                                    ),
                                    mode: ::core::option::Option::None,
                                    ordered: false,
                                    span: declared::Span {
                                        line: 1u32,
                                        column: 49u32,
                                        end: 50u32,
                                    },
                                    text: "X",
                                },
                                declared::Element {
                                    what: declared::What::Class(
                                        declared::LockClass::name(&Y),
                                    ),
                                    mode: ::core::option::Option::None,
                                    ordered: false,
                                    span: declared::Span {
                                        line: 1u32,
                                        column: 53u32,
                                        end: 54u32,
                                    },
                                    text: "Y",
                                },
                                declared::Element {
                                    what: declared::What::Name("z"),
                                    mode: ::core::option::Option::None,
                                    ordered: false,
                                    span: declared::Span {
                                        line: 1u32,
                                        column: 57u32,
                                        end: 60u32,
                                    },
                                    text: "\"z\"",
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
                        line: 1u32,
                        column: 19u32,
                        end: 60u32,
                    },
                    text: "A < { B < E, \"c.*\" } < db::D, X < Y < \"z\"",
                },
            ],
        );
        #[::sync_trace::__private::linkme::distributed_slice(
            declared::DECLARATIONS
        )]
        #[linkme(crate = ::sync_trace::__private::linkme)]
        static __SYNC_TRACE_ENTRY: &declared::Declaration = &__SYNC_TRACE_DECLARATION;
        const _: () = declared::check_ranks(&A, &B);
        const _: () = declared::check_ranks(&A, &E);
        const _: () = declared::check_ranks(&A, &db::D);
        const _: () = declared::check_ranks(&B, &db::D);
        const _: () = declared::check_ranks(&E, &db::D);
        const _: () = declared::check_ranks(&B, &E);
        const _: () = declared::check_ranks(&X, &Y);
    };
}
mod off {
    const _: () = {
        const _: () = declared::check_ranks(&A, &B);
        const _: () = declared::check_ranks(&A, &E);
        const _: () = declared::check_ranks(&A, &db::D);
        const _: () = declared::check_ranks(&B, &db::D);
        const _: () = declared::check_ranks(&E, &db::D);
        const _: () = declared::check_ranks(&B, &E);
        const _: () = declared::check_ranks(&X, &Y);
        declared::check_class(&A);
        declared::check_class(&B);
        declared::check_class(&A);
        declared::check_class(&E);
        declared::check_class(&A);
        declared::check_class(&A);
        declared::check_class(&db::D);
        declared::check_class(&B);
        declared::check_class(&db::D);
        declared::check_class(&E);
        declared::check_class(&db::D);
        declared::check_class(&db::D);
        declared::check_class(&B);
        declared::check_class(&E);
        declared::check_class(&X);
        declared::check_class(&Y);
    };
}
