//! A disk that is full: commands are refused with a reason, nothing is lost, and room is all it takes to go on.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use pactum_api::proto::common::v1 as common;
use pactum_api::proto::deal::v1 as deal;
use pactum_api::proto::deal::v1::deal_service_client::DealServiceClient;
use tonic_types::StatusExt as _;

use crate::system::{POLICY, System, small_program};

/// A file system of its own, unmounted with the test.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(mib: u32) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={mib}m"), "tmpfs"])
            .arg(directory.path())
            .output()
            .unwrap();
        assert!(
            mounted.status.success(),
            "this test mounts a small tmpfs and needs the right to (root, or CAP_SYS_ADMIN): {}",
            String::from_utf8_lossy(&mounted.stderr)
        );
        Self(directory)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

fn registration(number: u32) -> deal::RegisterDealRequest {
    deal::RegisterDealRequest {
        parent: "programs/full".into(),
        request_id: format!("full-{number}"),
        deal_id: format!("d{number}"),
        deal: Some(deal::Deal {
            partner: "programs/full/partners/north".into(),
            title: format!("deal {number}"),
            customer: Some(common::Customer { domain: format!("c{number}-example.com"), ..Default::default() }),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn reason(status: &tonic::Status) -> String {
    status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_commands_and_room_is_all_it_takes() {
    let disk = SmallDisk::mount(256);
    let data = disk.path().join("data");
    let system = System::start(&data);
    let connection = small_program(&system, "full", POLICY).await;
    let mut client = DealServiceClient::new(connection);
    client.register_deal(registration(0)).await.unwrap();

    let ballast = disk.path().join("ballast");
    // As much as fits: the copy ends where the disk does.
    let _ = std::io::copy(&mut std::io::repeat(7), &mut std::fs::File::create(&ballast).unwrap());
    let started = Instant::now();
    let mut number = 1;
    loop {
        match client.register_deal(registration(number)).await {
            Ok(_) => number += 1,
            Err(status) => match reason(&status).as_str() {
                "LOG_FULL" => break,
                // It was on its way to the log when the disk filled up: only the log can say, once it takes entries again.
                "OUTCOME_UNKNOWN" => {}
                _ => panic!("{status:?}"),
            },
        }
        assert!(started.elapsed() < Duration::from_secs(60), "a full disk refused nothing");
    }
    assert!(!system.get("/readyz").starts_with("HTTP/1.1 200"), "{}", system.get("/readyz"));

    std::fs::remove_file(&ballast).unwrap();
    let started = Instant::now();
    while let Err(status) = client.register_deal(registration(number)).await {
        assert!(started.elapsed() < Duration::from_secs(60), "room did not help: {status:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // What was answered before is there, and a repeat gives the first answer.
    for known in 0..=number {
        let again = client.register_deal(registration(known)).await.unwrap().into_inner();
        assert_eq!(again.deal.unwrap().name, format!("programs/full/deals/d{known}"));
    }
    assert!(system.terminate().0.success());
}
