//! The operators' listener: metrics for Prometheus, liveness and readiness.

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::health::Health;

#[derive(Clone)]
struct Operators {
    health: Health,
    metrics: PrometheusHandle,
}

/// Serves `/metrics`, `/livez` and `/readyz` until the stop.
///
/// # Errors
/// What the listener fails with.
pub async fn serve(
    listener: TcpListener,
    health: Health,
    metrics: PrometheusHandle,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let routes = Router::new()
        .route("/metrics", get(scrape))
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state(Operators { health, metrics });
    axum::serve(listener, routes).with_graceful_shutdown(stop.cancelled_owned()).await
}

async fn scrape(State(operators): State<Operators>) -> impl IntoResponse {
    operators.metrics.run_upkeep();
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], operators.metrics.render())
}

async fn ready(State(operators): State<Operators>) -> impl IntoResponse {
    let status = if operators.health.ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(operators.health.snapshot()))
}
