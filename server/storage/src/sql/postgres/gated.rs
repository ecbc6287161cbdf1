//! Several writes in one statement, behind a condition: one round trip, and a transaction without
//! BEGIN. Its lost reply leaves nothing half done.

use crate::sql::statement::Statement;

/// Where the condition goes.
const PLACE: &str = "WHERE true";
/// An uncorrelated subquery is evaluated once, also where PostgreSQL looks again at a row that another
/// transaction has changed.
const OPEN: &str = "WHERE EXISTS (SELECT 1 FROM gate)";

/// Implements [`crate::sql::database::Database::execute_gated`].
pub(super) fn gated(gate: &Statement, statements: &[Statement]) -> Option<Statement> {
    let mut joined = Statement::new("WITH gate AS MATERIALIZED (");
    joined.push_statement(gate).push(" FOR NO KEY UPDATE)");
    for (index, statement) in statements.iter().enumerate() {
        joined.push(&format!(", step{index} AS ("));
        joined.push_statement(&statement.replaced(PLACE, OPEN)?).push(")");
    }
    joined.push(" SELECT 1 FROM gate");
    Some(joined)
}
