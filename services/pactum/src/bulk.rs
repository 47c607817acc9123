//! Sending many requests in order over one stream.

use anyhow::Context;
use pactum_api::proto::bulk::v1::bulk_service_client::BulkServiceClient;
use pactum_api::proto::bulk::v1::{ExecuteRequest, ExecuteResponse, execute_request::Request};
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;

use crate::client::{Connection, MAX_ANSWER, explain};

/// Requests that may be on their way before the first is answered.
const WINDOW: usize = 512;

/// Sends the requests in order and hands each answer, in order, to `answered`.
pub(crate) async fn execute<R>(
    connection: Connection,
    requests: R,
    mut answered: impl FnMut(ExecuteResponse) -> anyhow::Result<()>,
) -> anyhow::Result<()>
where
    R: IntoIterator<Item = Request>,
    R::IntoIter: Send + 'static,
{
    let mut requests = requests.into_iter();
    let (sender, receiver) = mpsc::channel(WINDOW);
    // Ends with the stream: the receiver goes when the call does.
    let sending = tokio::spawn(async move {
        let mut sent = 0_u64;
        for request in requests.by_ref() {
            if sender.send(ExecuteRequest { request: Some(request) }).await.is_err() {
                break;
            }
            sent += 1;
        }
        sent
    });
    let mut client = BulkServiceClient::new(connection).max_decoding_message_size(MAX_ANSWER);
    let mut answers = client
        .execute(ReceiverStream::new(receiver))
        .await
        .map_err(|status| anyhow::anyhow!(explain(&status)))?
        .into_inner();
    let mut count = 0_u64;
    while let Some(answer) = answers.next().await {
        answered(answer.map_err(|status| anyhow::anyhow!(explain(&status)))?)?;
        count += 1;
    }
    let sent = sending.await.context("sending ended early")?;
    anyhow::ensure!(
        sent == count,
        "{sent} requests were sent and {count} answered; run it again, nothing is done twice"
    );
    Ok(())
}
