//! `gate`: whether something may be deployed, by the score and the ledger that will judge it afterwards.

mod files;
mod outputs;
mod progress;
mod stop;

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::ArgGroup;
use jiff::{SignedDuration, Timestamp};

use super::ledger::{read_sound, show};
use crate::{
    adapters::{aws, clock::Since, ecr::Ecr, inspector2::Inspector2},
    app::{
        failure::{BoxError, chain},
        gate::{Asking, Found, Progress, Waiting},
    },
    cli::{Misuse, Verdict},
    domain::{
        assess::Policy,
        gate::{
            self, Baseline, Candidate, CannotTell, Gate, ImageName, Judging, Note, Rules, Subject,
            Threshold, judge,
        },
        ledger::Ledger,
    },
    render::gate::{Outcome, cannot_tell},
};
use outputs::Outputs;
use stop::Stop;

/// Say whether something may be deployed, by the score and the ledger that will judge it in production.
///
/// For an image in ECR, whose tag is looked up once, waits until Inspector has scanned it and its findings stand still; an
/// index is judged by the images of all its platforms. Findings of CISA's catalogue of known exploited vulnerabilities close
/// it whatever the threshold, unless an exception of the ledger covers them in spite of that. Nothing found is never taken
/// for scanned.
///
/// Exit status: 0 open, 1 closed by findings, 2 bad usage, 3 cannot tell: not scanned, not scanned yet, no such image, no
/// access, throttled to the end, a file that is not whole, a ledger that is unsound.
///
/// --image needs AWS credentials that may call ecr:DescribeImages, ecr:BatchGetImage, ecr:GetRegistryScanningConfiguration,
/// inspector2:ListCoverage, inspector2:ListFindings and inspector2:BatchGetFindingDetails; --code-repository the last three.
/// Files need none.
#[derive(Debug, clap::Args)]
#[command(group(ArgGroup::new("what").required(true).args(["image", "findings", "scan", "code_repository"])))]
pub struct Arguments {
    /// An image in a private registry of ECR: REPOSITORY:TAG or REPOSITORY@DIGEST, also with the registry before it.
    #[arg(long, value_name = "IMAGE")]
    image: Option<ImageName>,
    /// Files with findings, in every form that replay takes, such as what aws inspector2 list-findings prints; - for stdin.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    findings: Vec<PathBuf>,
    /// A file with the answer of aws inspector-scan scan-sbom, in any of its forms; - for stdin.
    #[arg(long, value_name = "FILE")]
    scan: Option<PathBuf>,
    /// A code repository that Inspector scans, by the name of its project.
    #[arg(long, value_name = "PROJECT")]
    code_repository: Option<String>,
    /// Files with what aws inspector2 list-coverage prints of what the findings are of: they say that it was scanned, even
    /// if nothing was found.
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["image", "scan", "code_repository"])]
    coverage: Vec<PathBuf>,
    /// What the ledger calls what the SBOM is of, such as crm/web:1.4; by default as the SBOM does.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["image", "findings", "code_repository"])]
    name: Option<String>,
    /// The commit that has to be scanned; by default the one that was scanned last.
    #[arg(long, value_name = "SHA", value_parser = commit, conflicts_with_all = ["image", "findings", "scan"])]
    commit: Option<String>,
    /// From how urgent on a finding closes the gate: P1 to P4, or a score from 0 to 100.
    #[arg(long, value_name = "PRIORITY|SCORE", default_value = "P2")]
    fail_on: Threshold,
    /// Let be what has no fix.
    #[arg(long)]
    only_fixable: bool,
    /// Let be what was there before: in the findings or the scan in a file, or in an image, such as the base image or the
    /// last release.
    #[arg(long, value_name = "FILE|IMAGE")]
    new_since: Option<String>,
    /// The ledger of exceptions: that of the branch to merge into, so that no change excepts itself.
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// For how many minutes to wait for a scan, and to repeat calls; those for one at least.
    #[arg(long, value_name = "MINUTES", default_value_t = 15)]
    wait: u16,
    #[command(flatten)]
    outputs: Outputs,
    /// Have SARIF list what is excepted, too, as suppressed. GitHub shows it as open all the same.
    #[arg(long)]
    with_excepted: bool,
    /// The time to judge by, such as 2026-11-20T12:00:00Z; by default now.
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
}

/// Judges, and shows the judgement in all formats that were asked for.
///
/// # Errors
/// The arguments make no sense. Whatever else goes wrong is a verdict of its own: nothing that fails opens the gate.
pub async fn run(
    arguments: Arguments,
    clock: fn() -> Timestamp,
    output: &mut impl Write,
) -> Result<Verdict, BoxError> {
    let subject = arguments.subject();
    arguments.outputs.clear(&arguments.inputs())?;
    let judged = match arguments.judged(clock).await {
        Ok(gate) => Ok(gate),
        Err(Stop::Misuse(misuse)) => return Err(misuse.into()),
        Err(Stop::CannotTell(why)) => Err(why),
    };
    let outcome = match &judged {
        Ok(gate) => Outcome::Judged(gate),
        Err(why) => Outcome::CannotTell { subject: &subject, why },
    };
    if let Err(why) = &judged {
        let (why, todo) = cannot_tell(why);
        // Nothing is left to be done if stderr is gone, too.
        let _ = writeln!(io::stderr(), "inspector-triage: cannot tell: {why}; {todo}");
    }
    if let Err(error) = arguments.outputs.write(&outcome, arguments.with_excepted, output) {
        let _ = writeln!(io::stderr(), "inspector-triage: {}", chain(error.as_ref()));
        return Ok(Verdict::CannotTell);
    }
    Ok(match judged {
        Ok(gate) => match gate.judgement.verdict() {
            gate::Verdict::Open => Verdict::Done,
            gate::Verdict::Closed => Verdict::FoundWrong,
        },
        Err(_) => Verdict::CannotTell,
    })
}

/// A commit, in full or as much of it as tells it from others.
fn commit(text: &str) -> Result<String, &'static str> {
    let is_commit = (7..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
    if is_commit { Ok(text.to_owned()) } else { Err("expected 7 to 64 hexadecimal digits") }
}

/// What was found in what stands before the gate.
struct Sought {
    subject: Subject,
    candidates: Vec<Candidate>,
    notes: Vec<Note>,
    /// Who can be asked for more.
    services: Option<Services>,
    /// Why the gate must not be open, if nothing closes it.
    if_open: Option<CannotTell>,
}

/// Who is asked.
struct Services {
    inspector: Inspector2,
    registry: Ecr,
}

impl Services {
    /// Those of the Region of an image, or else that of the environment.
    async fn of(image: Option<&ImageName>) -> Self {
        let config = match image.and_then(|image| image.registry.as_ref()) {
            Some(registry) => aws::config_in(&registry.region),
            None => aws::config(),
        };
        let config = config.load().await;
        let (inspector, registry) =
            (Inspector2::unpaced((&config).into()), Ecr::new((&config).into()));
        Self { inspector, registry }
    }

    fn asking<'a>(&'a self, waiting: &'a Waiting<'a, Since>) -> Asking<'a, Inspector2, Ecr, Since> {
        Asking { inspector: &self.inspector, registry: &self.registry, waiting }
    }
}

impl Arguments {
    /// What stands before the gate, by the arguments alone.
    fn subject(&self) -> String {
        let image = self.image.as_ref().map(ToString::to_string);
        let scan = self.scan.as_deref().map(files::name);
        let name = image.or_else(|| self.code_repository.clone()).or(scan);
        name.unwrap_or_else(|| files::names(&self.findings))
    }

    /// The files that are read.
    fn inputs(&self) -> Vec<&Path> {
        let one = [
            self.scan.as_deref(),
            self.ledger.as_deref(),
            self.new_since.as_deref().map(Path::new),
        ];
        let many = self.findings.iter().chain(&self.coverage).map(PathBuf::as_path);
        many.chain(one.into_iter().flatten()).collect()
    }

    async fn judged(&self, clock: fn() -> Timestamp) -> Result<Gate, Stop> {
        let now = self.now.unwrap_or_else(clock);
        let ledger = self.ledger(now)?;
        // Whether findings still come is no matter of the time to judge by: both clocks have to say that they do not.
        let settling = now.min(clock());
        let (time, progress) = (Since::new(settling), progress::Shown::new(self.wait));
        let hear = |heard: Progress<'_>| progress.hear(heard);
        let wait = SignedDuration::from_mins(i64::from(self.wait));
        let waiting = Waiting::new(&time, wait, &hear);
        let (baseline, before) = self.baseline(&waiting, now).await?.unzip();
        let Sought { subject, mut candidates, mut notes, services, if_open } =
            self.sought(&waiting, now, settling).await?;
        if let Some(before) = before.filter(|before| !before.is_empty())
            && subject.scans.iter().all(|scan| before.contains(&scan.of))
        {
            let new_since = self.new_since.as_deref().unwrap_or_default();
            return Err(Misuse(format!(
                "--new-since {new_since} is the very image that is judged: name the one before it"
            ))
            .into());
        }
        let rules = Rules { fail_on: self.fail_on, only_fixable: self.only_fixable };
        let (policy, baseline) = (Policy::default(), baseline.as_ref());
        let judging = Judging { rules, policy: &policy, ledger: &ledger, baseline, now };
        notes.extend(match &services {
            Some(services) => services.asking(&waiting).learn(&mut candidates, &judging).await?,
            None => files::unchecked(&candidates, &judging).into_iter().collect(),
        });
        let judgement = judge(candidates, &judging);
        notes.extend(judgement.notes());
        if let (gate::Verdict::Open, Some(why)) = (judgement.verdict(), if_open) {
            return Err(why.into());
        }
        Ok(Gate { subject, new_since: self.new_since.clone(), judgement, notes })
    }

    /// The ledger, if it is sound; else what is wrong with it is shown.
    fn ledger(&self, now: Timestamp) -> Result<Ledger, Stop> {
        let Some(file) = &self.ledger else { return Ok(Ledger::default()) };
        match read_sound(file, now)? {
            Ok(source) => Ok(source.ledger()),
            Err(problems) => {
                show(file, "", &problems, &mut io::stderr()).map_err(BoxError::from)?;
                let file = file.display().to_string();
                Err(CannotTell::UnsoundLedger { file, problems: problems.len() }.into())
            }
        }
    }

    /// What was found in what stands before the gate.
    async fn sought(
        &self,
        waiting: &Waiting<'_, Since>,
        now: Timestamp,
        settling: Timestamp,
    ) -> Result<Sought, Stop> {
        if let Some(image) = &self.image {
            let services = Services::of(Some(image)).await;
            let found = services.asking(waiting).image(image).await?;
            return Ok(Sought::new(found, services));
        }
        if let Some(project) = &self.code_repository {
            let services = Services::of(None).await;
            let asking = services.asking(waiting);
            let found = asking.code_repository(project, self.commit.as_deref()).await?;
            return Ok(Sought::new(found, services));
        }
        match &self.scan {
            Some(file) => files::scanned(file, self.name.as_deref(), now),
            None => files::found(&self.findings, &self.coverage, settling).await,
        }
    }

    /// What was there before, if only the rest counts, and the digests of the images that it was in.
    async fn baseline(
        &self,
        waiting: &Waiting<'_, Since>,
        now: Timestamp,
    ) -> Result<Option<(Baseline, Vec<String>)>, Stop> {
        let Some(before) = &self.new_since else { return Ok(None) };
        let file = Path::new(before);
        if file.exists() {
            if self.findings.iter().chain(&self.scan).any(|judged| judged == file) {
                let what = "is the very file that is judged: name what was there before";
                return Err(Misuse(format!("--new-since {before} {what}")).into());
            }
            return Ok(Some((files::baseline(file, now).await?, Vec::new())));
        }
        let image: ImageName = before.parse().map_err(|error| {
            Misuse(format!(
                "--new-since {before}: there is no such file, and it is no image: {error}"
            ))
        })?;
        let services = Services::of(Some(&image)).await;
        let found = services.asking(waiting).image(&image).await?;
        let digests = found.subject.scans.into_iter().map(|scan| scan.of).collect();
        Ok(Some((Baseline::of(&found.findings), digests)))
    }
}

impl Sought {
    fn new(found: Found, services: Services) -> Self {
        let Found { subject, findings, notes } = found;
        let candidate = |finding| Candidate { finding, threat: None };
        let candidates = findings.into_iter().map(candidate).collect();
        Self { subject, candidates, notes, services: Some(services), if_open: None }
    }
}
