//! Filters of history: CEL expressions over an event, `event.type == "DealRegistered" && event.data.partner == "north"`.
//!
//! Events differ in their fields, so that names below `event.data` are not checked beforehand: an event that lacks a field which
//! the expression asks for does not pass. The expression is bounded as those over rows are.

use std::sync::Arc;

use cel::common::ast::{EntryExpr, Expr, IdedExpr};
use cel::{Context, Env, ExecutionError, Program, Value};
use serde::Serialize;

use crate::filter::{InvalidFilter, MAX_FILTER};

/// What expressions call an event.
const OBJECT: &str = "event";

/// A compiled filter of events.
pub struct EventFilter {
    program: Program,
    /// The functions of CEL: made once, because it takes longer than evaluating a filter.
    env: Arc<Env>,
}

impl EventFilter {
    /// Compiles a filter.
    ///
    /// # Errors
    /// [`InvalidFilter`].
    pub fn compile(source: &str) -> Result<Self, InvalidFilter> {
        if source.len() > MAX_FILTER {
            return Err(InvalidFilter::TooLong(source.len()));
        }
        let program = Program::compile(source).map_err(|errors| InvalidFilter::Syntax(errors.to_string()))?;
        check(program.expression(), &mut vec![OBJECT.to_owned()])?;
        Ok(Self { program, env: Arc::new(Env::stdlib()) })
    }

    /// Whether an event passes.
    ///
    /// # Errors
    /// [`InvalidFilter::Evaluation`] where types do not fit, a number overflows, or the result is neither true nor false.
    pub fn admits(&self, event: &impl Serialize) -> Result<bool, InvalidFilter> {
        let event = cel::to_value(event).map_err(|error| InvalidFilter::Evaluation(error.to_string()))?;
        let mut context = Context::with_env(Arc::clone(&self.env));
        context.add_variable_from_value(OBJECT, event);
        match self.program.execute(&context) {
            Ok(Value::Bool(admitted)) => Ok(admitted),
            Ok(other) => Err(InvalidFilter::Evaluation(format!("it gives {other:?}, not true or false"))),
            Err(ExecutionError::NoSuchKey(_)) => Ok(false),
            Err(error) => Err(InvalidFilter::Evaluation(error.to_string())),
        }
    }
}

/// Refuses names that there are not, and loops in loops. `bound`: the object, and in a loop its variables.
fn check(expression: &IdedExpr, bound: &mut Vec<String>) -> Result<(), InvalidFilter> {
    let unknown = |name: &str| Err(InvalidFilter::UnknownName { name: name.to_owned(), object: OBJECT });
    match &expression.expr {
        Expr::Unspecified | Expr::Literal(_) => Ok(()),
        Expr::Ident(name) if bound.contains(name) => Ok(()),
        Expr::Ident(name) => unknown(name),
        Expr::Select(select) => check(&select.operand, bound),
        Expr::Call(call) => {
            call.target.as_deref().into_iter().chain(&call.args).try_for_each(|part| check(part, bound))
        }
        Expr::List(list) => list.elements.iter().try_for_each(|element| check(element, bound)),
        Expr::Map(map) => map.entries.iter().try_for_each(|entry| match &entry.expr {
            EntryExpr::MapEntry(entry) => check(&entry.key, bound).and_then(|()| check(&entry.value, bound)),
            EntryExpr::StructField(field) => check(&field.value, bound),
        }),
        Expr::Struct(made) => unknown(&made.type_name),
        Expr::Comprehension(_) if bound.len() > 1 => Err(InvalidFilter::Loop),
        Expr::Comprehension(loops) => {
            check(&loops.iter_range, bound)?;
            check(&loops.accu_init, bound)?;
            bound.extend([loops.iter_var.clone(), loops.accu_var.clone()]);
            bound.extend(loops.iter_var2.clone());
            let parts = [&loops.loop_cond, &loops.loop_step, &loops.result];
            parts.into_iter().try_for_each(|part| check(part, bound))?;
            bound.truncate(1);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[derive(Serialize)]
    struct Event {
        r#type: &'static str,
        sequence: u64,
        data: Data,
    }

    #[derive(Serialize)]
    struct Data {
        #[serde(skip_serializing_if = "Option::is_none")]
        minor: Option<i64>,
        products: Vec<&'static str>,
    }

    fn admits(filter: &str) -> Result<bool, InvalidFilter> {
        let data = Data { minor: Some(500), products: vec!["gtx", "mgx"] };
        EventFilter::compile(filter)?.admits(&Event { r#type: "DealWon", sequence: 7, data })
    }

    #[test]
    fn events_pass_by_what_they_hold() {
        for (filter, expected) in [
            (r#"event.type == "DealWon""#, true),
            (r#"event.type == "DealLost" || event.data.minor > 1000"#, false),
            (r#"event.type.startsWith("Deal") && event.data.minor >= 500"#, true),
            (r#"event.data.products.exists(p, p == "mgx")"#, true),
            ("event.data.nothing == 5", false),
            ("has(event.data.nothing)", false),
            ("int(event.sequence) == 7", true),
        ] {
            assert_eq!(admits(filter), Ok(expected), "{filter}");
        }
        let lacking = Event { r#type: "DealWon", sequence: 8, data: Data { minor: None, products: Vec::new() } };
        assert_eq!(EventFilter::compile("event.data.minor > 1").unwrap().admits(&lacking), Ok(false));
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        assert!(matches!(admits("event.type =="), Err(InvalidFilter::Syntax(_))));
        assert!(matches!(admits("deal.state == 'WON'"), Err(InvalidFilter::UnknownName { .. })));
        assert!(matches!(admits("event.sequence"), Err(InvalidFilter::Evaluation(_))));
        assert!(matches!(admits(&"x".repeat(MAX_FILTER + 1)), Err(InvalidFilter::TooLong(_))));
        let nested = "event.data.products.all(p, event.data.products.exists(q, p == q))";
        assert!(matches!(admits(nested), Err(InvalidFilter::Loop)));
    }
}
