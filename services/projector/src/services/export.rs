//! A view's files as a stream.

use std::pin::Pin;

use futures::Stream;
use pactum_api::error;
use pactum_api::proto::projector::v1 as proto;
use pactum_api::proto::projector::v1::export_view_response::Part;
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{Sender, channel};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::fold::chain;
use crate::services::views::quarantine;
use crate::transfer::{ExportedView, Taken};

/// How many pieces wait for a caller that is slower than the disk.
const AHEAD: usize = 4;

pub(crate) type Exported = Pin<Box<dyn Stream<Item = Result<proto::ExportViewResponse, Status>> + Send>>;

/// Reads what was put aside on a thread of its own. It goes when all is sent, or the caller went away.
pub(crate) fn stream(taken: Taken, slot: OwnedSemaphorePermit, stop: CancellationToken) -> Exported {
    let (sender, receiver) = channel(AHEAD);
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || {
        let _slot = slot;
        send_all(&taken, &Sending { sender, stop, runtime });
    });
    Box::pin(ReceiverStream::new(receiver))
}

struct Sending {
    sender: Sender<Result<proto::ExportViewResponse, Status>>,
    stop: CancellationToken,
    runtime: Handle,
}

impl Sending {
    /// False: nobody takes it any more.
    fn send(&self, item: Result<Part, Status>) -> bool {
        let item = item.map(|part| proto::ExportViewResponse { part: Some(part) });
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => {
                    self.sender.try_send(Err(error::not_serving("the server stops; export from another, or again"))).ok();
                    false
                }
                sent = self.sender.send(item) => sent.is_ok(),
            }
        })
    }
}

fn send_all(taken: &Taken, to: &Sending) {
    if !to.send(Ok(Part::View(described(&taken.view)))) {
        return;
    }
    match taken.read(&mut |piece| to.send(Ok(Part::Data(piece.to_vec())))) {
        Ok(Some(digests)) => {
            let sha256 = digests.iter().map(|digest| digest.to_vec()).collect();
            to.send(Ok(Part::End(proto::ExportEnd { sha256 })));
        }
        Ok(None) => {}
        Err(failed) => {
            to.send(Err(error::view_refused(&taken.view.view, &chain(&failed))));
        }
    }
}

fn described(view: &ExportedView) -> proto::ExportedView {
    let files = view.files.iter().map(|file| proto::ExportedFile { name: file.name.clone(), bytes: file.bytes });
    proto::ExportedView {
        log_id: view.log_id.clone(),
        partitions: view.partitions,
        log_format: u32::from(view.log_format),
        partition: view.partition,
        view: view.view.clone(),
        version: view.version,
        offset: view.offset,
        term: view.term,
        next: view.next,
        owner: view.owner.clone(),
        passed_over: view.passed_over.iter().cloned().map(quarantine).collect(),
        files: files.collect(),
    }
}
