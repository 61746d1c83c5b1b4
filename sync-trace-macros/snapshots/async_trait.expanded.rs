mod on {
    fn transfer<'life0, 'async_trait>(
        &'life0 self,
        n: u64,
    ) -> Pin<Box<dyn Future<Output = u8> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        static __SYNC_TRACE_DECLARATION: declared::Declaration = declared::Declaration::new(
            ::core::concat!(::core::module_path!(), "::", "transfer"),
            ::core::file!(),
            declared::Span {
                line: 2u32,
                column: 4u32,
                end: 12u32,
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
        Box::pin(
            __sync_trace_scope
                .around(async move {
                    if let Some(__ret) = None::<u8> {
                        return __ret;
                    }
                    let __self = self;
                    let n = n;
                    let __ret: u8 = { __self.debit(n).await };
                    __ret
                }),
        )
    }
}
mod off {
    fn transfer<'life0, 'async_trait>(
        &'life0 self,
        n: u64,
    ) -> Pin<Box<dyn Future<Output = u8> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        if false {
            declared::check_lock(&self.accounts);
            declared::check_lock(&self.audit);
        }
        Box::pin(async move {
            if let Some(__ret) = None::<u8> {
                return __ret;
            }
            let __self = self;
            let n = n;
            let __ret: u8 = { __self.debit(n).await };
            __ret
        })
    }
}
