//! Attributes of `sync-trace`; use them through that crate.
//!
//! A macro is read (`attr`: what was written; `item`: what it stands on), understood (`model`: what cannot be
//! true, and the numbers of locks), and written out (`expand`). All of it are plain functions over
//! [`proc_macro2`]'s tokens, so that it can be tested without a compiler. What comes out calls
//! `sync_trace::__private::declared`, and nothing else.
//!
//! Wherever something is wrong the item stays as it was, without our attributes: one mistake gives one error.

mod attr;
mod expand;
mod item;
mod model;
#[cfg(test)]
mod snapshots;

use proc_macro::TokenStream;

use attr::{Attribute, Word};

/// The order in which locks are taken in this function: `#[lock_order(self.accounts < self.audit)]`.
///
/// In the function, and in all that it calls on this thread, whoever holds the later lock may not wait for
/// the earlier one. To take the later one alone, or after it was given back the earlier one, is fine. An
/// acquisition that breaks the order panics before it waits (`ST0102`) and shows both sites and the declaration.
///
/// # Arguments
///
/// Chains `a < b < c`, several with commas between them, or a plain list `a, b, c`, which is one chain. In front of
/// them, options.
///
/// A lock is
///
/// - a place: `self.accounts`, an argument, a static, `crate::db::POOL`, `self.shards[_]` (each element), `*self.shared`;
///   it is evaluated once, at entry, and is no borrow afterwards;
/// - a name in quotes, with `*` and `?`: `"bank.*"`;
/// - `class(ACCOUNTS)`, of [`lock_class!`]; the compiler compares the ranks of neighbours;
/// - `of(Account)`: each lock that protects an `Account`;
/// - `each(self.shards[_] by id)`, `each(from.lock, to.lock by addr)`: several of one kind, in ascending order of their
///   addresses (also if no `by` is given), of their numbers, or of a key: `each(self.rows[_].lock by |row| row.number)`,
///   where the closure is given what the lock is a field of (or the lock itself). A lock
///   gets its number when it is first used or named by a declaration: of two that one thread has used first, the
///   earlier one has the lower number, and of others nothing is known but that it does not change;
/// - `read(..)`, `write(..)` or `upgradable(..)` of one of these.
///
/// Options are `global` (the order of named locks is an error anywhere in the program, not only in here), `strict`
/// (the later lock may be taken only while the earlier one is held), `local` (what was held at entry does
/// not count), `inherit` (threads started in here are bound too), and `crate = "path"` for who re-exports sync-trace.
///
/// # Where
///
/// On functions and methods of every kind, `async` ones and those that return a future included: these are bound
/// while they are polled. On an `impl` block or an inline module, for each function in it; there, functions
/// without `self` are not bound by what names `self`. Several attributes on one function are read as one; a
/// `const fn`, and a method without a body, cannot have any.
///
/// # Errors
///
/// The compiler points at orders that contradict each other (also those of attributes beside this one), at locks
/// listed twice, at words that are not known, and at what is no traced lock.
///
/// # Example
///
/// ```
/// use sync_trace::lock_order;
/// use sync_trace::sync::Mutex;
///
/// struct Bank {
///     accounts: Mutex<Vec<i64>>,
///     audit: Mutex<Vec<String>>,
/// }
///
/// impl Bank {
///     #[lock_order(self.accounts < self.audit)]
///     fn transfer(&self, from: usize, to: usize, amount: i64) {
///         let mut accounts = self.accounts.lock().unwrap();
///         accounts[from] -= amount;
///         accounts[to] += amount;
///         self.audit.lock().unwrap().push(format!("{from} to {to}: {amount}"));
///     }
/// }
///
/// let bank = Bank { accounts: Mutex::new(vec![10, 0]), audit: Mutex::default() };
/// bank.transfer(0, 1, 5);
/// assert_eq!(*bank.accounts.lock().unwrap(), [5, 5]);
/// ```
#[proc_macro_attribute]
pub fn lock_order(arguments: TokenStream, item: TokenStream) -> TokenStream {
    one(Word::Order, arguments, item)
}

/// Locks that the caller holds: `#[lock_requires(self.accounts, read(self.rates))]`.
///
/// Each must be held at entry, and still at a normal exit; with the option `entry` in front, at entry only. A
/// lock that is required for reading may be held for writing. Otherwise the call panics (`ST0201`).
///
/// Locks are written as for [`lock_order`](macro@lock_order), and it can stand where that can.
///
/// # Example
///
/// ```
/// use sync_trace::lock_requires;
/// use sync_trace::sync::Mutex;
///
/// struct Bank {
///     accounts: Mutex<Vec<i64>>,
/// }
///
/// impl Bank {
///     #[lock_requires(self.accounts)]
///     fn debit(&self, accounts: &mut [i64], from: usize, amount: i64) {
///         accounts[from] -= amount;
///     }
/// }
///
/// let bank = Bank { accounts: Mutex::new(vec![10]) };
/// let mut accounts = bank.accounts.lock().unwrap();
/// bank.debit(&mut accounts, 0, 5);
/// assert_eq!(*accounts, [5]);
/// ```
#[proc_macro_attribute]
pub fn lock_requires(arguments: TokenStream, item: TokenStream) -> TokenStream {
    one(Word::Requires, arguments, item)
}

/// Locks that the caller does not hold: `#[lock_excludes(self.accounts, "db.*")]`.
///
/// If one of them is held at entry, the call panics (`ST0202`). Locks are written as for
/// [`lock_order`](macro@lock_order), and it can stand where that can.
///
/// # Example
///
/// ```
/// use sync_trace::lock_excludes;
/// use sync_trace::sync::Mutex;
///
/// static ACCOUNTS: Mutex<Vec<i64>> = Mutex::new(Vec::new());
///
/// #[lock_excludes(ACCOUNTS)]
/// fn open(amount: i64) {
///     ACCOUNTS.lock().unwrap().push(amount);
/// }
///
/// open(5);
/// assert_eq!(*ACCOUNTS.lock().unwrap(), [5]);
/// ```
#[proc_macro_attribute]
pub fn lock_excludes(arguments: TokenStream, item: TokenStream) -> TokenStream {
    one(Word::Excludes, arguments, item)
}

/// The only locks that are taken in here: `#[lock_only(self.accounts)]`, or none at all: `#[lock_only()]`.
///
/// To take another one panics (`ST0203`). Locks are written as for [`lock_order`](macro@lock_order), and it can
/// stand where that can.
///
/// # Example
///
/// ```
/// #[sync_trace::lock_only()]
/// fn fee(amount: i64) -> i64 {
///     amount / 100
/// }
///
/// assert_eq!(fee(500), 5);
/// ```
#[proc_macro_attribute]
pub fn lock_only(arguments: TokenStream, item: TokenStream) -> TokenStream {
    one(Word::Only, arguments, item)
}

/// Locks that a call takes and keeps, because it returns the guard: `#[lock_acquires(self.accounts)]`.
///
/// Each must be free of this thread at entry and held by it at a normal exit (`ST0204`). Locks are written as for
/// [`lock_order`](macro@lock_order), and it can stand where that can.
///
/// # Example
///
/// ```
/// use sync_trace::lock_acquires;
/// use sync_trace::sync::{Mutex, MutexGuard};
///
/// struct Bank {
///     accounts: Mutex<Vec<i64>>,
/// }
///
/// impl Bank {
///     #[lock_acquires(self.accounts)]
///     fn open(&self) -> MutexGuard<'_, Vec<i64>> {
///         self.accounts.lock().unwrap()
///     }
/// }
///
/// let bank = Bank { accounts: Mutex::new(vec![5]) };
/// assert_eq!(bank.open()[0], 5);
/// ```
#[proc_macro_attribute]
pub fn lock_acquires(arguments: TokenStream, item: TokenStream) -> TokenStream {
    one(Word::Acquires, arguments, item)
}

/// Locks that a call gives back, because it takes the guard: `#[lock_releases(self.accounts)]`.
///
/// Each must be held by this thread at entry and no more at a normal exit (`ST0204`). Locks are written as for
/// [`lock_order`](macro@lock_order), and it can stand where that can.
///
/// What the function's parameters hold is given back in time. A guard inside a `self` by value, or in a
/// parameter that is taken apart by a pattern, has to be dropped in the body.
///
/// # Example
///
/// ```
/// use sync_trace::lock_releases;
/// use sync_trace::sync::{Mutex, MutexGuard};
///
/// struct Bank {
///     accounts: Mutex<Vec<i64>>,
/// }
///
/// impl Bank {
///     #[lock_releases(self.accounts)]
///     fn close(&self, mut accounts: MutexGuard<'_, Vec<i64>>) {
///         accounts.clear();
///     }
/// }
///
/// let bank = Bank { accounts: Mutex::new(vec![5]) };
/// bank.close(bank.accounts.lock().unwrap());
/// assert!(bank.accounts.lock().unwrap().is_empty());
/// ```
#[proc_macro_attribute]
pub fn lock_releases(arguments: TokenStream, item: TokenStream) -> TokenStream {
    one(Word::Releases, arguments, item)
}

/// Nothing in here waits: `#[no_block]`.
///
/// A traced wait that would really block (a lock that another thread holds, a condition variable, a channel, a
/// join) panics instead (`ST0303`). What can be had at once is fine. It can stand where
/// [`lock_order`](macro@lock_order) can, and takes no arguments but `crate = "path"`.
///
/// # Example
///
/// ```
/// use sync_trace::no_block;
/// use sync_trace::sync::Mutex;
///
/// #[no_block]
/// fn on_tick(ticks: &Mutex<u64>) {
///     *ticks.lock().unwrap() += 1;
/// }
///
/// let ticks = Mutex::new(0);
/// on_tick(&ticks);
/// assert_eq!(ticks.into_inner().unwrap(), 1);
/// ```
#[proc_macro_attribute]
pub fn no_block(arguments: TokenStream, item: TokenStream) -> TokenStream {
    one(Word::NoBlock, arguments, item)
}

/// This function may wait: `#[may_block]`.
///
/// So it is a mistake to call it where nothing may (`ST0303`): inside a [`no_block`](macro@no_block), or while a lock of
/// a class with the option `spin` is held. It can stand where [`lock_order`](macro@lock_order) can, and takes no
/// arguments but `crate = "path"`.
///
/// # Example
///
/// ```
/// use sync_trace::may_block;
/// use sync_trace::sync::mpsc;
///
/// #[may_block]
/// fn next(jobs: &mpsc::Receiver<u32>) -> u32 {
///     jobs.recv().unwrap()
/// }
///
/// let (sender, jobs) = mpsc::channel();
/// sender.send(5).unwrap();
/// assert_eq!(next(&jobs), 5);
/// ```
#[proc_macro_attribute]
pub fn may_block(arguments: TokenStream, item: TokenStream) -> TokenStream {
    one(Word::MayBlock, arguments, item)
}

/// How long locks may be held and waited for: `#[lock_budget(hold = "5ms", wait = "1ms")]`.
///
/// What takes longer is a finding (`ST0401`, `ST0402`). In an `async fn`, `await_hold = "0"` says that no guard may be
/// alive where the task is suspended (`ST0301`), or not for longer than that. Units are `ns`, `us`, `ms`, `s`,
/// `min` and `h`. It can stand where [`lock_order`](macro@lock_order) can.
///
/// # Example
///
/// ```
/// use sync_trace::lock_budget;
/// use sync_trace::sync::Mutex;
///
/// #[lock_budget(hold = "10s", wait = "10s")]
/// fn count(total: &Mutex<u64>) {
///     *total.lock().unwrap() += 1;
/// }
///
/// let total = Mutex::new(0);
/// count(&total);
/// assert_eq!(total.into_inner().unwrap(), 1);
/// ```
#[proc_macro_attribute]
pub fn lock_budget(arguments: TokenStream, item: TokenStream) -> TokenStream {
    one(Word::Budget, arguments, item)
}

/// Findings that are known and accepted in here: `#[lock_exempt(reason = "start-up, one thread", ST0102)]`.
///
/// The reason is for the reader, and has to be there; the summary counts what was let pass. It can stand where
/// [`lock_order`](macro@lock_order) can.
///
/// # Example
///
/// ```
/// use sync_trace::lock_exempt;
/// use sync_trace::sync::Mutex;
///
/// #[lock_exempt(reason = "runs before the first thread is started", ST0101, ST0102)]
/// fn load(accounts: &Mutex<Vec<i64>>) {
///     accounts.lock().unwrap().push(5);
/// }
///
/// let accounts = Mutex::default();
/// load(&accounts);
/// assert_eq!(*accounts.lock().unwrap(), [5]);
/// ```
#[proc_macro_attribute]
pub fn lock_exempt(arguments: TokenStream, item: TokenStream) -> TokenStream {
    one(Word::Exempt, arguments, item)
}

/// Several rules in one attribute: `#[locks(order(a < b), requires(c), no_block, budget(hold = "5ms"))]`.
///
/// The clauses are called like the attributes, without `lock_`: `order`, `requires`, `excludes`, `only`, `acquires`,
/// `releases`, `no_block`, `may_block`, `budget`, `exempt`. It can stand where [`lock_order`](macro@lock_order) can.
///
/// # Example
///
/// ```
/// use sync_trace::locks;
/// use sync_trace::sync::Mutex;
///
/// static ACCOUNTS: Mutex<i64> = Mutex::new(10);
/// static AUDIT: Mutex<Vec<i64>> = Mutex::new(Vec::new());
///
/// #[locks(order(ACCOUNTS < AUDIT), only(ACCOUNTS, AUDIT), excludes(ACCOUNTS))]
/// fn withdraw(amount: i64) {
///     let mut accounts = ACCOUNTS.lock().unwrap();
///     *accounts -= amount;
///     AUDIT.lock().unwrap().push(amount);
/// }
///
/// withdraw(5);
/// assert_eq!(*ACCOUNTS.lock().unwrap(), 5);
/// ```
#[proc_macro_attribute]
pub fn locks(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Attribute::Several, arguments.into(), item.into()).into()
}

/// A class of locks: `lock_class!(pub ACCOUNTS, "bank.accounts", rank = 10, leaf)`.
///
/// It makes a `static` of type `LockClass`. Attributes and documentation can stand in front of the visibility. Options:
///
/// - `rank = 10`: comes after all classes of lower rank; the compiler compares the ranks where two classes stand
///   next to each other in an order;
/// - `first`: nothing else is held when one of it is taken; `leaf`: nothing else is taken while one of it is held;
/// - `multi`: several of it may be held at once; `spin`: nobody may wait while one of it is held;
/// - `untracked`: locks of it are not recorded;
/// - `crate = "path"`, here or in front of everything, for who re-exports sync-trace.
///
/// # Errors
///
/// The compiler points at options that are unknown, given twice, or contradict each other.
///
/// # Example
///
/// ```
/// use sync_trace::{lock_class, lock_order};
///
/// lock_class!(
///     /// Balances.
///     pub ACCOUNTS, "bank.accounts", rank = 10
/// );
/// lock_class!(AUDIT, "bank.audit", rank = 20, leaf);
///
/// #[lock_order(class(ACCOUNTS) < class(AUDIT))]
/// fn transfer() {}
///
/// transfer();
/// assert_eq!(AUDIT.name(), "bank.audit");
/// ```
#[proc_macro]
pub fn lock_class(input: TokenStream) -> TokenStream {
    expand::lock_class(input.into()).into()
}

/// An order for the whole program, without a function: `lock_hierarchy! { A < { B, C } < D }`.
///
/// Its members are classes and names in quotes, with `*` and `?`. Between the members of a group there is no order,
/// unless the group says one: `{ B < E, C }`. It is an item.
///
/// # Errors
///
/// The compiler points at what contradicts itself, and at classes whose ranks say otherwise.
///
/// # Example
///
/// ```
/// use sync_trace::{lock_class, lock_hierarchy};
///
/// lock_class!(ACCOUNTS, "bank.accounts");
/// lock_class!(RATES, "bank.rates");
///
/// lock_hierarchy! { "bank.sessions" < { ACCOUNTS, RATES } < "log.*" }
///
/// assert_eq!([ACCOUNTS.name(), RATES.name()], ["bank.accounts", "bank.rates"]);
/// ```
#[proc_macro]
pub fn lock_hierarchy(input: TokenStream) -> TokenStream {
    expand::lock_hierarchy(input.into()).into()
}

/// The rules of an attribute for a block: `lock_scope!(order(a < b), only(a, b); { … })`.
///
/// Clauses are those of [`locks`](macro@locks). After the semicolon comes a block, whose value it has and in which `return`,
/// `?` and `break` work as ever; or a closure, which is then bound in each of its calls; or an `async` block or
/// closure, which is bound while it is polled. A block must not contain an `.await` of its own.
///
/// # Example
///
/// ```
/// use sync_trace::lock_scope;
/// use sync_trace::sync::Mutex;
///
/// let (accounts, audit) = (Mutex::new(10), Mutex::new(vec![]));
/// let left = lock_scope!(order(accounts < audit); {
///     let mut accounts = accounts.lock().unwrap();
///     *accounts -= 5;
///     audit.lock().unwrap().push(5);
///     *accounts
/// });
/// assert_eq!(left, 5);
///
/// let add = lock_scope!(only(accounts); |amount: i32| *accounts.lock().unwrap() += amount);
/// add(7);
/// assert_eq!(*accounts.lock().unwrap(), 12);
/// ```
#[proc_macro]
pub fn lock_scope(input: TokenStream) -> TokenStream {
    expand::lock_scope(input.into()).into()
}

/// Names the locks of a struct `Type.field`, and states their order where they are.
///
/// A field is a lock if it has a `#[lock]`, or if its type ends in `Mutex` or `RwLock`, also inside `Arc`, `Rc`, `Box`,
/// `Option`, `Vec`, `Pin`, `LazyLock`, references, arrays and slices. `#[lock(..)]` takes
///
/// - `name = "bank.accounts"` instead of `Bank.accounts`, `class = ACCOUNTS` (of [`lock_class!`]);
/// - `before = audit`, `after(sessions, "log.*")`: fields of the same struct, or names in quotes; this order is in
///   force everywhere, and compared with all others at the start of the program;
/// - `leaf`: nothing else is taken while it is held; `skip`: it is no lock of ours.
///
/// `#[lock(crate = "path")]` on the struct is for who re-exports sync-trace.
///
/// # Errors
///
/// The compiler points at fields that do not exist or are no locks, and at orders that contradict each other.
///
/// # Example
///
/// ```
/// use sync_trace::LockFields;
/// use sync_trace::sync::{Arc, Mutex, RwLock};
///
/// #[derive(LockFields)]
/// struct Bank {
///     #[lock(before = audit)]
///     accounts: RwLock<Vec<i64>>,
///     #[lock(leaf)]
///     audit: Arc<Mutex<Vec<String>>>,
///     owner: String,
/// }
///
/// let bank = Bank { accounts: RwLock::default(), audit: Arc::default(), owner: "me".to_owned() }.named();
/// assert!(bank.accounts.read().unwrap().is_empty() && bank.owner == "me");
/// ```
#[proc_macro_derive(LockFields, attributes(lock))]
pub fn lock_fields(input: TokenStream) -> TokenStream {
    expand::lock_fields(input.into()).into()
}

/// A test that fails if its threads, or threads they started, made a finding: also if the finding's
/// panic was swallowed, as by a join whose result is ignored.
///
/// It takes the place of `#[test]`; `#[should_panic]`, `#[ignore]` and a `Result` as return type work
/// as there. Where tracing is compiled out, it is `#[test]`.
///
/// # Arguments
///
/// - The path of another test attribute, perhaps with arguments, which then takes the place of `#[test]`, and may take an
///   `async fn` or parameters: `#[sync_trace::test(tokio::test(flavor = "multi_thread"))]`. To write
///   `#[tokio::test]` above or below `#[sync_trace::test]` is the same.
/// - `expect = "ST0101"`, or a list `["ST0101", "ST0102"]`: the test fails unless each of these findings is made.
///   Their panics are expected with them; any other panic fails it as ever.
/// - `deadline = "10s"`: a test that takes longer fails, with a dump of who waits for whom.
/// - `crate = "path"`, for who re-exports sync-trace.
///
/// # Example
///
/// ```
/// #[sync_trace::test]
/// fn transfers_add_up() {
///     let total = sync_trace::sync::Mutex::new(0);
///     sync_trace::thread::scope(|scope| {
///         scope.spawn(|| *total.lock().unwrap() += 1);
///     });
///     assert_eq!(total.into_inner().unwrap(), 1);
/// }
/// ```
///
/// # Errors
///
/// The compiler points at the mistake if an argument is not known, if nobody would run an `async fn` or give
/// a function its parameters, or if it is not a function at all.
#[proc_macro_attribute]
pub fn test(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::test(arguments.into(), item.into()).into()
}

fn one(word: Word, arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Attribute::One(word), arguments.into(), item.into()).into()
}
