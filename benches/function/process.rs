//! A function as a process, and what Linux counts of it.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use inspector_triage::app::failure::BoxError;
use tokio::process::{Child, Command};

use super::programs::Program;

/// A function that runs. It is killed when this is dropped.
pub struct Process {
    /// When it was started.
    pub started: Instant,
    /// What it has had of the processors.
    pub cpu: Cpu,
    child: Child,
    proc: PathBuf,
    log: PathBuf,
}

impl Process {
    /// Starts `program` with nothing but `environment`. What it writes goes to the file `log`.
    pub fn start(
        program: &Program,
        environment: &[(&str, String)],
        log: &Path,
    ) -> Result<Self, BoxError> {
        let [command, arguments @ ..] = &program.command[..] else {
            return Err(format!("{} has no command", program.name).into());
        };
        let output = File::create(log)?;
        let mut process = Command::new(command);
        process
            .args(arguments)
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .kill_on_drop(true);
        let started = Instant::now();
        let child = process
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", command.display()))?;
        let id = child.id().ok_or("the process has no number")?;
        let proc = PathBuf::from(format!("/proc/{id}"));
        Ok(Self {
            started,
            cpu: Cpu { tasks: proc.join("task") },
            child,
            proc,
            log: log.to_owned(),
        })
    }

    /// Waits until it ends, which it should not do.
    pub async fn ended(&mut self) -> BoxError {
        match self.child.wait().await {
            Ok(status) => format!("it has ended: {status}").into(),
            Err(error) => error.into(),
        }
    }

    /// The most memory it has had so far, in KiB.
    pub fn peak_memory(&self) -> Result<u32, BoxError> {
        peak_memory(&self.proc)
    }

    /// The last of what it wrote.
    pub fn last_words(&self) -> String {
        match fs::read_to_string(&self.log) {
            Ok(log) => {
                let lines: Vec<&str> = log.lines().collect();
                lines[lines.len().saturating_sub(20)..].join("\n")
            }
            Err(error) => format!("{} cannot be read: {error}", self.log.display()),
        }
    }
}

/// The most memory that the process of this folder in /proc has had so far, in KiB.
pub fn peak_memory(proc: &Path) -> Result<u32, BoxError> {
    let file = proc.join("status");
    let text = fs::read_to_string(&file).map_err(|error| cannot_read(&file, &error))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let line = line.ok_or_else(|| cannot_read(&file, &"there is no VmHWM"))?;
    line.trim().trim_end_matches(" kB").parse().map_err(|error| cannot_read(&file, &error))
}

/// The processor time of a process.
#[derive(Clone)]
pub struct Cpu {
    tasks: PathBuf,
}

impl Cpu {
    /// Of this process.
    pub fn own() -> Self {
        Self { tasks: "/proc/self/task".into() }
    }

    /// The time it has had a processor so far: of all its threads that live.
    pub fn so_far(&self) -> Result<Duration, BoxError> {
        let mut sum = 0;
        for task in fs::read_dir(&self.tasks)? {
            let file = task?.path().join("schedstat");
            let text = match fs::read_to_string(&file) {
                Ok(text) => text,
                // The thread has ended since the folder was read.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(cannot_read(&file, &error)),
            };
            let nanos = text.split(' ').next().unwrap_or_default();
            sum += nanos.parse::<u64>().map_err(|error| cannot_read(&file, &error))?;
        }
        Ok(Duration::from_nanos(sum))
    }
}

fn cannot_read(file: &Path, why: &dyn std::fmt::Display) -> BoxError {
    format!("cannot read {}: {why}", file.display()).into()
}
