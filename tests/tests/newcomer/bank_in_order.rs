use sync_trace::sync::Mutex;
use sync_trace::thread;

#[test]
fn deposits_are_audited() {
    let accounts = Mutex::new(vec![10, 20]);
    let audit_log = Mutex::new(vec!["opened"]);

    let deposit = || {
        let mut accounts = accounts.lock().unwrap();
        audit_log.lock().unwrap().push("deposit");
        accounts[0] += 5;
    };
    let audit = || {
        let accounts = accounts.lock().unwrap();
        let mut log = audit_log.lock().unwrap();
        assert!(accounts.iter().sum::<i32>() >= 30);
        log.push("audited");
    };
    thread::scope(|scope| {
        scope.spawn(|| (0..1_000).for_each(|_| deposit()));
        scope.spawn(|| (0..1_000).for_each(|_| audit()));
    });
}
