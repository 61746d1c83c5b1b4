#[sync_trace::test(tokio::test(flavor = "multi_thread"))]
async fn adds_up() -> Result<(), Error> {
    work().await
}
