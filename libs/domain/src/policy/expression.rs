//! A condition in CEL, bounded before it is ever run: what it may name and call is listed, and how long it may take is
//! known from its text.

use std::sync::{Arc, LazyLock};

use cel::common::ast::{ComprehensionExpr, Expr, IdedExpr, operators};
use cel::{Context, Env, ExecutionError, Program, Value};

use super::approval::{Kind, Variables};

/// The longest expression, in bytes.
const MAX_BYTES: usize = 2_000;

/// The deepest nesting of brackets. The parser recurses, so this is counted before it is called.
const MAX_DEPTH: usize = 24;

/// How many elements a list of a registration has at most.
const LIST: u64 = 100;

/// The most steps that an evaluation may take; a few milliseconds at the very worst.
const MAX_STEPS: u64 = 100_000;

/// Everything an expression may call, operators included. CEL's macros (`all`, `exists`, `exists_one`, `filter`, `map`) are
/// expanded into loops over these.
const CALLS: [&str; 23] = [
    operators::CONDITIONAL,
    operators::LOGICAL_AND,
    operators::LOGICAL_OR,
    operators::LOGICAL_NOT,
    operators::SUBSTRACT,
    operators::ADD,
    operators::MULTIPLY,
    operators::DIVIDE,
    operators::MODULO,
    operators::EQUALS,
    operators::NOT_EQUALS,
    operators::GREATER_EQUALS,
    operators::LESS_EQUALS,
    operators::GREATER,
    operators::LESS,
    operators::NEGATE,
    operators::INDEX,
    operators::IN,
    operators::NOT_STRICTLY_FALSE,
    "size",
    "contains",
    "startsWith",
    "endsWith",
];

/// Standard functions and macros, without optional values.
static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib().with_optional_support(false)));

/// An expression that was checked and can be evaluated as often as wanted.
pub(super) struct Expression(Program);

impl Expression {
    /// Compiles an expression and checks that it names only what there is, is bounded, and gives a boolean.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(super) fn compile(source: &str) -> Result<Self, String> {
        if source.len() > MAX_BYTES {
            return Err(format!("the expression has {} bytes, {MAX_BYTES} are allowed", source.len()));
        }
        if depth(source) > MAX_DEPTH {
            return Err(format!("the expression is nested more than {MAX_DEPTH} deep"));
        }
        let program = ENV.compile(source).map_err(|errors| {
            let first = errors.errors.first().map_or("it does not parse", |error| error.msg.as_str());
            format!("not a CEL expression: {first}")
        })?;
        let steps = steps(program.expression(), &mut Vec::new())?;
        if steps > MAX_STEPS {
            return Err(format!("it may take {steps} steps, {MAX_STEPS} are allowed; nest fewer loops"));
        }
        let expression = Self(program);
        expression.probe()?;
        Ok(expression)
    }

    /// Whether it holds.
    ///
    /// # Errors
    /// Why it gave no boolean.
    pub(super) fn holds(&self, variables: &Variables<'_>) -> Result<bool, String> {
        match self.0.execute(&context(variables)) {
            Ok(Value::Bool(holds)) => Ok(holds),
            Ok(other) => Err(format!("the expression gave {}, not bool", other.type_of())),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Evaluates it, and each operand of its logic, on a registration where nothing is absent. That finds what compares a
    /// text with a number, or gives no boolean, also where evaluation would not come by.
    fn probe(&self) -> Result<(), String> {
        Variables::probe(|variables| logic(self.0.expression(), &context(variables), true))
    }
}

fn context<'v>(variables: &'v Variables<'_>) -> Context<'v, 'v> {
    let mut context = Context::with_env(Arc::clone(&ENV));
    context.set_variable_resolver(variables);
    context
}

/// Checks the operands of logic, and that a condition is boolean.
fn logic(expression: &IdedExpr, context: &Context<'_, '_>, condition: bool) -> Result<(), String> {
    if let Expr::Call(call) = &expression.expr {
        match call.func_name.as_str() {
            operators::LOGICAL_AND | operators::LOGICAL_OR | operators::LOGICAL_NOT => {
                return call.args.iter().try_for_each(|operand| logic(operand, context, true));
            }
            operators::CONDITIONAL if call.args.len() == 3 => {
                logic(&call.args[0], context, true)?;
                return call.args[1..].iter().try_for_each(|operand| logic(operand, context, condition));
            }
            _ => {}
        }
    }
    match Value::resolve(expression, context) {
        Ok(Value::Bool(_)) => Ok(()),
        Ok(other) if condition => Err(format!("a condition gives {}, not bool", other.type_of())),
        // These hang on the values, not on their types.
        Ok(_)
        | Err(
            ExecutionError::DivisionByZero(_)
            | ExecutionError::RemainderByZero(_)
            | ExecutionError::Overflow(..)
            | ExecutionError::IndexOutOfBounds(_),
        ) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// How deep brackets nest, and how often `!`, `-` or `?` come in all: each makes the parser recurse.
fn depth(source: &str) -> usize {
    let (mut open, mut deepest) = (0_usize, 0);
    for byte in source.bytes() {
        match byte {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    let conditionals = source.bytes().filter(|byte| *byte == b'?').count();
    deepest.max(conditionals)
}

/// How many steps an evaluation takes at most. `bound` are the names that loops around it have bound.
fn steps<'e>(expression: &'e IdedExpr, bound: &mut Vec<&'e str>) -> Result<u64, String> {
    let sum = |parts: &'e [IdedExpr], bound: &mut Vec<&'e str>| {
        parts.iter().try_fold(1_u64, |sum, part| Ok::<_, String>(sum.saturating_add(steps(part, bound)?)))
    };
    match &expression.expr {
        Expr::Literal(_) => Ok(1),
        Expr::Ident(name) if bound.contains(&name.as_str()) => Ok(1),
        Expr::Ident(_) | Expr::Select(_) => match kind(expression, bound)? {
            Kind::List => Ok(LIST),
            Kind::Scalar => Ok(1),
        },
        Expr::List(list) => sum(&list.elements, bound),
        Expr::Call(call) => {
            if !CALLS.contains(&call.func_name.as_str()) {
                return Err(format!("{} cannot be called here", call.func_name));
            }
            let target = call.target.as_deref().map_or(Ok(0), |target| steps(target, bound))?;
            Ok(target.saturating_add(sum(&call.args, bound)?))
        }
        Expr::Comprehension(comprehension) => comprehension_steps(comprehension, bound),
        Expr::Map(_) | Expr::Struct(_) => Err("maps and messages cannot be made here".to_owned()),
        Expr::Unspecified => Err("the expression is empty".to_owned()),
    }
}

fn comprehension_steps<'e>(looped: &'e ComprehensionExpr, bound: &mut Vec<&'e str>) -> Result<u64, String> {
    // What a loop runs over must not be what another one made: its length would not be known.
    let rounds = match &looped.iter_range.expr {
        Expr::List(list) => list.elements.len() as u64,
        Expr::Ident(name) if bound.contains(&name.as_str()) => return Err(no_list(name)),
        Expr::Ident(_) | Expr::Select(_) if kind(&looped.iter_range, bound)? == Kind::List => LIST,
        Expr::Ident(name) => return Err(no_list(name)),
        Expr::Select(select) => return Err(no_list(&select.field)),
        _ => return Err("a loop runs over a list of the registration or one written out, not over a result".to_owned()),
    };
    let before = steps(&looped.iter_range, bound)?.saturating_add(steps(&looped.accu_init, bound)?);
    let outside = bound.len();
    bound.push(&looped.iter_var);
    bound.extend(looped.iter_var2.as_deref());
    bound.push(&looped.accu_var);
    let round = steps(&looped.loop_cond, bound)?.saturating_add(steps(&looped.loop_step, bound)?);
    let after = steps(&looped.result, bound)?;
    bound.truncate(outside);
    Ok(before.saturating_add(after).saturating_add(rounds.saturating_mul(round)))
}

fn no_list(name: &str) -> String {
    format!("{name} is not a list to loop over")
}

/// What a name stands for.
fn kind(expression: &IdedExpr, bound: &[&str]) -> Result<Kind, String> {
    let name = qualified(expression)?;
    let root = name.split('.').next().unwrap_or_default();
    if bound.contains(&root) {
        return Err(format!("{root} has no fields"));
    }
    Variables::kind(&name).ok_or_else(|| match name.as_str() {
        "deal.amount" => "there is no deal.amount; it is deal.amount_minor, in minor units such as cents".to_owned(),
        _ => format!("there is no {name}; known are {}", Variables::names()),
    })
}

/// The name that an identifier with fields spells: `partner.tier`.
fn qualified(expression: &IdedExpr) -> Result<String, String> {
    match &expression.expr {
        Expr::Ident(name) => Ok(name.clone()),
        Expr::Select(select) if select.test => Err("has() is not needed: what is absent is null".to_owned()),
        Expr::Select(select) => Ok(format!("{}.{}", qualified(&select.operand)?, select.field)),
        _ => Err("only names have fields".to_owned()),
    }
}

#[cfg(test)]
mod tests;
