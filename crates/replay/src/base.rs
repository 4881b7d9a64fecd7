//! The state before a recording's first record, as text for a file.

use crate::withhold::{is_secret_name, replaced};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rmpv::Value;
use stackwave_engine::{State, state::SnapshotError};

/// A state that cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum BaseError {
    /// It is no Base64.
    #[error("it is no Base64: {0}")]
    Text(#[from] base64::DecodeError),
    /// It is no state of this or an earlier version.
    #[error("{0}")]
    State(#[from] SnapshotError),
}

pub(crate) fn write(state: &State) -> Result<String, BaseError> {
    Ok(STANDARD.encode(state.to_snapshot()?))
}

pub(crate) fn read(text: &str) -> Result<State, BaseError> {
    Ok(State::from_checkpoint(&STANDARD.decode(text)?)?)
}

/// Takes out of a state whatever looks like a secret, and counts it: one that was folded before the records were cleaned,
/// as a purged log has it.
pub(crate) fn clean(state: &State) -> Result<(State, u64), BaseError> {
    let damaged = |error: &dyn std::fmt::Display| SnapshotError::Damaged(error.to_string());
    let packed = rmp_serde::to_vec_named(state).map_err(|error| damaged(&error))?;
    let mut value = rmpv::decode::read_value(&mut packed.as_slice()).map_err(|error| damaged(&error))?;
    let count = clean_value(&mut value, false);
    let mut packed = Vec::new();
    rmpv::encode::write_value(&mut packed, &value).map_err(|error| damaged(&error))?;
    let state: State = rmp_serde::from_slice(&packed).map_err(|error| damaged(&error))?;
    // Written and read once more, so that what follows from the rest is worked out.
    Ok((State::from_checkpoint(&state.to_snapshot()?)?, count))
}

fn clean_value(value: &mut Value, named: bool) -> u64 {
    match value {
        Value::String(text) => {
            let Some((clean, count)) = text.as_str().and_then(|text| replaced(text, named)) else { return 0 };
            *value = Value::from(clean);
            count
        }
        Value::Array(values) => values.iter_mut().map(|value| clean_value(value, named)).sum(),
        Value::Map(fields) => {
            let clean = |(name, value): &mut (Value, Value)| {
                let named = name.as_str().is_some_and(is_secret_name);
                clean_value(name, false) + clean_value(value, named)
            };
            fields.iter_mut().map(clean).sum()
        }
        Value::Nil
        | Value::Boolean(_)
        | Value::Integer(_)
        | Value::F32(_)
        | Value::F64(_)
        | Value::Binary(_)
        | Value::Ext(_, _) => 0,
    }
}
