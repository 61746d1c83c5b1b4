lock_scope! { excludes(self.a); move |n: u8| -> u8 { n + 1 } }
