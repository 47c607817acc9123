//! Filters of list queries: CEL expressions over a row's fields.
//!
//! A filter is compiled once a query and bounded before it runs: its length, and its loops, which may only go over one of
//! the row's own lists, not nested. So a row costs at most the expression's length times the length of a list.

use std::collections::HashMap;
use std::sync::Arc;

use cel::common::ast::{ComprehensionExpr, EntryExpr, Expr, IdedExpr};
use cel::common::types::{CelBool, CelInt, CelList, CelMap, CelMapKey, CelString};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;
use cel::{Context, Env, Program, Value};

/// The longest filter, in bytes.
pub const MAX_FILTER: usize = 2_000;

/// A filter that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFilter {
    /// It is too long.
    #[error("the filter has {0} bytes; at most {MAX_FILTER} are allowed")]
    TooLong(usize),
    /// It is not CEL.
    #[error("the filter is not a CEL expression: {0}")]
    Syntax(String),
    /// It names something that is not there.
    #[error("the filter names {name:?}, which does not exist; fields begin with {object:?}")]
    UnknownName {
        /// What it names.
        name: String,
        /// The object whose fields there are.
        object: &'static str,
    },
    /// It loops over something else than a field, or inside a loop.
    #[error("a filter may loop over a field of the row only, and not inside another loop")]
    Loop,
    /// It cannot be evaluated, or is neither true nor false.
    #[error("the filter cannot be evaluated: {0}")]
    Evaluation(String),
}

/// A field's value, as a filter sees it.
#[derive(Clone, Debug, PartialEq)]
pub enum Field<'a> {
    /// Text; empty where there is none.
    Text(&'a str),
    /// Text made for the filter.
    Owned(String),
    /// A whole number; 0 where there is none.
    Integer(i64),
    /// Yes or no.
    Flag(bool),
    /// A list of texts.
    List(Vec<&'a str>),
}

/// Something a filter can look at.
pub trait Fields: Sync {
    /// The object's name in filters: `deal`.
    const OBJECT: &'static str;
    /// Every path below the object: `scope.products`.
    const PATHS: &'static [&'static str];

    /// The value at a path. As in protocol buffers a field that is not set has its type's zero.
    fn field(&self, path: &str) -> Option<Field<'_>>;

    /// Whether a field or group of fields is set, for `has(…)`.
    fn is_set(&self, path: &str) -> bool;
}

/// A compiled filter.
pub struct Filter {
    program: Program,
    /// The functions of CEL: made once, because it takes longer than evaluating a filter.
    env: Arc<Env>,
}

impl Filter {
    /// Compiles a filter over rows like `example`, whose fields need not be set.
    ///
    /// # Errors
    /// [`InvalidFilter`].
    pub fn compile<F: Fields>(source: &str, example: &F) -> Result<Self, InvalidFilter> {
        if source.len() > MAX_FILTER {
            return Err(InvalidFilter::TooLong(source.len()));
        }
        let program = Program::compile(source).map_err(|errors| InvalidFilter::Syntax(errors.to_string()))?;
        Check { object: F::OBJECT, paths: F::PATHS, bound: Vec::new() }.expression(program.expression())?;
        let filter = Self { program, env: Arc::new(Env::stdlib()) };
        filter.admits(example)?;
        Ok(filter)
    }

    /// Whether a row passes.
    ///
    /// # Errors
    /// [`InvalidFilter::Evaluation`] where types do not fit, an index is out of bounds, a number overflows, or the result
    /// is neither true nor false.
    pub fn admits<F: Fields>(&self, row: &F) -> Result<bool, InvalidFilter> {
        let resolver = Resolver(row);
        let mut context = Context::with_env(Arc::clone(&self.env));
        context.set_variable_resolver(&resolver);
        match self.program.execute(&context) {
            Ok(Value::Bool(admitted)) => Ok(admitted),
            Ok(other) => Err(InvalidFilter::Evaluation(format!("it gives {other:?}, not true or false"))),
            Err(error) => Err(InvalidFilter::Evaluation(error.to_string())),
        }
    }
}

/// Gives an expression the fields it names, when it names them.
struct Resolver<'r, F>(&'r F);

impl<F: Fields> VariableResolver for Resolver<'_, F> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let path = variable.strip_prefix(F::OBJECT)?;
        if let Some(field) = path.strip_prefix('.').and_then(|path| self.0.field(path)) {
            return Some(match field {
                Field::Text(text) => CowVal::owned(CelString::from(text)),
                Field::Owned(text) => CowVal::owned(CelString::from(text)),
                Field::Integer(number) => CowVal::owned(CelInt::from(number)),
                Field::Flag(flag) => CowVal::owned(CelBool::from(flag)),
                Field::List(texts) => {
                    let texts = texts.into_iter().map(|text| Box::new(CelString::from(text)) as Box<dyn Val + 'b>);
                    CowVal::owned(CelList::from(texts.collect::<Vec<_>>()))
                }
            });
        }
        // What is left is the group in front of a `has(group.field)`: only which of its fields are set matters.
        let group = if path.is_empty() { "" } else { path.strip_prefix('.')? };
        let members = F::PATHS.iter().filter_map(|path| member(path, group));
        let set = members.filter(|(_, full)| self.0.is_set(full));
        let map: HashMap<CelMapKey<'b>, Box<dyn Val + 'b>> =
            set.map(|(name, _)| (CelMapKey::from(name), Box::new(CelBool::from(true)) as Box<dyn Val + 'b>)).collect();
        Some(CowVal::owned(CelMap::from(map)))
    }
}

/// The field or group that `path` has directly below `group`, by its name and by its own path.
fn member(path: &'static str, group: &str) -> Option<(&'static str, &'static str)> {
    let rest = if group.is_empty() { path } else { path.strip_prefix(group)?.strip_prefix('.')? };
    let name = rest.split('.').next()?;
    Some((name, &path[..path.len() - rest.len() + name.len()]))
}

/// Walks an expression before it is used.
struct Check {
    object: &'static str,
    paths: &'static [&'static str],
    /// The variables of the loop it is in.
    bound: Vec<String>,
}

impl Check {
    fn expression(&mut self, expression: &IdedExpr) -> Result<(), InvalidFilter> {
        match &expression.expr {
            Expr::Unspecified | Expr::Literal(_) => Ok(()),
            Expr::Ident(name) if self.bound.contains(name) => Ok(()),
            Expr::Ident(name) => self.unknown(name),
            Expr::Select(select) if select.test => {
                let group = self.path(&select.operand);
                let known = group.as_deref().is_some_and(|group| {
                    self.paths.iter().any(|path| member(path, group).is_some_and(|(name, _)| name == select.field))
                });
                if known { Ok(()) } else { self.unknown(&select.field) }
            }
            Expr::Select(select) => match self.path(expression) {
                Some(path) if self.paths.contains(&path.as_str()) => Ok(()),
                Some(path) => self.unknown(&format!("{}.{path}", self.object)),
                None => self.unknown(&select.field),
            },
            Expr::Call(call) => {
                call.target.as_deref().into_iter().chain(&call.args).try_for_each(|e| self.expression(e))
            }
            Expr::List(list) => list.elements.iter().try_for_each(|element| self.expression(element)),
            Expr::Map(map) => map.entries.iter().try_for_each(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => self.expression(&entry.key).and_then(|()| self.expression(&entry.value)),
                EntryExpr::StructField(field) => self.expression(&field.value),
            }),
            Expr::Struct(made) => self.unknown(&made.type_name),
            Expr::Comprehension(comprehension) => self.comprehension(comprehension),
        }
    }

    fn comprehension(&mut self, comprehension: &ComprehensionExpr) -> Result<(), InvalidFilter> {
        let over_a_field = self.path(&comprehension.iter_range).is_some();
        if !over_a_field || !self.bound.is_empty() {
            return Err(InvalidFilter::Loop);
        }
        self.expression(&comprehension.iter_range)?;
        self.expression(&comprehension.accu_init)?;
        self.bound = vec![comprehension.iter_var.clone(), comprehension.accu_var.clone()];
        self.bound.extend(comprehension.iter_var2.clone());
        let parts = [&comprehension.loop_cond, &comprehension.loop_step, &comprehension.result];
        parts.into_iter().try_for_each(|part| self.expression(part))?;
        self.bound.clear();
        Ok(())
    }

    /// The path below the object that an expression spells: empty for the object itself.
    fn path(&self, expression: &IdedExpr) -> Option<String> {
        match &expression.expr {
            Expr::Ident(name) if name == self.object && !self.bound.contains(name) => Some(String::new()),
            Expr::Select(select) if !select.test => {
                let above = self.path(&select.operand)?;
                Some(if above.is_empty() { select.field.clone() } else { format!("{above}.{}", select.field) })
            }
            _ => None,
        }
    }

    fn unknown(&self, name: &str) -> Result<(), InvalidFilter> {
        Err(InvalidFilter::UnknownName { name: name.to_owned(), object: self.object })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    struct Thing {
        state: &'static str,
        minor: Option<i64>,
        tags: Vec<&'static str>,
        open: bool,
    }

    impl Fields for Thing {
        const OBJECT: &'static str = "thing";
        const PATHS: &'static [&'static str] = &["state", "amount.minor", "scope.tags", "open", "day"];

        fn field(&self, path: &str) -> Option<Field<'_>> {
            Some(match path {
                "state" => Field::Text(self.state),
                "amount.minor" => Field::Integer(self.minor.unwrap_or_default()),
                "scope.tags" => Field::List(self.tags.clone()),
                "open" => Field::Flag(self.open),
                "day" => Field::Owned("2027-03-31".into()),
                _ => return None,
            })
        }

        fn is_set(&self, path: &str) -> bool {
            match path {
                "amount" | "amount.minor" => self.minor.is_some(),
                "scope" | "scope.tags" => !self.tags.is_empty(),
                _ => true,
            }
        }
    }

    const EMPTY: Thing = Thing { state: "", minor: None, tags: Vec::new(), open: false };

    fn check(source: &str, thing: &Thing) -> Result<bool, InvalidFilter> {
        Filter::compile(source, &EMPTY)?.admits(thing)
    }

    #[test]
    fn admits_what_it_says() {
        let thing = Thing { state: "WON", minor: Some(105_400), tags: vec!["crm", "erp"], open: true };
        for (source, full, empty) in [
            ("true", true, true),
            ("thing.state == 'WON'", true, false),
            ("thing.amount.minor >= 105400 && thing.open", true, false),
            ("'crm' in thing.scope.tags", true, false),
            ("thing.scope.tags.exists(t, t.startsWith('e'))", true, false),
            ("thing.scope.tags.all(t, t != 'x')", true, true),
            ("size(thing.scope.tags) == 2", true, false),
            ("has(thing.amount)", true, false),
            ("has(thing.amount.minor) && has(thing.state)", true, false),
            ("!has(thing.scope.tags)", false, true),
            ("thing.state in ['LOST', 'WON'] || !thing.open", true, true),
            ("thing.day < '2028' && thing.day.startsWith('2027-03')", true, true),
            ("thing.open ? thing.state == 'WON' : true", true, true),
        ] {
            assert_eq!(check(source, &thing), Ok(full), "{source}");
            assert_eq!(check(source, &EMPTY), Ok(empty), "{source}");
        }
    }

    #[test]
    fn refuses_by_name() {
        let long = format!("thing.state == '{}'", "x".repeat(MAX_FILTER));
        let deep = format!("{}true{}", "(".repeat(900), ")".repeat(900));
        for (source, expected) in [
            (long.as_str(), "bytes; at most"),
            (deep.as_str(), "not a CEL expression"),
            ("thing.state ==", "not a CEL expression"),
            ("", "not a CEL expression"),
            ("other.state == 'x'", "\"state\""),
            ("thing.stat == 'x'", "\"thing.stat\""),
            ("thing == 1", "\"thing\""),
            ("thing.amount == 1", "\"thing.amount\""),
            ("has(thing.nothing)", "\"nothing\""),
            ("has(thing.state.x)", "\"x\""),
            ("[1, 2].exists(x, x == 1)", "loop"),
            ("thing.scope.tags.exists(t, thing.scope.tags.exists(u, t == u))", "loop"),
            ("thing.state", "not true or false"),
            ("thing.state > 1", "cannot be evaluated"),
            ("frobnicate(thing.state)", "cannot be evaluated"),
            ("thing.amount.minor / 0 == 1", "cannot be evaluated"),
        ] {
            let error = check(source, &EMPTY).unwrap_err().to_string();
            assert!(error.contains(expected), "{source}: {error}");
        }
    }

    #[test]
    fn what_fails_on_a_row_only_fails_on_that_row() {
        let filter = Filter::compile("thing.scope.tags.exists(t, t > 1)", &EMPTY).unwrap();
        assert_eq!(filter.admits(&EMPTY), Ok(false));
        let thing = Thing { tags: vec!["x"], ..EMPTY };
        assert!(matches!(filter.admits(&thing), Err(InvalidFilter::Evaluation(_))));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(source in ".{0,60}") {
            let _ = check(&source, &EMPTY);
        }
    }
}
