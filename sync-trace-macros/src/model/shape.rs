//! How a function runs: at its call, or later as a future.

use syn::visit_mut::{self, VisitMut};
use syn::{
    Expr, ExprAsync, ExprClosure, ExprReturn, GenericArgument, Item, PathArguments, ReturnType,
    Stmt, Type, TypeParamBound,
};

use crate::item::Function;

pub(crate) enum Shape {
    /// It runs when it is called.
    Plain,
    /// `async fn`.
    Async,
    /// Its last expression is an `async` block, perhaps in `Box::pin(..)`: the statements.
    Tail(Vec<Stmt>),
    /// It returns a future that it gets from somewhere.
    Returned { boxed: bool, statements: Vec<Stmt> },
}

impl Shape {
    pub(crate) fn of(function: &Function) -> Self {
        if function.sig.asyncness.is_some() {
            return Self::Async;
        }
        let Some(mut statements) = function.statements() else { return Self::Plain };
        let future = Future::of(&function.sig.output);
        let has_tail = match statements.last_mut() {
            Some(Stmt::Expr(tail, None)) => tail_future(tail).is_some(),
            _ => false,
        };
        // What an early `return` gives would escape an extent that is inside the last expression.
        if has_tail && (future.is_none() || !returns(&mut statements)) {
            return Self::Tail(statements);
        }
        match future {
            Some(future) => Self::Returned { boxed: matches!(future, Future::Boxed), statements },
            None => Self::Plain,
        }
    }

    pub(crate) fn is_future(&self) -> bool {
        !matches!(self, Self::Plain)
    }
}

/// The `async` block of `async move { .. }` or `Box::pin(async move { .. })`.
pub(crate) fn tail_future(tail: &mut Expr) -> Option<&mut Expr> {
    match tail {
        Expr::Async(_) => Some(tail),
        Expr::Call(call) => {
            let is_pin = match &*call.func {
                Expr::Path(path) => {
                    path.path.segments.last().is_some_and(|last| last.ident == "pin")
                }
                _ => false,
            };
            let only = if call.args.len() == 1 { call.args.first_mut() } else { None };
            only.filter(|only| is_pin && matches!(only, Expr::Async(_)))
        }
        _ => None,
    }
}

/// A return type that can be seen to be a future.
enum Future {
    Opaque,
    Boxed,
}

impl Future {
    fn of(output: &ReturnType) -> Option<Self> {
        let ReturnType::Type(_, ty) = output else { return None };
        match &**ty {
            Type::ImplTrait(opaque) => is_future(opaque.bounds.iter()).then_some(Self::Opaque),
            Type::Path(path) => {
                let last = path.path.segments.last()?;
                if last.ident == "BoxFuture" || last.ident == "LocalBoxFuture" {
                    return Some(Self::Boxed);
                }
                let inner = argument("Pin", ty).and_then(|boxed| argument("Box", boxed))?;
                match inner {
                    Type::TraitObject(object) => {
                        is_future(object.bounds.iter()).then_some(Self::Boxed)
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

fn is_future<'b>(mut bounds: impl Iterator<Item = &'b TypeParamBound>) -> bool {
    bounds.any(|bound| match bound {
        TypeParamBound::Trait(bound) => {
            bound.path.segments.last().is_some_and(|last| last.ident == "Future")
        }
        _ => false,
    })
}

/// `T` of `name<T>`.
fn argument<'t>(name: &str, ty: &'t Type) -> Option<&'t Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first()? {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    }
}

/// Whether the function itself returns somewhere, and not only something inside it.
fn returns(statements: &mut [Stmt]) -> bool {
    let mut found = false;
    each_return(statements, &mut |_| found = true);
    found
}

/// Calls `change` for every `return` of the function itself, as far as it can be seen: not in macros.
pub(crate) fn each_return(statements: &mut [Stmt], change: &mut dyn FnMut(&mut Expr)) {
    let mut returns = Returns { change };
    for statement in statements {
        returns.visit_stmt_mut(statement);
    }
}

struct Returns<'c> {
    change: &'c mut dyn FnMut(&mut Expr),
}

impl VisitMut for Returns<'_> {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        visit_mut::visit_expr_mut(self, expr);
        if let Expr::Return(ExprReturn { .. }) = expr {
            (self.change)(expr);
        }
    }

    // These return for themselves.
    fn visit_expr_closure_mut(&mut self, _: &mut ExprClosure) {}
    fn visit_expr_async_mut(&mut self, _: &mut ExprAsync) {}
    fn visit_item_mut(&mut self, _: &mut Item) {}
}

#[cfg(test)]
mod tests {
    use super::Shape;
    use crate::item::Function;

    #[track_caller]
    fn check(source: &str, expected: &str) {
        let function: Function = syn::parse_str(source).expect("a function");
        let shape = match Shape::of(&function) {
            Shape::Plain => "plain",
            Shape::Async => "async",
            Shape::Tail(_) => "tail",
            Shape::Returned { boxed: true, .. } => "boxed",
            Shape::Returned { boxed: false, .. } => "opaque",
        };
        assert_eq!(shape, expected, "{source}");
    }

    #[test]
    fn a_function_that_returns_a_future_is_known_by_its_end_or_its_type() {
        check("async fn f() {}", "async");
        check("fn f() -> impl Future<Output = u8> { async { 1 } }", "tail");
        check("fn f() -> impl Send + std::future::Future<Output = u8> { ready(1) }", "opaque");
        check(
            "fn f() -> Pin<Box<dyn Future<Output = u8> + '_>> { Box::pin(async move { 1 }) }",
            "tail",
        );
        check("fn f() -> Pin<Box<dyn Send + Future<Output = u8>>> { g() }", "boxed");
        check("fn f() -> futures::future::BoxFuture<'static, u8> { g() }", "boxed");
        check("fn f() -> Alias { Box::pin(async {}) }", "tail");
    }

    #[test]
    fn an_early_return_of_another_future_is_not_lost() {
        check("fn f() -> BoxFuture<u8> { if x { return g(); } Box::pin(async { 1 }) }", "boxed");
        check("fn f() -> impl Future { while x { y(return g()) } async {} }", "opaque");
        check("fn f() -> BoxFuture<u8> { Box::pin(async { return 1; }) }", "tail");
        check("fn f() -> BoxFuture<u8> { let x = || { return 1 }; Box::pin(async { 1 }) }", "tail");
        check("fn f() -> BoxFuture<u8> { fn g() { return; } Box::pin(async { 1 }) }", "tail");
    }

    #[test]
    fn what_is_no_future_runs_when_it_is_called() {
        check("fn f() {}", "plain");
        check("fn f() -> impl Iterator<Item = u8> { x }", "plain");
        check("fn f() -> Pin<Box<dyn Stream>> { x }", "plain");
        check("fn f() -> Pin<&mut u8> { x }", "plain");
        check("fn f() { async {}; }", "plain");
        check("fn f() { self. }", "plain");
    }
}
