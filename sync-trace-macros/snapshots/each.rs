#[lock_order(each(self.shards[_].lock by |shard| shard.id), each(self.rows[_][_] by id), each("b.*"))]
fn sweep(&mut self) {}
