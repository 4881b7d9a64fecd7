//! Which role a method asks for.

use stackwave_domain::event::AdminRole::{self, Admin, Operator, Viewer};

/// Every method with the least role that may call it, by its path without the slash in front. A test compares it with
/// the descriptors; what is not in it is refused.
pub(super) const METHODS: &[(&str, AdminRole)] = &[
    ("stackwave.admin.v1.Runs/GetRun", Viewer),
    ("stackwave.admin.v1.Runs/ListRuns", Viewer),
    ("stackwave.admin.v1.Runs/ListStacks", Viewer),
    ("stackwave.admin.v1.Runs/ListPullRequests", Viewer),
    ("stackwave.admin.v1.Runs/ListUploads", Viewer),
    ("stackwave.admin.v1.Runs/ListDispatches", Viewer),
    ("stackwave.admin.v1.Runs/ListDeliveries", Viewer),
    ("stackwave.admin.v1.Runs/Explain", Viewer),
    ("stackwave.admin.v1.Runs/ExplainDispatch", Viewer),
    ("stackwave.admin.v1.Events/StreamEvents", Viewer),
    ("stackwave.admin.v1.Events/GetEvent", Viewer),
    ("stackwave.admin.v1.Commands/Retry", Operator),
    ("stackwave.admin.v1.Commands/Cancel", Operator),
    ("stackwave.admin.v1.Commands/Resync", Operator),
    ("stackwave.admin.v1.Commands/Resolve", Operator),
    ("stackwave.admin.v1.Commands/GetCommand", Viewer),
    ("stackwave.admin.v1.Commands/ListCommands", Viewer),
    ("stackwave.admin.v1.Credentials/CreateApiKey", Admin),
    ("stackwave.admin.v1.Credentials/ListApiKeys", Admin),
    ("stackwave.admin.v1.Credentials/RevokeApiKey", Admin),
    ("stackwave.admin.v1.Credentials/CreateToken", Admin),
    ("stackwave.admin.v1.Credentials/ListTokens", Admin),
    ("stackwave.admin.v1.Credentials/RevokeToken", Admin),
    ("stackwave.admin.v1.Credentials/WhoAmI", Viewer),
    ("stackwave.admin.v1.Inventory/ListWorkspaces", Viewer),
    ("stackwave.admin.v1.Inventory/CreateWorkspace", Admin),
    ("stackwave.admin.v1.Inventory/ListRepositories", Viewer),
    ("stackwave.admin.v1.Inventory/GetRepository", Viewer),
    ("stackwave.admin.v1.Inventory/AssignRepository", Admin),
    ("stackwave.admin.v1.Inventory/ListInstallations", Viewer),
    ("stackwave.admin.v1.System/GetStatus", Viewer),
    ("stackwave.admin.v1.System/GetLog", Viewer),
    ("stackwave.admin.v1.System/ListPartitions", Viewer),
    ("stackwave.admin.v1.System/ListLeases", Viewer),
    ("stackwave.admin.v1.System/GetBudget", Viewer),
    ("stackwave.admin.v1.System/RebuildReadModel", Admin),
];

/// Services that answer anybody: load balancers ask for health, and `grpcurl` for descriptions.
const OPEN: [&str; 3] = [
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
];

/// What a path asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needed {
    /// Nothing.
    Nothing,
    /// A token of this role or a stronger one.
    Role(AdminRole),
    /// There is no such method.
    Unknown,
}

/// What the path of a call (`/package.Service/Method`) asks for.
pub(super) fn needed(path: &str) -> Needed {
    let method = path.strip_prefix('/').unwrap_or(path);
    if method.split_once('/').is_some_and(|(service, _)| OPEN.contains(&service)) {
        return Needed::Nothing;
    }
    let found = METHODS.iter().find(|(known, _)| *known == method);
    found.map_or(Needed::Unknown, |(_, role)| Needed::Role(*role))
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost_reflect::DescriptorPool;
    use std::collections::BTreeSet;

    #[test]
    fn the_table_names_every_method_of_the_contract_and_no_other() {
        let pool = DescriptorPool::decode(stackwave_admin_proto::FILE_DESCRIPTOR_SET).unwrap();
        let contract: BTreeSet<String> = pool
            .services()
            .flat_map(|service| {
                let methods = service.methods().map(|method| method.name().to_owned()).collect::<Vec<_>>();
                methods.into_iter().map(move |method| format!("{}/{method}", service.full_name()))
            })
            .collect();
        let table: BTreeSet<String> = METHODS.iter().map(|(method, _)| (*method).to_owned()).collect();
        assert_eq!(table, contract);
        assert_eq!(METHODS.len(), table.len());
    }

    #[test]
    fn only_health_and_reflection_are_open_and_what_is_unknown_is_not() {
        assert_eq!(needed("/grpc.health.v1.Health/Watch"), Needed::Nothing);
        assert_eq!(needed("/stackwave.admin.v1.Runs/GetRun"), Needed::Role(Viewer));
        for path in [
            "/stackwave.admin.v1.Runs/",
            "/grpc.health.v1.Healthy/x",
            "",
            "/",
            "/stackwave.admin.v1.Runs/getrun",
        ] {
            assert_eq!(needed(path), Needed::Unknown, "{path}");
        }
    }
}
