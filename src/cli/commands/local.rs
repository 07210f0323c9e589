//! `local`: what the function needs, on this machine, until Ctrl-C.

use std::io::Write;

use super::replay;
use crate::{
    app::failure::BoxError,
    cli::{Local, Verdict},
    emulator::{Emulator, template},
};

/// Serves the store and the topic, says how to reach them, and shows what is published.
pub async fn run(local: Local, output: &mut impl Write) -> Result<Verdict, BoxError> {
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
