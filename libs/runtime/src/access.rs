//! The one place where a call is let in: who calls, and may that role call this method. Denied unless the contract allows.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{SystemTime, UNIX_EPOCH};

use futures::future::Either;
use http::header::AUTHORIZATION;
use http::{Request, Response};
use pactum_api::{AccessTable, Caller};
use tonic::Status;
use tonic::body::Body;

use crate::token::TokenKey;

/// How many checked tokens are remembered, so that a busy caller's signature is not computed anew for each call.
const REMEMBERED: usize = 1024;

/// Lets calls in, as a `tower` layer around the gRPC services.
#[derive(Clone, Debug)]
pub struct Access {
    gate: Arc<Gate>,
}

#[derive(Debug)]
struct Gate {
    table: AccessTable,
    key: TokenKey,
    checked: Mutex<HashMap<String, (Arc<Caller>, u64)>>,
}

impl Access {
    /// Checks tokens with `key` and roles with `table`.
    #[must_use]
    pub fn new(table: AccessTable, key: TokenKey) -> Self {
        Self { gate: Arc::new(Gate { table, key, checked: Mutex::default() }) }
    }
}

impl Gate {
    /// Who calls; `None` where the method is open to all.
    fn admit<B>(&self, request: &Request<B>) -> Result<Option<Arc<Caller>>, Status> {
        let path = request.uri().path();
        if AccessTable::is_open(path) {
            return Ok(None);
        }
        let token = request
            .headers()
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer ").or_else(|| value.strip_prefix("bearer ")))
            .ok_or_else(|| {
                pactum_api::error::unauthenticated(
                    "no token; send `authorization: Bearer TOKEN`, where `pactum token` makes one",
                )
            })?;
        let caller = self.caller(token)?;
        if !self.table.allows(path, caller.actor.role) {
            return Err(pactum_api::error::role_not_allowed(path, caller.actor.role));
        }
        Ok(Some(caller))
    }

    fn caller(&self, token: &str) -> Result<Arc<Caller>, Status> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        match checked.get(token) {
            Some((caller, expires)) if *expires > now => return Ok(Arc::clone(caller)),
            Some(_) => {
                checked.remove(token);
            }
            None => {}
        }
        let (caller, expires) =
            self.key.verify(token).map_err(|error| pactum_api::error::unauthenticated(&error.to_string()))?;
        let caller = Arc::new(caller);
        if checked.len() >= REMEMBERED {
            checked.clear();
        }
        checked.insert(token.to_owned(), (Arc::clone(&caller), expires));
        Ok(caller)
    }
}

impl<S> tower::Layer<S> for Access {
    type Service = Guarded<S>;
    fn layer(&self, inner: S) -> Self::Service {
        Guarded { gate: Arc::clone(&self.gate), inner }
    }
}

/// A service behind [`Access`].
#[derive(Clone, Debug)]
pub struct Guarded<S> {
    gate: Arc<Gate>,
    inner: S,
}

impl<S, B> tower::Service<Request<B>> for Guarded<S>
where
    S: tower::Service<Request<B>, Response = Response<Body>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Either<S::Future, std::future::Ready<Result<S::Response, S::Error>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        match self.gate.admit(&request) {
            Ok(caller) => {
                if let Some(caller) = caller {
                    request.extensions_mut().insert(caller);
                }
                Either::Left(self.inner.call(request))
            }
            Err(status) => Either::Right(std::future::ready(Ok(status.into_http()))),
        }
    }
}
