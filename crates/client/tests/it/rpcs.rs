//! Every method of the API has a verb.

use crate::{asking::ask, fake::Fake, verbs::VERBS};
use prost_reflect::DescriptorPool;
use std::collections::BTreeSet;

#[tokio::test]
async fn every_method_of_the_api_is_reached_by_a_verb() {
    let fake = Fake::start().await;
    let mut reached = BTreeSet::new();
    for verb in VERBS {
        ask(&fake, verb).await.done();
        reached.extend(fake.asked().into_iter().map(|(method, _)| method));
    }
    let contract = DescriptorPool::decode(stackwave_admin_proto::FILE_DESCRIPTOR_SET).unwrap();
    let methods: BTreeSet<String> = contract
        .services()
        .filter(|service| service.package_name() == "stackwave.admin.v1")
        .flat_map(|service| {
            service
                .methods()
                .map(|method| format!("{}/{}", service.name(), method.name()))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(methods.len() > 30, "{methods:?}");
    assert_eq!(reached, methods);
}
