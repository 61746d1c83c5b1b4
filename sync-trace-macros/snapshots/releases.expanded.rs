mod on {
    fn close<'a>(&'a self, accounts: Guard<'a>, (one, two): (u8, u8)) -> &'a u8 {
        static __SYNC_TRACE_DECLARATION: declared::Declaration = declared::Declaration::new(
            ::core::concat!(::core::module_path!(), "::", "close"),
            ::core::file!(),
            declared::Span {
                line: 2u32,
                column: 4u32,
                end: 9u32,
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
        let __sync_trace_scope = declared::enter(
            &__SYNC_TRACE_DECLARATION,
            |__members| {
                __members.add(0usize, &self.accounts);
            },
        );
        #[allow(clippy::diverging_sub_expression)]
        let __sync_trace_result: &'a u8 = {
            let mut accounts = accounts;
            let __sync_trace_value: &'a u8 = { accounts.last() };
            __sync_trace_value
        };
        #[allow(unreachable_code)] __sync_trace_scope.leave();
        __sync_trace_result
    }
}
mod off {
    fn close<'a>(&'a self, mut accounts: Guard<'a>, (one, two): (u8, u8)) -> &'a u8 {
        if false {
            declared::check_lock(&self.accounts);
        }
        accounts.last()
    }
}
