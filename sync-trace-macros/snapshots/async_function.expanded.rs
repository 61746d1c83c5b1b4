mod on {
    async fn transfer(self: Arc<Self>, n: u64) -> Result<Receipt, Error> {
        #[allow(unused_imports)]
        use lock_budget as _;
        static __SYNC_TRACE_DECLARATION: declared::Declaration = declared::Declaration::new(
            ::core::concat!(::core::module_path!(), "::", "transfer"),
            ::core::file!(),
            declared::Span {
                line: 3u32,
                column: 10u32,
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
                                        end: 27u32,
                                    },
                                    text: "self.accounts",
                                },
                                declared::Element {
                                    what: declared::What::Slot(1usize),
                                    mode: ::core::option::Option::None,
                                    ordered: false,
                                    span: declared::Span {
                                        line: 1u32,
                                        column: 30u32,
                                        end: 40u32,
                                    },
                                    text: "self.audit",
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
                        end: 40u32,
                    },
                    text: "self.accounts < self.audit",
                },
                declared::Clause {
                    rule: declared::Rule::Budget {
                        hold: ::core::option::Option::None,
                        wait: ::core::option::Option::None,
                        await_hold: ::core::option::Option::Some(0u64),
                    },
                    span: declared::Span {
                        line: 2u32,
                        column: 15u32,
                        end: 31u32,
                    },
                    text: "await_hold = \"0\"",
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
                __members.add(1usize, &self.audit);
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
                    let __sync_trace_result: Result<Receipt, Error> = loop {};
                    return __sync_trace_result;
                }
                let receipt = self.debit(n).await?;
                Ok(receipt)
            })
            .await
    }
}
mod off {
    async fn transfer(self: Arc<Self>, n: u64) -> Result<Receipt, Error> {
        #[allow(unused_imports)]
        use lock_budget as _;
        if false {
            declared::check_lock(&self.accounts);
            declared::check_lock(&self.audit);
        }
        let receipt = self.debit(n).await?;
        Ok(receipt)
    }
}
