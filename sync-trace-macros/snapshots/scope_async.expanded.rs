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
                            rule: declared::Rule::Requires {
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
                                entry: false,
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
                let __sync_trace_scope = declared::prepare(
                    &__SYNC_TRACE_DECLARATION,
                    |__members| {
                        __members.add(0usize, &self.a);
                    },
                );
                __sync_trace_scope.around(async move { self.a.lock() })
            },
        ),
        (
            off,
            {
                if false {
                    declared::check_lock(&self.a);
                }
                async move { self.a.lock() }
            },
        ),
    );
}
