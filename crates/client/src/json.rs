//! Answers for programs: protobuf's own JSON mapping with the field names of `proto/`, so that they are what the
//! contract says, whichever client asks. Numbers of 64 bits are numbers; fields that are not set are there with their
//! default, unless the contract calls them absent.

use crate::failure::Failure;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};
use serde_json::{Serializer, Value, ser::PrettyFormatter};
use stackwave_admin_proto::{FILE_DESCRIPTOR_SET, v1};
use std::sync::OnceLock;

/// A message that is printed.
pub(crate) trait Document: prost::Message {
    /// Its name in the contract.
    const NAME: &'static str;

    /// On several lines.
    fn pretty(&self) -> Result<String, Failure>
    where
        Self: Sized,
    {
        let mut text = Vec::new();
        serialize(self, &mut Serializer::with_formatter(&mut text, PrettyFormatter::new()))?;
        String::from_utf8(text).map_err(unprintable)
    }

    /// As a value, to be changed before it is printed.
    fn value(&self) -> Result<Value, Failure>
    where
        Self: Sized,
    {
        let mut text = Vec::new();
        serialize(self, &mut Serializer::new(&mut text))?;
        serde_json::from_slice(&text).map_err(unprintable)
    }
}

fn serialize<D: Document, S: serde_json::ser::Formatter>(
    document: &D,
    serializer: &mut Serializer<&mut Vec<u8>, S>,
) -> Result<(), Failure> {
    let message = pool()?
        .get_message_by_name(&format!("stackwave.admin.v1.{}", D::NAME))
        .ok_or_else(|| unprintable(format!("the contract has no `{}`", D::NAME)))?;
    let dynamic =
        DynamicMessage::decode(message, document.encode_to_vec().as_slice()).map_err(unprintable)?;
    let options = SerializeOptions::new()
        .use_proto_field_name(true)
        .stringify_64_bit_integers(false)
        .skip_default_fields(false);
    dynamic.serialize_with_options(serializer, &options).map_err(unprintable)
}

/// The contract, read once.
fn pool() -> Result<&'static DescriptorPool, Failure> {
    static POOL: OnceLock<Result<DescriptorPool, String>> = OnceLock::new();
    let read = || DescriptorPool::decode(FILE_DESCRIPTOR_SET).map_err(|error| error.to_string());
    POOL.get_or_init(read).as_ref().map_err(unprintable)
}

fn unprintable(error: impl std::fmt::Display) -> Failure {
    Failure::Print(std::io::Error::other(error.to_string()))
}

macro_rules! documents {
    ($($name:ident)+) => {
        $(impl Document for v1::$name {
            const NAME: &'static str = stringify!($name);
        })+
    };
}

documents! {
    ApiKey AssignRepositoryResponse CancelResponse Command CreateApiKeyResponse CreateTokenResponse
    CreateWorkspaceResponse Delivery Dispatch EventRecord ExplainDispatchResponse ExplainResponse GetBudgetResponse
    GetCommandResponse GetLogResponse GetRepositoryResponse GetRunResponse GetStatusResponse Installation
    ListLeasesResponse ListPartitionsResponse PullRequest ReadModel RebuildReadModelResponse RepositoryInfo ResolveResponse
    ResyncResponse RetryResponse RevokeApiKeyResponse RevokeTokenResponse Run StackInRun Token Upload WhoAmIResponse
    Workspace
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_printed_as_the_contract_names_it() {
        let run = v1::Run {
            id: "r1".to_owned(),
            repository: Some(v1::Repository { id: u64::MAX, name: "acme/infra".to_owned() }),
            status: v1::RunStatus::Running.into(),
            opened_at: Some(prost_types::Timestamp { seconds: 0, nanos: 0 }),
            ..v1::Run::default()
        };
        let value = run.value().unwrap();
        assert_eq!(value["repository"]["id"], u64::MAX);
        assert_eq!(value["status"], "RUN_STATUS_RUNNING");
        assert_eq!(value["opened_at"], "1970-01-01T00:00:00Z");
        assert_eq!(value["head_sha"], "");
        assert_eq!(value.get("pull_request"), None);
        assert!(run.pretty().unwrap().starts_with("{\n  \"id\": \"r1\","));
    }
}
