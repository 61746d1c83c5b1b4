mod on {
    async fn close(&self, accounts: Guard<'_>, unused: Guard<'_>) -> u8 {
        static __SYNC_TRACE_DECLARATION: declared::Declaration = declared::Declaration::new(
            ::core::concat!(::core::module_path!(), "::", "close"),
            ::core::file!(),
            declared::Span {
                line: 2u32,
                column: 10u32,
                end: 15u32,
            },
            &[
                declared::Clause {
                    rule: declared::Rule::Releases {
                        locks: &[
                            declared::Element {
                                what: declared::What::Slot(0usize),
                                mode: ::core::option::Option::None,
                                ordered: false,
                                span: declared::Span {
                                    line: 1u32,
                                    column: 17u32,
                                    end: 30u32,
                                },
                                text: "self.accounts",
                            },
                        ],
                    },
                    span: declared::Span {
                        line: 1u32,
                        column: 17u32,
                        end: 30u32,
                    },
                    text: "self.accounts",
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
                __members.add(0usize, &self.accounts);
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
                    let __sync_trace_result: u8 = loop {};
                    return __sync_trace_result;
                }
                let mut accounts = accounts;
                let unused = unused;
                let __sync_trace_value = { accounts.last().await };
                __sync_trace_value
            })
            .await
    }
}
mod off {
    async fn close(&self, mut accounts: Guard<'_>, unused: Guard<'_>) -> u8 {
        if false {
            declared::check_lock(&self.accounts);
        }
        accounts.last().await
    }
}
