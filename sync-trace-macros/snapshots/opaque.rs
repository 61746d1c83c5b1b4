#[lock_order("a" < "b")]
fn names(&self) -> Result<impl Iterator<Item = u8> + use<'_>, Error> {
    Ok(self.names.iter().copied())
}
