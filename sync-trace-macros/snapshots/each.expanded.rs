mod on {
    fn sweep(&mut self) {
        static __SYNC_TRACE_DECLARATION: declared::Declaration = declared::Declaration::new(
            ::core::concat!(::core::module_path!(), "::", "sweep"),
            ::core::file!(),
            declared::Span {
                line: 2u32,
                column: 4u32,
                end: 9u32,
            },
            &[
                declared::Clause {
                    rule: declared::Rule::Order {
                        chains: &[
                            &[
                                declared::Element {
                                    what: declared::What::Slot(0usize),
                                    mode: ::core::option::Option::None,
                                    ordered: true,
                                    span: declared::Span {
                                        line: 1u32,
                                        column: 14u32,
                                        end: 59u32,
                                    },
                                    text: "each(self.shards[_].lock by |shard| shard.id)",
                                },
                                declared::Element {
                                    what: declared::What::Slot(1usize),
                                    mode: ::core::option::Option::None,
                                    ordered: true,
                                    span: declared::Span {
                                        line: 1u32,
                                        column: 61u32,
                                        end: 88u32,
                                    },
                                    text: "each(self.rows[_][_] by id)",
                                },
                                declared::Element {
                                    what: declared::What::Name("b.*"),
                                    mode: ::core::option::Option::None,
                                    ordered: true,
                                    span: declared::Span {
                                        line: 1u32,
                                        column: 90u32,
                                        end: 101u32,
                                    },
                                    text: "each(\"b.*\")",
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
                        end: 101u32,
                    },
                    text: "each(self.shards[_].lock by |shard| shard.id), each(self.rows[_][_] by id), each(\"b.*\")",
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
                for __element0 in self.shards.iter() {
                    __members
                        .add_by_key(
                            0usize,
                            &__element0.lock,
                            {
                                let shard = &*__element0;
                                shard.id
                            },
                        );
                }
                for __element0 in self.rows.iter() {
                    for __element1 in __element0.iter() {
                        __members.add_by_id(1usize, &*__element1);
                    }
                }
            },
        );
        #[allow(clippy::diverging_sub_expression)]
        let __sync_trace_result: () = {};
        #[allow(unreachable_code)] __sync_trace_scope.leave();
        __sync_trace_result
    }
}
mod off {
    fn sweep(&mut self) {
        if false {
            for __element0 in self.shards.iter() {
                declared::check_lock(&__element0.lock);
                declared::check_key({
                    let shard = &*__element0;
                    shard.id
                });
            }
            for __element0 in self.rows.iter() {
                for __element1 in __element0.iter() {
                    declared::check_lock(&*__element1);
                }
            }
        }
    }
}
