//! The API's enumerations in words: what is printed for `RUN_STATUS_NOTHING_AFFECTED`, and what `--status` takes.

use crate::{screen::Tone, table::Cell};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use stackwave_admin_proto::v1::{CommandStatus, DispatchStatus, Role, RunStatus, StackStatus};

/// An enumeration that people read and type.
pub(crate) trait Words: TryFrom<i32> + Into<i32> + Copy + Send + Sync + 'static {
    /// What each of its names begins with.
    const PREFIX: &'static str;

    /// Its name in the contract.
    fn contract(self) -> &'static str;

    /// What it means for the reader.
    fn tone(self) -> Tone;

    /// In words, with this sign between them.
    fn words(self, between: &str) -> String {
        let name = self.contract();
        name.strip_prefix(Self::PREFIX).unwrap_or(name).to_ascii_lowercase().replace('_', between)
    }
}

/// What is printed for a value. A newer server may have values that are not known here.
pub(crate) fn cell<E: Words>(value: i32) -> Cell {
    match E::try_from(value) {
        Ok(_) if value == 0 => Cell::from(""),
        Ok(known) => Cell::new(known.words(" "), known.tone()),
        Err(_) => Cell::from(format!("unknown ({value})")),
    }
}

/// Reads a value from the command line: `nothing-affected`.
pub(crate) fn parser<E: Words>() -> impl TypedValueParser<Value = E> {
    let known = || (1..).map_while(|value| E::try_from(value).ok());
    let names: Vec<String> = known().map(|value| value.words("-")).collect();
    PossibleValuesParser::new(names).try_map(move |name| {
        known().find(|value| value.words("-") == name).ok_or_else(|| format!("`{name}` is not known"))
    })
}

macro_rules! words {
    ($($name:ident $prefix:literal)+) => {
        $(impl Words for $name {
            const PREFIX: &'static str = $prefix;

            fn contract(self) -> &'static str {
                self.as_str_name()
            }

            fn tone(self) -> Tone {
                Tone::from(self)
            }
        })+
    };
}

words! {
    RunStatus "RUN_STATUS_"
    StackStatus "STACK_STATUS_"
    DispatchStatus "DISPATCH_STATUS_"
    CommandStatus "COMMAND_STATUS_"
    Role "ROLE_"
}

impl From<RunStatus> for Tone {
    fn from(status: RunStatus) -> Self {
        match status {
            RunStatus::Running => Self::Active,
            RunStatus::Failed => Self::Bad,
            RunStatus::Succeeded => Self::Good,
            RunStatus::NothingAffected | RunStatus::Superseded | RunStatus::Closed | RunStatus::Cancelled => {
                Self::Quiet
            }
            RunStatus::Unspecified => Self::Plain,
        }
    }
}

impl From<StackStatus> for Tone {
    fn from(status: StackStatus) -> Self {
        match status {
            StackStatus::Failed
            | StackStatus::Cancelled
            | StackStatus::DispatchRefused
            | StackStatus::CannotRun
            | StackStatus::Blocked => Self::Bad,
            StackStatus::Undecidable | StackStatus::AwaitingApproval | StackStatus::Held => Self::Attention,
            StackStatus::Running | StackStatus::Queued | StackStatus::Dispatching | StackStatus::Released => {
                Self::Active
            }
            StackStatus::Waiting | StackStatus::Stopped | StackStatus::Skipped => Self::Quiet,
            StackStatus::Succeeded => Self::Good,
            StackStatus::Unspecified => Self::Plain,
        }
    }
}

impl From<DispatchStatus> for Tone {
    fn from(status: DispatchStatus) -> Self {
        match status {
            DispatchStatus::Refused => Self::Bad,
            DispatchStatus::Undecidable | DispatchStatus::Unknown | DispatchStatus::Delayed => {
                Self::Attention
            }
            DispatchStatus::Sending | DispatchStatus::Accepted => Self::Active,
            DispatchStatus::Concluded => Self::Good,
            DispatchStatus::Unspecified => Self::Plain,
        }
    }
}

impl From<CommandStatus> for Tone {
    fn from(status: CommandStatus) -> Self {
        match status {
            CommandStatus::Accepted => Self::Active,
            CommandStatus::Done => Self::Good,
            CommandStatus::Refused | CommandStatus::Failed => Self::Bad,
            CommandStatus::Unspecified => Self::Plain,
        }
    }
}

impl From<Role> for Tone {
    fn from(_: Role) -> Self {
        Self::Plain
    }
}

/// `1 stack`, `2 stacks`, `3 dispatches`.
pub(crate) fn counted(count: impl Into<u64>, noun: &str) -> String {
    let count = count.into();
    let plural = if noun.ends_with("ch") { "es" } else { "s" };
    format!("{count} {noun}{}", if count == 1 { "" } else { plural })
}

/// A size for people: `12 B`, `3.4 MiB`.
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    // Tenths of the unit, in whole numbers.
    let mut tenths = u128::from(bytes) * 10 / 1024;
    let mut unit = 0;
    while tenths >= 10 * 1024 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_is_printed_in_words() {
        assert_eq!(cell::<RunStatus>(RunStatus::NothingAffected.into()).text, "nothing affected");
        assert_eq!(cell::<StackStatus>(StackStatus::AwaitingApproval.into()).text, "awaiting approval");
        assert_eq!(cell::<StackStatus>(0).text, "");
        assert_eq!(cell::<StackStatus>(99).text, "unknown (99)");
    }

    #[test]
    fn sizes_are_told_in_a_fitting_unit() {
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1024), "1.0 KiB");
        assert_eq!(bytes(3_565_158), "3.3 MiB");
        assert_eq!(bytes(u64::MAX), "16777215.9 TiB");
    }

    #[test]
    fn counts_have_their_noun() {
        assert_eq!(counted(1_u32, "stack"), "1 stack");
        assert_eq!(counted(3_u32, "dispatch"), "3 dispatches");
    }
}
