use crate::support::{Admin, authorized, opened};
use stackwave_admin_proto::v1::{
    GetBudgetRequest, GetLogRequest, GetStatusRequest, ListLeasesRequest, ListPartitionsRequest,
    system_client::SystemClient,
};

#[tokio::test]
async fn the_machine_room_tells_of_process_log_partitions_leases_and_budget() {
    let admin = Admin::start().await;
    admin.decide(vec![opened("one", 7).into()]).await;
    let mut client = SystemClient::new(admin.channel().await);
    let status = client.get_status(authorized(GetStatusRequest {})).await.unwrap().into_inner();
    assert_eq!((status.version.as_str(), status.dispatch_enabled, status.ready), ("1.2.3", true, true));
    assert_eq!(status.process_id, admin.core.ids.process().to_string());
    assert!(status.parts.iter().any(|part| part.name == "partition SW_00" && part.ready), "{status:?}");

    let log = client.get_log(authorized(GetLogRequest {})).await.unwrap().into_inner();
    assert_eq!((log.engine.as_str(), log.partitions, log.replicas), ("sqlite", 1, 1));
    let streams: Vec<(&str, u64, u64)> =
        log.streams.iter().map(|one| (one.name.as_str(), one.last_position, one.records)).collect();
    assert_eq!(streams, [("SW_CONFIG", 1, 1), ("SW_00", 1, 1)]);

    let partitions = client.list_partitions(authorized(ListPartitionsRequest {})).await.unwrap();
    let [partition] = &partitions.into_inner().partitions[..] else { panic!("one partition") };
    assert_eq!((partition.folded_position, partition.last_position, partition.lag), (1, 1, 0));
    assert_eq!((partition.repositories, partition.active_runs), (1, 1));

    let leases = client.list_leases(authorized(ListLeasesRequest {})).await.unwrap().into_inner();
    assert!(leases.leases.is_empty() && leases.exclusive);
    let budgets = client.get_budget(authorized(GetBudgetRequest {})).await.unwrap().into_inner().budgets;
    assert_eq!((budgets[0].installation_id, budgets[0].writes_left), (7, Some(19.5)));
    assert!(budgets[0].blocked_until.is_some() && budgets[0].rate_limit_reset_at.is_none());
}
