//! What the role measures.

use std::time::Instant;

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use pactum_log::Partition;

/// A view's measures.
pub(crate) struct FoldMeters {
    pub(crate) lag_records: Gauge,
    pub(crate) lag_seconds: Gauge,
    pub(crate) records: Counter,
    pub(crate) seconds: Histogram,
    pub(crate) stopped: Gauge,
}

impl FoldMeters {
    pub(crate) fn new(view: String, partition: Partition) -> Self {
        let labels = [("view", view), ("partition", partition.to_string())];
        Self {
            lag_records: gauge!("pactum_projector_lag_records", &labels),
            lag_seconds: gauge!("pactum_projector_lag_seconds", &labels),
            records: counter!("pactum_projector_fold_records_total", &labels),
            seconds: histogram!("pactum_projector_fold_seconds", &labels),
            stopped: gauge!("pactum_projector_view_stopped", &labels),
        }
    }
}

/// The time a query took, measured when it is dropped.
pub(crate) struct QueryTimer {
    seconds: Histogram,
    started: Instant,
}

impl Drop for QueryTimer {
    fn drop(&mut self) {
        self.seconds.record(self.started.elapsed().as_secs_f64());
    }
}

macro_rules! query_meters {
    ($($field:ident = $method:literal;)*) => {
        /// A histogram for each method, looked up once.
        pub(crate) struct QueryMeters {
            $($field: Histogram,)*
        }

        impl QueryMeters {
            pub(crate) fn new() -> Self {
                Self { $($field: histogram!("pactum_query_seconds", "method" => $method),)* }
            }

            $(pub(crate) fn $field(&self) -> QueryTimer {
                QueryTimer { seconds: self.$field.clone(), started: Instant::now() }
            })*
        }
    };
}

query_meters! {
    get_program = "GetProgram";
    get_partner = "GetPartner";
    list_partners = "ListPartners";
    get_deal = "GetDeal";
    list_deals = "ListDeals";
    query_pipeline = "QueryPipeline";
    list_ownership_history = "ListOwnershipHistory";
    read_events = "ReadEvents";
}
