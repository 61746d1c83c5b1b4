#[tokio::test(flavor = "multi_thread")]
async fn adds_up() -> Result<(), Error> {
    let __sync_trace_future = ::sync_trace::__private::run_async_test(
        ::sync_trace::__private::Settings {
            expect: &[],
            deadline: ::core::option::Option::None,
        },
        async move {
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
                let __sync_trace_result: Result<(), Error> = loop {};
                return __sync_trace_result;
            }
            work().await
        },
    );
    __sync_trace_future.await
}
