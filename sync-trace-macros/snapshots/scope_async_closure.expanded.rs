fn scope() {
    let value = (
        (
            on,
            async |amount: u32| -> u32 {
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
                                                    column: 19u32,
                                                    end: 20u32,
                                                },
                                                text: "a",
                                            },
                                            declared::Element {
                                                what: declared::What::Slot(1usize),
                                                mode: ::core::option::Option::None,
                                                ordered: false,
                                                span: declared::Span {
                                                    line: 1u32,
                                                    column: 23u32,
                                                    end: 24u32,
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
                                    column: 19u32,
                                    end: 24u32,
                                },
                                text: "a < b",
                            },
                        ],
                    );
                    #[::sync_trace::__private::linkme::distributed_slice(
                        declared::DECLARATIONS
                    )]
                    #[linkme(crate = ::sync_trace::__private::linkme)]
                    static __SYNC_TRACE_ENTRY: &declared::Declaration = &__SYNC_TRACE_DECLARATION;
                    let __sync_trace_scope = declared::prepare(
                        &__SYNC_TRACE_DECLARATION,
                        |__members| {
                            __members.add(0usize, &a);
                            __members.add(1usize, &b);
                        },
                    );
                    __sync_trace_scope
                        .around(async {
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
                                let __sync_trace_result: u32 = loop {};
                                return __sync_trace_result;
                            }
                            { transfer(amount).await }
                        })
                        .await
                }
            },
        ),
        (
            off,
            async |amount: u32| -> u32 {
                {
                    if false {
                        declared::check_lock(&a);
                        declared::check_lock(&b);
                    }
                    { transfer(amount).await }
                }
            },
        ),
    );
}
