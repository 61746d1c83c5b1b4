fn scope() {
    let value = (
        (
            on,
            move |n: u8| -> u8 {
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
                                rule: declared::Rule::Excludes {
                                    locks: &[
                                        declared::Element {
                                            what: declared::What::Slot(0usize),
                                            mode: ::core::option::Option::None,
                                            ordered: false,
                                            span: declared::Span {
                                                line: 1u32,
                                                column: 24u32,
                                                end: 30u32,
                                            },
                                            text: "self.a",
                                        },
                                    ],
                                },
                                span: declared::Span {
                                    line: 1u32,
                                    column: 24u32,
                                    end: 30u32,
                                },
                                text: "self.a",
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
                            __members.add(0usize, &self.a);
                        },
                    );
                    #[allow(clippy::diverging_sub_expression)]
                    let __sync_trace_result: u8 = { n + 1 };
                    #[allow(unreachable_code)] __sync_trace_scope.leave();
                    __sync_trace_result
                }
            },
        ),
        (
            off,
            move |n: u8| -> u8 {
                {
                    if false {
                        declared::check_lock(&self.a);
                    }
                    { n + 1 }
                }
            },
        ),
    );
}
