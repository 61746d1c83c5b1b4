mod on {
    /// Documented.
    #[inline]
    pub fn transfer(&self, n: u64) -> Receipt {
        static __SYNC_TRACE_DECLARATION: declared::Declaration = declared::Declaration::new(
            ::core::concat!(::core::module_path!(), "::", "transfer"),
            ::core::file!(),
            declared::Span {
                line: 4u32,
                column: 8u32,
                end: 16u32,
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
                                        line: 2u32,
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
                                        line: 2u32,
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
                        line: 2u32,
                        column: 14u32,
                        end: 40u32,
                    },
                    text: "self.accounts < self.audit",
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
            |__members| {
                __members.add(0usize, &self.accounts);
                __members.add(1usize, &self.audit);
            },
        );
        #[allow(clippy::diverging_sub_expression)]
        let __sync_trace_result: Receipt = { self.accounts.lock().debit(n) };
        #[allow(unreachable_code)] __sync_trace_scope.leave();
        __sync_trace_result
    }
}
mod off {
    /// Documented.
    #[inline]
    pub fn transfer(&self, n: u64) -> Receipt {
        if false {
            declared::check_lock(&self.accounts);
            declared::check_lock(&self.audit);
        }
        self.accounts.lock().debit(n)
    }
}
