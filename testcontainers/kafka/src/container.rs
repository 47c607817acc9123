//! Kafka out of an image, where there is a container engine.
//!
//! It is only another way to get at a JVM with the jars: the container has the host's network, the cluster's directory under
//! the same name and the user of the test, so that ports, files and settings are those of a broker without a container.

use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::Signal;

use crate::error::{Error, Explain as _};

/// In the order in which they are tried.
const ENGINES: [&str; 2] = ["docker", "podman"];

/// A container engine that answers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Engine(&'static str);

/// One container, running or to be run.
#[derive(Debug, Clone)]
pub(crate) struct Container {
    pub(crate) engine: Engine,
    pub(crate) name: String,
}

impl Engine {
    pub(crate) fn find() -> Option<Self> {
        ENGINES.into_iter().map(Engine).find(|engine| engine.run([OsStr::new("info")]).is_ok())
    }

    /// Starts `java`, whose arguments are to follow, in a container that is gone when it ends.
    pub(crate) fn java(self, container: &Container, root: &Path, version: &str) -> Result<Command, Error> {
        let owner = root.metadata().explain(|| format!("cannot look at {}", root.display()))?;
        let mut volume = root.as_os_str().to_owned();
        volume.push(":");
        volume.push(root);
        let mut command = Command::new(self.0);
        command.args(["run", "--rm", "--network", "host", "--name", &container.name]);
        command.args(["--user", &format!("{}:{}", owner.uid(), owner.gid()), "--volume"]).arg(volume);
        command.args(["--entrypoint", "java", &format!("docker.io/apache/kafka:{version}")]);
        Ok(command)
    }

    fn run<'a>(self, arguments: impl IntoIterator<Item = &'a OsStr>) -> Result<String, Error> {
        let mut command = Command::new(self.0);
        command.args(arguments).stdin(Stdio::null());
        let output = command.output().explain(|| format!("cannot run {}", self.0))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(std::io::Error::other(said)).explain(|| format!("{command:?} failed"))
    }
}

impl Container {
    /// What the watcher needs to remove it: engine and name.
    pub(crate) fn removal(&self) -> String {
        format!("{} {}", self.engine.0, self.name)
    }

    /// The number of its process, as the host counts. An engine on another machine, or in one, does not count so.
    pub(crate) fn pid(&self) -> Result<u32, Error> {
        let said = self.act(&["inspect", "--format", "{{.State.Pid}}"])?;
        match said.parse() {
            Ok(pid @ 1..) => Ok(pid),
            _ => Err(Error::Options(format!("container {} has no process here, but {said:?}", self.name))),
        }
    }

    /// Does to the container what a signal does to a process.
    pub(crate) fn signal(&self, signal: Signal) -> Result<(), Error> {
        let verb: &[&str] = match signal {
            // This one also ends a container that is paused.
            Signal::KILL => &["rm", "--force"],
            Signal::STOP => &["pause"],
            Signal::CONT => &["unpause"],
            _ => &["kill", "--signal", "TERM"],
        };
        self.act(verb).map(|_| ())
    }

    fn act(&self, verb: &[&str]) -> Result<String, Error> {
        self.engine.run(verb.iter().map(OsStr::new).chain([OsStr::new(&self.name)]))
    }
}
