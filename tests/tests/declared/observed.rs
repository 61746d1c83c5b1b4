//! What was seen, as declarations to paste.

use sync_trace::named;
use sync_trace::sync::Mutex;

struct Store {
    index: Mutex<u8>,
    pages: Mutex<u16>,
}

impl Store {
    fn new() -> Self {
        Self {
            index: named!("observed.index", Mutex::new(0)),
            pages: named!("observed.pages", Mutex::new(0)),
        }
    }

    fn insert(&self) {
        let _index = self.index.lock().unwrap();
        let _pages = self.pages.lock().unwrap();
    }

    fn remove(&self) {
        let _index = self.index.lock().unwrap();
        let _pages = self.pages.lock().unwrap();
    }

    fn look(&self) {
        drop(self.index.lock().unwrap());
        drop(self.pages.lock().unwrap());
    }
}

#[test]
fn every_function_that_saw_an_order_is_listed() {
    for _ in 0..3 {
        // Different locks of the same two classes.
        Store::new().insert();
        Store::new().remove();
        Store::new().look();
    }
    let observed = sync_trace::observed_order();
    let of_store = |name: Option<&str>| name.is_some_and(|name| name.starts_with("observed."));
    let nestings = observed.nestings().iter().filter(|one| of_store(one.outer.lock.name));
    let seen: Vec<_> = nestings.map(|one| (one.inner.lock.name, one.times)).collect();
    assert_eq!(seen, [(Some("observed.pages"), 3); 2]);
    let text = observed.to_string();
    for (name, is_listed) in [("insert", true), ("remove", true), ("look", false)] {
        let head = format!("observed.rs:{}, on `fn {name}`, seen 3 times", line_of(name));
        assert_eq!(text.contains(&head), is_listed, "{name}\n{text}");
    }
    assert!(text.matches("#[lock_order(self.index < self.pages)]").count() >= 2, "{text}");
    assert_eq!(text, sync_trace::observed_order().to_string(), "in the same order each time");
}

fn line_of(function: &str) -> usize {
    let head = format!("    fn {function}(&self) {{");
    let source = include_str!("observed.rs");
    source.lines().position(|line| line == head).expect("it is above") + 1
}
