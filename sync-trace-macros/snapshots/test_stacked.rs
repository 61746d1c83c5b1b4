#[sync_trace::test(expect = "ST0001")]
#[tokio::test]
async fn adds_up() {
    work().await;
}
