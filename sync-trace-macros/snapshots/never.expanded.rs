mod on {
    fn run(self) -> ! {
        static __SYNC_TRACE_DECLARATION: declared::Declaration = declared::Declaration::new(
            ::core::concat!(::core::module_path!(), "::", "run"),
            ::core::file!(),
            declared::Span {
                line: 2u32,
                column: 4u32,
                end: 7u32,
            },
            &[
                declared::Clause {
                    rule: declared::Rule::NoBlock,
                    span: declared::Span {
                        line: 1u32,
                        column: 1u32,
                        end: 1u32,
                    },
                    text: "no_block",
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
            |_| {},
        );
        #[allow(clippy::diverging_sub_expression)]
        let __sync_trace_never: ::core::convert::Infallible = { loop {} };
        #[allow(unreachable_code)] match __sync_trace_never {};
    }
}
mod off {
    fn run(self) -> ! {
        loop {}
    }
}
