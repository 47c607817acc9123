//! Sees to it that no broker and no file outlives the test process, even one that was killed.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::container::Container;
use crate::error::{Error, Explain as _};

/// The script `watch.sh`, running, with a pipe to it.
#[derive(Debug)]
pub(crate) struct Watcher {
    state: Mutex<(Child, Option<ChildStdin>)>,
}

impl Watcher {
    /// Starts watching over `root`, which is removed at the end.
    pub(crate) fn over(root: &Path) -> Result<Self, Error> {
        let mut child = Command::new("sh")
            .args(["-c", include_str!("watch.sh"), "sh"])
            .arg(root)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C at a terminal reaches the whole group of the test; this one has to stay to clean up after it.
            .process_group(0)
            .spawn()
            .explain(|| "cannot start sh, which watches over the brokers".into())?;
        let pipe = child.stdin.take();
        Ok(Self { state: Mutex::new((child, pipe)) })
    }

    /// Kill this one when the test process is gone.
    pub(crate) fn started(&self, pid: u32) -> Result<(), Error> {
        self.tell("started", &pid.to_string())
    }

    /// Remove this one too. It may be gone by then.
    pub(crate) fn contained(&self, container: &Container) -> Result<(), Error> {
        self.tell("contained", &container.removal())
    }

    /// To be said before the process is reaped, so that its number cannot be another's yet.
    pub(crate) fn ended(&self, pid: u32) -> Result<(), Error> {
        self.tell("ended", &pid.to_string())
    }

    fn tell(&self, verb: &str, what: &str) -> Result<(), Error> {
        let mut state = self.lock();
        match state.1.as_mut() {
            Some(pipe) => writeln!(pipe, "{verb} {what}")
                .explain(|| "the script that watches over the brokers has ended: was it killed?".into()),
            None => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, (Child, Option<ChildStdin>)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        // Closing the pipe lets it clean up; it bounds its own time.
        state.1 = None;
        if state.0.wait().is_err() {
            // Nobody is left to tell, and the directory is a temporary one.
        }
    }
}
