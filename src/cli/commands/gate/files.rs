//! What stands before the gate, from files.

use std::{
    collections::{BTreeMap, HashSet},
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
        listing::listing,
        sent,
    },
    domain::{
        coverage::Coverage,
        finding::{Resource, Status},
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

/// The findings in files, of what `coverage` says to be scanned. Without that, there has to be a finding in each file: it tells
/// of a scan. What is closed does not, because a finding is closed, too, when nobody looks any more.
pub async fn found(
    paths: &[PathBuf],
    coverage: &[PathBuf],
    now: Timestamp,
) -> Result<Sought, Stop> {
    let covered = Covered::read(coverage, now)?;
    let mut candidates = Vec::new();
    for file in input::files(paths)? {
        let some = read(&file, &bytes(&file)?).await?;
        if some.is_empty() && coverage.is_empty() {
            return Err(CannotTell::NothingListed { files: name(&file) }.into());
        }
        candidates.extend(some);
    }
    let candidates = latest(candidates);
    let open = candidates.iter().filter(|one| one.finding.status != Status::Closed);
    if coverage.is_empty() {
        if open.count() == 0 {
            return Err(CannotTell::NothingListed { files: names(paths) }.into());
        }
    } else {
        covered.has_all(open.flat_map(|one| &one.finding.resources))?;
    }
    let (name, stable_name) = called(&candidates).unwrap_or_else(|| {
        let is_stdin = paths.contains(&PathBuf::from("-"));
        (names(paths), if is_stdin { "findings".to_owned() } else { names(paths) })
    });
    let subject = Subject { name, stable_name, scans: covered.scans() };
    Ok(Sought { subject, candidates, notes: covered.notes, services: None, if_open: None })
}

/// All findings in `bytes`, what a file has, whatever their status. The first that is none is why there is no judgement.
async fn read(file: &Path, bytes: &[u8]) -> Result<Vec<Candidate>, Stop> {
    let (mut candidates, mut stop) = (Vec::new(), None);
    let extent = input::events_in(name(file), bytes, async |Input { origin, event }| {
        match sent::finding(&event) {
            Ok((finding, threat)) => candidates.push(Candidate { finding, threat }),
            Err(failure) => drop(stop.get_or_insert(Stop::unread(&origin, &failure))),
        }
        Ok(())
    });
    let extent = extent.await?;
    match stop {
        Some(stop) => Err(stop),
        None if extent == Extent::GoesOn => Err(CannotTell::Truncated { file: name(file) }.into()),
        None => Ok(candidates),
    }
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

/// What files tell of scans, all of which have to be done.
#[derive(Default)]
struct Covered {
    /// When each resource was scanned.
    resources: BTreeMap<String, Timestamp>,
    notes: Vec<Note>,
}

impl Covered {
    fn read(files: &[PathBuf], now: Timestamp) -> Result<Self, Stop> {
        let mut rows: BTreeMap<String, Vec<Coverage>> = BTreeMap::new();
        for file in files {
            let list = "coveredResources";
            let (listed, extent) = listing(file, &[list], "aws inspector2 list-coverage")?;
            if listed.is_empty() {
                return Err(CannotTell::NothingCovered { file: name(file) }.into());
            }
            if extent == Extent::GoesOn {
                return Err(CannotTell::Truncated { file: name(file) }.into());
            }
            for (number, row) in listed.iter().enumerate() {
                let row = Coverage::read(row).map_err(|error| CannotTell::Unread {
                    origin: format!("{}: {list}[{number}]", name(file)),
                    why: error.to_string(),
                })?;
                rows.entry(row.resource.clone()).or_default().push(row);
            }
        }
        let mut covered = Self::default();
        for (of, rows) in rows {
            covered.add(of, &rows, now)?;
        }
        Ok(covered)
    }

    fn add(&mut self, of: String, rows: &[Coverage], now: Timestamp) -> Result<(), CannotTell> {
        match ScanState::of_resource(rows, None) {
            Some(ScanState::Scanned { at, .. })
                if ScanState::settled(at, now) == Settled::NotYet =>
            {
                Err(CannotTell::NotSettled { of, at, waited: 0 })
            }
            Some(ScanState::Scanned { at, once }) => {
                self.notes.extend(once.then(|| Note::ScannedOnce { of: of.clone(), at }));
                self.resources.insert(of, at);
                Ok(())
            }
            Some(ScanState::Waiting { reason }) => {
                Err(CannotTell::NotYet { of, reason: Some(reason), waited: 0 })
            }
            Some(ScanState::NotScanned { reason, scan }) => {
                let kind = rows.first().map(|row| row.kind.clone()).unwrap_or_default();
                Err(CannotTell::NotScanned { of, kind, scan, reason })
            }
            None => Err(CannotTell::NotYet { of, reason: None, waited: 0 }),
        }
    }

    /// Refuses to judge what nothing is told of.
    fn has_all<'a>(&self, resources: impl Iterator<Item = &'a Resource>) -> Result<(), CannotTell> {
        let mut missing = resources.filter(|one| !self.resources.contains_key(&one.id));
        match missing.next() {
            None => Ok(()),
            Some(one) => Err(CannotTell::NotCovered { of: one.id.clone() }),
        }
    }

    fn scans(&self) -> Vec<Scan> {
        let scan =
            |(of, at): (&String, &Timestamp)| Scan { of: of.clone(), platform: None, at: *at };
        self.resources.iter().take(SCANS).map(scan).collect()
    }
}

/// What `ScanSbom` has found, by its answer in a file.
pub fn scanned(file: &Path, called: Option<&str>, now: Timestamp) -> Result<Sought, Stop> {
    let SbomScan { name: own, found, skipped, end_of_life, .. } =
        scan(&document(file)?, file, called, now)?;
    let candidate = |Scanned { finding, threat, .. }| Candidate { finding, threat };
    let subject_name = called.map(str::to_owned).or(own).unwrap_or_else(|| name(file));
    let candidates: Vec<Candidate> = found.into_iter().map(candidate).collect();
    let stable_name = match self::called(&candidates) {
        Some((_, stable)) => stable,
        None => unversioned(&subject_name).to_owned(),
    };
    let if_open = end_of_life.map(|system| CannotTell::EndOfLife { system });
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
        if_open,
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
    serde_json::from_slice(&bytes(file)?).map_err(|error| {
        let why = format!("it is not JSON: {error}");
        CannotTell::NotAScan { file: name(file), why }.into()
    })
}

fn bytes(file: &Path) -> Result<Vec<u8>, Misuse> {
    let mut bytes = Vec::new();
    let read = if file == Path::new("-") {
        io::stdin().read_to_end(&mut bytes).map(drop)
    } else {
        fs::read(file).map(|read| bytes = read)
    };
    read.map_err(|error| Misuse(format!("cannot read {}: {error}", name(file))))?;
    Ok(bytes)
}

/// What was there before, by findings or an answer of `ScanSbom` in a file.
pub async fn baseline(file: &Path, now: Timestamp) -> Result<Baseline, Stop> {
    // Read once: it may be a pipe.
    let bytes = bytes(file)?;
    if let Ok(document) = serde_json::from_slice::<Value>(&bytes)
        && ["sbom", "inspector", "bomFormat"].iter().any(|key| document.get(key).is_some())
    {
        let found = scan(&document, file, None, now)?.found;
        return Ok(Baseline::of(found.iter().map(|scanned| &scanned.finding)));
    }
    let candidates = latest(read(file, &bytes).await?);
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
