lock_scope! { order(a < b), only(a, b); { a.lock(); 5 } }
