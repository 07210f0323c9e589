//! The command over one table, measured.

use std::{
    env,
    ffi::OsString,
    fs::{self, File},
    io::{self, BufRead, BufReader, Read},
    iter,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use inspector_triage::{
    app::failure::BoxError,
    cli::{self, Verdict},
    emulator::{
        self, Emulator,
        template::{OWN, Template},
    },
};
use jiff::Timestamp;
use wait4::{ResUse, Wait4};

use crate::{
    function::process::{self, Cpu},
    quarter,
};

/// The first argument of this program where it is the command line. All others are the command line's.
pub const AS_COMMAND: &str = "--as-command";

/// What the command took.
#[derive(Clone, Copy)]
pub struct Cost {
    /// From its start to its end.
    pub time: Duration,
    /// The processor time of it.
    pub cpu: Duration,
    /// The processor time of the store meanwhile.
    pub store: Duration,
    /// The most memory it had, in KiB.
    pub peak_memory: u32,
    /// How many bytes all its files have.
    pub written: u64,
}

/// Is the command line. Says at the end how much memory it had at most, in KiB, on stdout; what the command says goes to stderr.
///
/// # Errors
/// The command failed, or found something wrong.
pub fn command(arguments: impl Iterator<Item = OsString>) -> Result<(), BoxError> {
    let arguments = iter::once("inspector-triage".into()).chain(arguments);
    let clock = || Timestamp::UNIX_EPOCH;
    match cli::run_on(arguments, clock, io::empty(), &mut io::stderr())? {
        Verdict::Done => {
            println!("{}", process::peak_memory(Path::new("/proc/self"))?);
            Ok(())
        }
        verdict => Err(format!("the verdict is {verdict:?}").into()),
    }
}

/// Fills a table with so many findings, and has the command give evidence of them. Returns how many rows the table has, and
/// what that took.
///
/// # Errors
/// The command failed, with the last of what it wrote; or not every finding is in the evidence.
pub async fn measure(findings: u32, scratch: &Path) -> Result<(u64, Cost), BoxError> {
    let emulator = Emulator::open(&Template::read(OWN)?, None).await?;
    println!("{findings} findings: a quarter passes");
    let rows = quarter::fill(&emulator, usize::try_from(findings)?).await?;
    let environment = emulator.serve(0).await?;
    let folder = scratch.join("out");
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(format!("cannot remove {}: {error}", folder.display()).into());
        }
        _ => {}
    }
    println!("{findings} findings: evidence of it, from {rows} rows");
    let log = scratch.join("command.log");
    let (started, before) = (Instant::now(), Cpu::own().so_far()?);
    let (said, ended) = perform(&environment, &folder, &log).await?;
    let (time, after) = (started.elapsed(), Cpu::own().so_far()?);
    if !ended.status.success() {
        let words = fs::read_to_string(&log)?;
        return Err(format!("the command failed: {}\nits words:\n{words}", ended.status).into());
    }
    let written = size(&folder)?;
    let lines = BufReader::new(File::open(folder.join("findings.csv"))?).lines();
    let listed = lines.skip(1).try_fold(0, |lines: u32, line| line.map(|_| lines + 1))?;
    if listed != findings {
        return Err(format!("findings.csv has {listed} rows instead of {findings}").into());
    }
    let cost = Cost {
        time,
        cpu: ended.rusage.utime + ended.rusage.stime,
        store: after.saturating_sub(before),
        // What the system counts until a process ends begins with what the one had that started it.
        peak_memory: said.trim().parse().map_err(|_| format!("the command said {said:?}"))?,
        written,
    };
    Ok((rows, cost))
}

/// Runs the command with nothing but `environment`, until it ends. What it says of itself goes to the file `log`.
async fn perform(
    environment: &[(&'static str, String)],
    folder: &Path,
    log: &Path,
) -> Result<(String, ResUse), BoxError> {
    let [from, to] = quarter::DAYS.map(|day| day.to_string());
    let mut command = Command::new(env::current_exe()?);
    command
        .args([AS_COMMAND, "evidence", "--table", emulator::TABLE, "--profile", "pci-dss-4.0.1"])
        .args(["--from", &from, "--to", &to, "--now", quarter::NOW, "--out"])
        .arg(folder)
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(File::create(log)?);
    // The store goes on meanwhile, on the other threads.
    let work = move || {
        let mut child = command.spawn()?;
        let mut said = String::new();
        if let Some(stdout) = &mut child.stdout {
            stdout.read_to_string(&mut said)?;
        }
        Ok((said, child.wait4()?))
    };
    tokio::task::spawn_blocking(work).await?
}

/// How many bytes all files in a folder have.
fn size(folder: &Path) -> Result<u64, BoxError> {
    let mut sum = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        sum += if metadata.is_dir() { size(&entry.path())? } else { metadata.len() };
    }
    Ok(sum)
}
