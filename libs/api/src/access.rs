//! Which role may call which method: read from the contract's own `(pactum.common.v1.access)` options.

use std::collections::HashMap;

use pactum_domain::actor::Role;
use prost_reflect::{DescriptorPool, MethodDescriptor, Value};

use crate::convert;
use crate::proto::{DESCRIPTOR_SET, common};

const OPTION: &str = "pactum.common.v1.access";

/// Services that are not of this contract and open to all: what a load balancer and a developer's tool ask.
const OPEN: [&str; 3] =
    ["/grpc.health.v1.Health/", "/grpc.reflection.v1.ServerReflection/", "/grpc.reflection.v1alpha.ServerReflection/"];

/// The roles allowed each method. What is not listed is denied.
#[derive(Clone, Debug)]
pub struct AccessTable {
    methods: HashMap<String, Vec<Role>>,
}

impl AccessTable {
    /// Reads the table from the contract.
    #[must_use]
    pub fn load() -> Self {
        let pool = DescriptorPool::decode(DESCRIPTOR_SET)
            .expect("the descriptor set is compiled in as the contract's compiler made it, and the tests decode it");
        let methods = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
        Self { methods: methods.map(|method| (path(&method), roles(&pool, &method))).collect() }
    }

    /// Whether a role may call a method, by its path: `/pactum.deal.v1.DealService/RegisterDeal`.
    #[must_use]
    pub fn allows(&self, path: &str, role: Role) -> bool {
        self.methods.get(path).is_some_and(|roles| roles.contains(&role))
    }

    /// Whether a method is open to all, callers without a token included: health and reflection.
    #[must_use]
    pub fn is_open(path: &str) -> bool {
        OPEN.iter().any(|service| path.starts_with(service))
    }

    /// Every method of the contract with its roles, in order of the paths.
    #[must_use]
    pub fn methods(&self) -> Vec<(&str, &[Role])> {
        let mut methods: Vec<_> = self.methods.iter().map(|(path, roles)| (path.as_str(), roles.as_slice())).collect();
        methods.sort_unstable_by_key(|(path, _)| *path);
        methods
    }
}

fn path(method: &MethodDescriptor) -> String {
    format!("/{}/{}", method.parent_service().full_name(), method.name())
}

fn roles(pool: &DescriptorPool, method: &MethodDescriptor) -> Vec<Role> {
    let Some(option) = pool.get_extension_by_name(OPTION) else { return Vec::new() };
    let options = method.options();
    let access = options.get_extension(&option);
    let Some(roles) = access.as_message().and_then(|access| access.get_field_by_name("roles")) else {
        return Vec::new();
    };
    let numbers = roles.as_list().unwrap_or_default().iter().filter_map(Value::as_enum_number);
    numbers.filter_map(|number| common::v1::Role::try_from(number).ok()).filter_map(convert::role_of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_says_who_may_call_it_and_none_lets_the_timer_in() {
        let table = AccessTable::load();
        assert!(table.methods().len() > 40);
        for (method, roles) in table.methods() {
            assert!(!roles.is_empty(), "{method} has no {OPTION}");
            assert!(!roles.contains(&Role::Timer), "{method} lets the timer in, which no caller is");
            // What runs Pactum itself is the operator's alone, and the operator's alone is that.
            if method.starts_with("/pactum.projector.") {
                assert_eq!(roles, [Role::Operator], "{method}");
                continue;
            }
            assert!(roles.contains(&Role::ProgramAdmin), "{method} keeps the program's admin out");
            assert!(!roles.contains(&Role::Operator), "{method} shows a program to an operator");
        }
    }

    #[test]
    fn what_is_not_listed_is_denied() {
        let table = AccessTable::load();
        for role in Role::ALL {
            assert!(!table.allows("/pactum.deal.v1.DealService/Nothing", role));
            assert!(!table.allows("", role));
        }
    }

    #[test]
    fn decisions_are_the_vendors() {
        let table = AccessTable::load();
        for method in ["ApproveDeal", "RejectDeal", "MarkDealDuplicate", "ReassignDeal", "RevokeDeal"] {
            let path = format!("/pactum.deal.v1.DealService/{method}");
            assert!(!Role::ALL.into_iter().any(|role| role.is_partner() && table.allows(&path, role)), "{method}");
            assert!(table.allows(&path, Role::ChannelManager), "{method}");
        }
        assert!(table.allows("/pactum.deal.v1.DealService/RegisterDeal", Role::PartnerSales));
        assert!(!table.allows("/pactum.deal.v1.DealService/RegisterDeal", Role::Auditor));
        assert!(!table.allows("/pactum.replay.v1.ReplayService/ReadEvents", Role::PartnerAdmin));
    }

    #[test]
    fn only_health_and_reflection_are_open() {
        assert!(AccessTable::is_open("/grpc.health.v1.Health/Check"));
        assert!(AccessTable::is_open("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"));
        for (method, _) in AccessTable::load().methods() {
            assert!(!AccessTable::is_open(method), "{method}");
        }
    }
}
