//! What is waited for: a bar in a terminal, and in a log a line whenever it is something else.

use std::{
    io::{self, IsTerminal, Write},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{app::gate::Progress, domain::text};

/// What is shown of it.
pub struct Shown {
    bar: Option<ProgressBar>,
    last: Mutex<String>,
}

impl Shown {
    /// Nothing yet, of a wait that may take so many minutes.
    pub fn new(minutes: u16) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let seconds = u64::from(minutes) * 60;
            let bar = ProgressBar::with_draw_target(Some(seconds), ProgressDrawTarget::stderr());
            let template = "{spinner} {bar:20} {elapsed} of {prefix}: {msg}";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.with_prefix(format!("{minutes}m"))
        });
        Self { bar, last: Mutex::default() }
    }

    /// Shows what is waited for.
    pub fn hear(&self, progress: Progress<'_>) {
        let said = match progress {
            Progress::Scan { of, reason } => {
                let reason = reason.unwrap_or("Inspector does not know of it yet");
                format!(
                    "waiting for the scan of {} ({})",
                    text::short(of, 60),
                    text::short(reason, 60)
                )
            }
            Progress::Settling { findings } => {
                format!("waiting for {findings} findings to stand still")
            }
        };
        if let Some(bar) = &self.bar {
            bar.set_message(said);
            bar.set_position(bar.elapsed().as_secs());
            bar.enable_steady_tick(Duration::from_millis(200));
            return;
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if *last != said {
            // What it says is of no use where nobody can read it.
            let _ = writeln!(io::stderr(), "{said}");
            *last = said;
        }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
