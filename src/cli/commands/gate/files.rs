//! What stands before the gate, from files.

use std::{
    collections::HashSet,
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde_json::Value;

use super::{Sought, Stop};
use crate::{
    cli::{
        Misuse,
        input::{self, Extent, Input},
        listing::listed,
        sent,
    },
    domain::{
        coverage::Coverage,
        finding::Status,
        gate::{
            Baseline, Candidate, CannotTell, Judging, Note, Scan, ScanState, Settled, Subject,
            Unchecked, latest,
        },
        scan_sbom::{SbomScan, Scanned},
        threat::Threat,
    },
};

/// How many scans are named of what files say to be scanned.
const SCANS: usize = 20;

/// What people call a file.
pub fn name(file: &Path) -> String {
    if file == Path::new("-") { "stdin".to_owned() } else { file.display().to_string() }
}

/// What people call some files.
pub fn names(files: &[PathBuf]) -> String {
    files.iter().map(|file| name(file)).collect::<Vec<_>>().join(", ")
}

/// The findings in files, of what `coverage` says to be scanned. Without that, there has to be a finding: it tells of a scan.
pub async fn found(
    paths: &[PathBuf],
    coverage: &[PathBuf],
    now: Timestamp,
) -> Result<Sought, Stop> {
    let (scans, notes) = scans(coverage, now)?;
    let candidates = candidates(paths).await?;
    let is_open = |candidate: &Candidate| candidate.finding.status != Status::Closed;
    if coverage.is_empty() && !candidates.iter().any(is_open) {
        return Err(CannotTell::NothingListed { files: names(paths) }.into());
    }
    let (name, stable_name) = called(&candidates).unwrap_or_else(|| {
        let stable =
            if paths.contains(&PathBuf::from("-")) { "findings".to_owned() } else { names(paths) };
        (names(paths), stable)
    });
    let subject = Subject { name, stable_name, scans };
    Ok(Sought { subject, candidates, notes, services: None })
}

async fn candidates(paths: &[PathBuf]) -> Result<Vec<Candidate>, Stop> {
    let mut candidates = Vec::new();
    for file in input::files(paths)? {
        let mut stop = None;
        let each = async |Input { origin, event }: Input| {
            match sent::finding(&event) {
                Ok((finding, threat)) => candidates.push(Candidate { finding, threat }),
                Err(failure) => drop(stop.get_or_insert(Stop::unread(&origin, &failure))),
            }
            Ok(())
        };
        let extent = input::events(&file, each).await?;
        if let Some(stop) = stop {
            return Err(stop);
        }
        if extent == Extent::GoesOn {
            return Err(CannotTell::Truncated { file: name(&file) }.into());
        }
    }
    Ok(candidates)
}

/// What people call the one resource that all findings are of, with its version and without.
fn called(candidates: &[Candidate]) -> Option<(String, String)> {
    let resources = candidates.iter().flat_map(|candidate| &candidate.finding.resources);
    let mut resources = resources.collect::<Vec<_>>();
    resources.dedup_by_key(|resource| resource.id.clone());
    let [resource] = resources[..] else { return None };
    let stable = resource.repository.clone().unwrap_or_else(|| resource.display_name());
    Some((resource.display_name(), stable))
}

/// The scans that files tell of, all of which have to be done.
fn scans(files: &[PathBuf], now: Timestamp) -> Result<(Vec<Scan>, Vec<Note>), Stop> {
    let (mut scans, mut notes) = (Vec::new(), Vec::new());
    for file in files {
        let rows = listed(file, &["coveredResources"], "aws inspector2 list-coverage")?;
        if rows.is_empty() {
            return Err(CannotTell::NotYet { of: name(file), reason: None, waited: 0 }.into());
        }
        for (number, row) in rows.iter().enumerate() {
            let origin = || format!("{}: coveredResources[{number}]", name(file));
            let unread = |error: serde_json::Error| CannotTell::Unread {
                origin: origin(),
                why: error.to_string(),
            };
            let row = Coverage::read(row).map_err(unread)?;
            let of = row.resource.clone();
            match ScanState::of(&row, None) {
                ScanState::Scanned { at, .. } if ScanState::settled(at, now) == Settled::NotYet => {
                    return Err(CannotTell::NotSettled { of, at, waited: 0 }.into());
                }
                ScanState::Scanned { at, once } => {
                    if once {
                        notes.push(Note::ScannedOnce { of: of.clone(), at });
                    }
                    scans.push(Scan { of, platform: None, at });
                }
                ScanState::Waiting { reason } => {
                    return Err(CannotTell::NotYet { of, reason: Some(reason), waited: 0 }.into());
                }
                ScanState::NotScanned { reason, scan } => {
                    return Err(CannotTell::NotScanned { of, kind: row.kind, scan, reason }.into());
                }
            }
        }
    }
    scans.truncate(SCANS);
    Ok((scans, notes))
}

/// What `ScanSbom` has found, by its answer in a file.
pub fn scanned(file: &Path, called: Option<&str>, now: Timestamp) -> Result<Sought, Stop> {
    let SbomScan { name: own, found, skipped, .. } = scan(&document(file)?, file, called, now)?;
    let candidate = |Scanned { finding, threat, .. }| Candidate { finding, threat };
    let subject_name = called.map(str::to_owned).or(own).unwrap_or_else(|| name(file));
    let candidates: Vec<Candidate> = found.into_iter().map(candidate).collect();
    let stable_name = match self::called(&candidates) {
        Some((_, stable)) => stable,
        None => unversioned(&subject_name).to_owned(),
    };
    let notes = skipped.first().map(|first| Note::Skipped {
        components: skipped.len(),
        first: first.component.clone(),
        why: first.why.clone(),
    });
    Ok(Sought {
        subject: Subject { name: subject_name, stable_name, scans: Vec::new() },
        candidates,
        notes: notes.into_iter().collect(),
        services: None,
    })
}

/// The name of an image without its tag and digest.
fn unversioned(name: &str) -> &str {
    let name = name.split('@').next().unwrap_or(name);
    match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => name,
    }
}

fn scan(
    document: &Value,
    file: &Path,
    called: Option<&str>,
    now: Timestamp,
) -> Result<SbomScan, CannotTell> {
    SbomScan::read(document, called, now)
        .map_err(|error| CannotTell::NotAScan { file: name(file), why: error.to_string() })
}

fn document(file: &Path) -> Result<Value, Stop> {
    let mut bytes = Vec::new();
    let read = if file == Path::new("-") {
        io::stdin().read_to_end(&mut bytes).map(drop)
    } else {
        fs::read(file).map(|read| bytes = read)
    };
    read.map_err(|error| Misuse(format!("cannot read {}: {error}", name(file))))?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let why = format!("it is not JSON: {error}");
        CannotTell::NotAScan { file: name(file), why }.into()
    })
}

/// What was there before, by findings or an answer of `ScanSbom` in a file.
pub async fn baseline(file: &Path, now: Timestamp) -> Result<Baseline, Stop> {
    if let Ok(document) = document(file)
        && ["sbom", "inspector", "bomFormat"].iter().any(|key| document.get(key).is_some())
    {
        let found = scan(&document, file, None, now)?.found;
        return Ok(Baseline::of(found.iter().map(|scanned| &scanned.finding)));
    }
    let candidates = candidates(&[file.to_owned()]).await?;
    let candidates = latest(candidates);
    Ok(Baseline::of(candidates.iter().map(|candidate| &candidate.finding)))
}

/// Says of how many vulnerabilities it is not known whether CISA lists them, where that could close the gate.
pub fn unchecked(candidates: &[Candidate], judging: &Judging<'_>) -> Option<Note> {
    let is_unknown = |one: &&Candidate| {
        let is_known = one.threat.as_ref().is_some_and(Threat::knows_catalogue);
        !is_known && judging.could_close(one)
    };
    let unknown: HashSet<&str> = candidates
        .iter()
        .filter(is_unknown)
        .filter_map(|one| one.finding.vulnerability())
        .collect();
    let vulnerabilities = unknown.len();
    (vulnerabilities > 0).then_some(Note::Unchecked { vulnerabilities, why: Unchecked::NotSaid })
}
