//! `local`: what the function needs, on this machine, until Ctrl-C.

use std::{io::Write, path::PathBuf};

use super::replay;
use crate::{
    app::failure::BoxError,
    cli::Verdict,
    emulator::{Emulator, template},
};

/// Serve the store and the topic for `cargo lambda watch`, and show what is published.
///
/// Stops at Ctrl-C.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The port of the store; the topic is at the next one. 0 takes free ones.
    #[arg(long, default_value_t = 8000)]
    port: u16,
    /// Write the environment for the function into this file, too.
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// Keep the store in this file; by default it is gone at the end.
    #[arg(long, value_name = "FILE")]
    db: Option<PathBuf>,
}

/// Serves the store and the topic, says how to reach them, and shows what is published.
pub async fn run(local: Arguments, output: &mut impl Write) -> Result<Verdict, BoxError> {
    let own = template::Template::read(template::OWN)?;
    let mut emulator = Emulator::open(&own, local.db.as_deref()).await?;
    let settings = emulator.serve(local.port).await?.into_iter();
    let lines: Vec<String> = settings.map(|(name, value)| format!("{name}={value}\n")).collect();
    let environment = lines.concat();
    if let Some(file) = &local.env_file {
        std::fs::write(file, &environment)
            .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    }
    writeln!(output, "{environment}\nready; stop with Ctrl-C")?;
    output.flush()?;
    loop {
        tokio::select! {
            stop = tokio::signal::ctrl_c() => {
                stop?;
                return Ok(Verdict::Done);
            }
            Some(published) = emulator.published.recv() => {
                replay::show(&published, output)?;
                output.flush()?;
            }
        }
    }
}
