lock_scope! { requires(self.a); async move { self.a.lock() } }
