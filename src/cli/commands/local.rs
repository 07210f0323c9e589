//! `local`: what the function needs, on this machine, until Ctrl-C.

use std::{collections::BTreeSet, io::Write, path::PathBuf};

use serde_json::Value;

use super::{coverage, replay};
use crate::{
    app::failure::BoxError,
    cli::{Verdict, input, listing::listed},
    domain::finding::is_on_demand,
    emulator::{
        Emulator,
        inspector::{self, Account, Inspector},
        registry::Registry,
        template,
    },
};

/// Serve what the functions need for `cargo lambda watch`, and show what is published.
///
/// The store, the topics, and Amazon Inspector, which lists the findings in the files that are given. The registry has the
/// images that Inspector knows. Stops at Ctrl-C.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The port of the store; the topics, Inspector, the buckets and the registry are at the next ones. 0 takes free ones.
    #[arg(long, default_value_t = 8000)]
    port: u16,
    /// Write the environment for the function into this file, too.
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// Keep the store in this file; by default it is gone at the end.
    #[arg(long, value_name = "FILE")]
    db: Option<PathBuf>,
    /// Findings that Inspector lists: files and folders, in every form that replay takes.
    #[arg(long, value_name = "PATH", num_args = 1..)]
    inspector: Vec<PathBuf>,
    /// What Inspector looks at: a file with the output of aws inspector2 list-coverage.
    #[arg(long, value_name = "FILE")]
    coverage: Option<PathBuf>,
    /// What Inspector knows of attacks: a file with the output of aws inspector2 search-vulnerabilities or
    /// batch-get-finding-details.
    #[arg(long, value_name = "FILE")]
    threats: Option<PathBuf>,
}

/// Has Inspector know what is in the files.
async fn fill(inspector: &Inspector, local: &Arguments) -> Result<(), BoxError> {
    for file in input::files(&local.inspector)? {
        input::events(&file, async |input| {
            let event: Value = serde_json::from_slice(&input.event)
                .map_err(|error| format!("{}: {error}", input.origin))?;
            let finding = event.get("detail").unwrap_or(&event);
            let arn = finding.get("findingArn").and_then(Value::as_str);
            // Other events are no findings, and on-demand scans' are never listed.
            if arn.is_some_and(|arn| !is_on_demand(arn)) {
                inspector.fleet().findings.push(inspector::as_api(finding.clone()));
            }
            Ok(())
        })
        .await?;
    }
    if let Some(file) = &local.coverage {
        let resources = coverage::resources(file)?;
        inspector.fleet().coverage = resources.into_iter().map(inspector::as_api).collect();
    }
    if let Some(file) = &local.threats {
        let lists = ["vulnerabilities", "findingDetails"];
        let threats = listed(file, &lists, "aws inspector2 search-vulnerabilities")?;
        inspector.fleet().threats = threats.into_iter().map(inspector::as_api).collect();
    }
    let mut fleet = inspector.fleet();
    let accounts = fleet.findings.iter().map(|finding| &finding["awsAccountId"]);
    let accounts = accounts.chain(fleet.coverage.iter().map(|covered| &covered["accountId"]));
    let accounts: BTreeSet<String> =
        accounts.filter_map(Value::as_str).map(str::to_owned).collect();
    for account in accounts {
        if fleet.accounts.iter().all(|known| known.id != account) {
            fleet.accounts.push(Account::new(&account));
        }
    }
    fleet.administrator = fleet.accounts.first().map(|own| own.id.clone());
    Ok(())
}

/// Has the registry know the images that Inspector knows.
fn fill_registry(registry: &Registry, inspector: &Inspector) {
    let fleet = inspector.fleet();
    let resources =
        fleet.findings.iter().filter_map(|finding| finding["resources"].as_array()).flatten();
    let found = resources
        .map(|found| (&found["id"], &found["details"]["awsEcrContainerImage"]["imageTags"]));
    let covered = fleet.coverage.iter();
    let covered = covered
        .map(|covered| (&covered["resourceId"], &covered["resourceMetadata"]["ecrImage"]["tags"]));
    for (id, tags) in found.chain(covered) {
        let tags = tags.as_array().into_iter().flatten().filter_map(Value::as_str);
        let tags: Vec<String> = tags.map(str::to_owned).collect();
        registry.contents().know(id.as_str().unwrap_or_default(), &tags);
    }
}

/// Serves the store, the topics and Inspector, says how to reach them, and shows what is published.
pub async fn run(local: Arguments, output: &mut impl Write) -> Result<Verdict, BoxError> {
    let own = template::Template::read(template::OWN)?;
    let mut emulator = Emulator::open(&own, local.db.as_deref()).await?;
    fill(&emulator.inspector, &local).await?;
    fill_registry(&emulator.registry, &emulator.inspector);
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
