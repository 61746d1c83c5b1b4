use sync_trace_macros::lock_order;

#[lock_order(A < B)]
#[unsafe(naked)]
extern "C" fn transfer() {
    std::arch::naked_asm!("ret")
}

fn main() {}
