//! Who claimed a customer. A caller of a partner may ask for accounts it has a deal on, and learns of others only that they
//! did something, and when.

mod redact;
mod show;

use std::sync::Arc;

use pactum_api::convert::account_name;
use pactum_api::proto::audit::v1 as proto;
use pactum_api::proto::audit::v1::list_ownership_history_request::Subject;
use pactum_api::proto::audit::v1::ownership_query_service_server::OwnershipQueryService;
use pactum_api::{Caller, error, query};
use pactum_domain::account::AccountKey;
use pactum_ids::{AccountId, DealId, ProgramId};
use pactum_views::Rows;
use pactum_views::ownership::history::{self, exists, involves};
use pactum_views::ownership::{self, HistoryError, Query};
use tonic::{Request, Response, Status};

use crate::queries::{Queries, When, blocking, sequence_of, unreadable};

/// `pactum.audit.v1.OwnershipQueryService`.
pub(crate) struct Ownerships(pub(crate) Arc<Queries>);

/// What a request asks for.
enum Asks {
    Account(AccountId),
    Deal(DealId),
    Keys(Vec<AccountKey>),
}

#[tonic::async_trait]
impl OwnershipQueryService for Ownerships {
    async fn list_ownership_history(
        &self,
        request: Request<proto::ListOwnershipHistoryRequest>,
    ) -> Result<Response<proto::ListOwnershipHistoryResponse>, Status> {
        let _timer = self.0.meters.list_ownership_history();
        let asked = self.0.admit(&request)?;
        let message = request.get_ref();
        let program = query::program(&asked.caller, "parent", &message.parent)?;
        asked.scope()?;
        let caller = Arc::clone(&asked.caller);
        let asks = Asks::parse(&caller, message.subject.as_ref())?;
        let subject = asks.text(&caller);
        let (size, token) = (query::page_size(message.page_size)?, message.page_token.clone());
        let page = Query::token_sequence(&program, &subject, &token);
        let when = When { min_sequence: message.min_sequence, as_of: message.as_of.as_ref(), page };
        let held = asked.rows(&asked.views.ownership, when).await?;
        let answer = blocking(move || {
            let rows = held.store().snapshot();
            let sequence = sequence_of(&rows, &program)?;
            let accounts = asks.accounts(&rows, &program, &caller)?;
            let query = Query::new(program.clone(), &subject, accounts.clone(), size, &token);
            let query = query.map_err(|error| refused(&error))?;
            let found = history::history(&rows, &query, sequence).map_err(|error| refused(&error))?;
            let claims = found.claims.iter().map(|(account, sequence, claim)| {
                redact::claim(show::claim(&program, account, *sequence, claim, &caller), claim, &program, &caller)
            });
            let current = found.current.iter();
            let current =
                current.map(|current| redact::ownership(show::ownership(&program, current), current, &caller));
            Ok(proto::ListOwnershipHistoryResponse {
                claims: claims.collect(),
                next_page_token: found.next.unwrap_or_default(),
                sequence,
                accounts: accounts.iter().map(|account| account_name(&program, account)).collect(),
                current: current.collect(),
            })
        });
        answer.await.map(Response::new)
    }
}

impl Asks {
    fn parse(caller: &Caller, subject: Option<&Subject>) -> Result<Self, Status> {
        match subject {
            None => Err(error::invalid_field("subject", "account, deal or customer is needed")),
            Some(Subject::Account(text)) => query::account(caller, "account", text).map(Self::Account),
            Some(Subject::Deal(text)) => query::deal(caller, "deal", text).map(Self::Deal),
            Some(Subject::Customer(customer)) => query::customer_keys("customer", customer).map(Self::Keys),
        }
    }

    /// What is asked for, and through whose eyes: page tokens belong to it.
    fn text(&self, caller: &Caller) -> String {
        let viewer = caller.partner().map_or("", |partner| partner.as_str());
        match self {
            Self::Account(account) => format!("{viewer} account {account}"),
            Self::Deal(deal) => format!("{viewer} deal {deal}"),
            Self::Keys(keys) => {
                let keys: Vec<_> = keys.iter().map(|key| format!("{} {}", key.kind(), key.value())).collect();
                format!("{viewer} keys {}", keys.join(" "))
            }
        }
    }

    /// The accounts, as far as they are the caller's to see.
    fn accounts(&self, rows: &dyn Rows, program: &ProgramId, caller: &Caller) -> Result<Vec<AccountId>, Status> {
        let visible = |account: &AccountId| match caller.partner() {
            Some(partner) => involves(rows, program, account, partner),
            None => exists(rows, program, account),
        };
        match self {
            Self::Account(account) => {
                let visible = visible(account).map_err(|error| unreadable(&error))?;
                if visible { Ok(vec![account.clone()]) } else { Err(error::not_found("account", account.as_str())) }
            }
            Self::Deal(id) => {
                let deal = ownership::deal_of(rows, program, id).map_err(|error| unreadable(&error))?;
                let deal = deal.filter(|deal| caller.sees(&deal.partner));
                let deal = deal.ok_or_else(|| error::not_found("deal", id.as_str()))?;
                Ok(deal.account.into_iter().collect())
            }
            // Who asks by keys and is no party learns what it would learn of a customer nobody knows.
            Self::Keys(keys) => {
                let mut accounts = Vec::new();
                for account in ownership::accounts_of(rows, program, keys).map_err(|error| unreadable(&error))? {
                    if visible(&account).map_err(|error| unreadable(&error))? {
                        accounts.push(account);
                    }
                }
                Ok(accounts)
            }
        }
    }
}

fn refused(history_error: &HistoryError) -> Status {
    match history_error {
        HistoryError::Token(invalid) => error::invalid_page_token(&invalid.to_string()),
        HistoryError::Rows(error) => unreadable(error),
    }
}
