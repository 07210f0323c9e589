//! What ended without a word, and how what ended did.
//!
//! A finding that complete listings do not have any more has ended, and nobody said so. That is believed only if two of them
//! in a row lack it, if Inspector has nothing under its name either, and if it is not a great part of what an account has.
//! How a finding ended is said by what Inspector still looks at.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use super::{Course, Ended, ROWS_AT_ONCE, Review, Undone};
use crate::{
    app::{
        attempt::Observation,
        failure::Failure,
        ports::{
            Alerts, Exceptions, FindingQuery, FindingSet, Gaps, Inspector, NAMES_PER_CALL,
            Publisher, Records, RoundLog, Summaries, Sweep, Threats,
        },
    },
    domain::{
        coverage::{Coverage, Observed, how_ended, scan_of},
        digest,
        finding::{Finding, FindingType},
        record::{Audience, EndQueue, How, Record, Transition},
        round::{Part, PartState},
    },
};

/// How many findings are held in memory at a time while it is found out how they ended: some 20 MB.
const HELD_AT_ONCE: usize = 50_000;
/// For how long it is asked how a finding ended.
const ASKED_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How great a part of what is open in an account may be absent at once: one in so many, or one.
const SHARE: usize = 5;
/// How many numbers of findings a row has at most: 160 kB of the 400 that DynamoDB takes.
const NUMBERS_PER_ROW: usize = 20_000;

/// The border behind the first half of the part.
const ABSENCE_DONE: &str = "ends";

/// Where Inspector looks, as this round found it.
struct View {
    region: Option<String>,
    /// The account that asks, if that is known.
    own: Option<String>,
    /// The kinds of scans that are on for sure, by account.
    scans: HashMap<String, HashSet<String>>,
    /// Why a kind of scan is off in an account, in Inspector's word; an empty one for all of them.
    off: HashMap<(String, String), String>,
}

/// Whether Inspector looks for what a finding was about.
enum Looks {
    /// It does.
    Yes,
    /// It does not, for this reason in its own word.
    No(String),
    /// That is not known, or cannot be asked from here.
    Unknown,
}

impl View {
    /// Whether Inspector would list a finding, here and now, if there were it.
    fn would_have(&self, finding: &Finding) -> bool {
        !finding.is_on_demand() && matches!(self.looks(finding), Looks::Yes)
    }

    /// Whether Inspector looks, here and now, for what a finding is about.
    fn looks(&self, finding: &Finding) -> Looks {
        let account = &finding.account;
        let is_here = self.region.as_deref().is_some_and(|here| finding.is_of_region(here));
        let scan = finding.resource().and_then(|resource| scan_of(&finding.kind, &resource.kind));
        let (true, Some(scan)) = (is_here, scan) else { return Looks::Unknown };
        // Those of other accounts are shown to nobody but these.
        if scan == "CODE_REPOSITORY" && self.own.as_ref().is_some_and(|own| own != account) {
            return Looks::Unknown;
        }
        let off = |scan: &str| self.off.get(&(account.clone(), scan.to_owned()));
        match off("").or_else(|| off(scan)) {
            Some(reason) => Looks::No(reason.clone()),
            None if self.scans.get(account).is_some_and(|scans| scans.contains(scan)) => Looks::Yes,
            None => Looks::Unknown,
        }
    }
}

/// A finding of which it is not known how it ended.
struct Unexplained {
    arn: String,
    kind: FindingType,
    resource: String,
    at: Timestamp,
    looks: Looks,
}

impl Unexplained {
    fn of(record: &Record, view: &View) -> Option<Self> {
        let end = record.end.as_ref().filter(|end| end.is_unexplained())?;
        let finding = &record.finding;
        Some(Self {
            arn: finding.arn.clone(),
            kind: finding.kind.clone(),
            resource: finding.resource()?.id.clone(),
            at: end.at,
            looks: view.looks(finding),
        })
    }
}

type Explanation = (How, Option<String>);

/// How many ends were looked at.
enum Explained {
    All,
    Some,
    OutOfTime,
}

impl<S, P, I, A> Review<S, P, I, A>
where
    S: Records + Sweep + Alerts + Summaries + RoundLog + Gaps + Threats + Exceptions,
    P: Publisher,
    I: Inspector,
{
    /// Ends what is listed no more, and finds out how what has ended did.
    pub(super) async fn vanished(&self, course: &mut Course<'_, S>) -> Result<Ended, Undone> {
        let view = self.view(course).await?;
        let round = course.round();
        // A page that could not be read to the end may have had any of them.
        let is_clean = round.count(Part::Listing, "unread") == 0;
        let is_done = |part| round.state(part) == PartState::Done;
        let is_complete = round.is_full && is_done(Part::Enabled) && is_done(Part::Listing);
        if is_complete && !is_clean {
            let what = "what is absent from this listing is not looked for".to_owned();
            let reason = "findings in it cannot be read".to_owned();
            (course.attempt().observe)(Observation::Warning { what, reason });
            course.progress(Part::Vanished).counts.insert("notCompared".to_owned(), 1);
        }
        if is_complete && is_clean && course.progress(Part::Vanished).border.is_none() {
            if matches!(self.absent(&view, course).await?, Ended::OutOfTime) {
                return Ok(Ended::OutOfTime);
            }
            course.rounds.absent_as_of = Some(course.round().began_at);
        }
        course.progress(Part::Vanished).border = Some(ABSENCE_DONE.to_owned());
        self.explain(&view, course).await
    }

    async fn view(&self, course: &Course<'_, S>) -> Result<View, Undone> {
        let store = &self.triage.store;
        // What an earlier round has found may be true no more.
        let is_known = course.round().state(Part::Enabled) == PartState::Done;
        let observed = store.accounts().await.map_err(Failure::Store)?.filter(|_| is_known);
        let gaps = store.account_gaps().await.map_err(Failure::Store)?;
        let scans = observed.unwrap_or_default().into_iter();
        let off = gaps.into_iter().filter(|_| is_known);
        Ok(View {
            region: self.inspector.region().map(str::to_owned),
            scans: scans
                .map(|Observed { account, scans }| (account, scans.into_iter().collect()))
                .collect(),
            off: off.map(|gap| ((gap.account, gap.scan), gap.reason)).collect(),
            own: course.attempt().account().map(str::to_owned),
        })
    }

    /// Compares what is open here with what the listing had.
    async fn absent(&self, view: &View, course: &mut Course<'_, S>) -> Result<Ended, Undone> {
        let store = &self.triage.store;
        let began_at = course.round().began_at;
        let listed = store.findings_of(FindingSet::Listed, began_at).await;
        let listed: HashSet<u64> = listed.map_err(Failure::Store)?.into_iter().collect();
        let before: HashSet<u64> = match course.rounds.absent_as_of {
            Some(before) => {
                let before = store.findings_of(FindingSet::Absent, before).await;
                before.map_err(Failure::Store)?.into_iter().collect()
            }
            None => HashSet::new(),
        };
        let mut absent: Vec<u64> = Vec::new();
        // By account: how many are open, and which of them are absent for the second time.
        let mut accounts: BTreeMap<String, (usize, Vec<String>)> = BTreeMap::new();
        let each = |record: Record| {
            let finding = &record.finding;
            if !view.would_have(finding) {
                return;
            }
            let (open, twice) = accounts.entry(finding.account.clone()).or_default();
            *open += 1;
            let number = digest::long(&finding.arn);
            // What was heard of since then is there.
            if listed.contains(&number) || record.last_seen_at >= began_at {
                return;
            }
            absent.push(number);
            if before.contains(&number) {
                twice.push(finding.arn.clone());
            }
        };
        let limit = course.limit();
        if !store.each_open(limit, each).await.map_err(Failure::Store)? {
            return Ok(Ended::OutOfTime);
        }
        for some in absent.chunks(NUMBERS_PER_ROW) {
            let noted = store.add_findings(FindingSet::Absent, began_at, some, course.now()).await;
            noted.map_err(Failure::Store)?;
        }
        let progress = course.progress(Part::Vanished);
        progress.counts.insert("absent".to_owned(), 0);
        progress.count("absent", absent.len());
        progress.count("ended", 0);
        if !course.note_in_time().await? {
            return Err(Undone::HeldByOther);
        }
        for (account, (open, twice)) in accounts {
            let absent = twice.len();
            if absent > (open / SHARE).max(1) && !course.round().believes_absence {
                let observation = Observation::TooManyAbsent { account, absent, open };
                (course.attempt().observe)(observation);
                course.progress(Part::Vanished).count("doubted", absent);
                continue;
            }
            for arns in twice.chunks(NAMES_PER_CALL) {
                if course.limit().is_over() {
                    return Ok(Ended::OutOfTime);
                }
                self.end_absent(arns, course).await?;
                if !course.note_in_time().await? {
                    return Err(Undone::HeldByOther);
                }
            }
        }
        Ok(Ended::Done)
    }

    /// Ends those of these findings of which Inspector has nothing, asked for by name. What it has of the others is
    /// recorded.
    async fn end_absent(&self, arns: &[String], course: &mut Course<'_, S>) -> Result<(), Undone> {
        let asked = self.ask_for(&FindingQuery::these(arns), course).await?;
        course.rounds.unrecorded.extend(asked.failed);
        if asked.unread > 0 {
            return Ok(());
        }
        let arns: Vec<&str> =
            arns.iter().map(String::as_str).filter(|arn| !asked.listed.contains(*arn)).collect();
        let rows = self.triage.store.read_all(&arns).await.map_err(Failure::Store)?;
        let (began_at, now) = (course.round().began_at, course.now());
        let ended = rows.iter().filter(|row| row.is_open() && row.last_seen_at < began_at);
        let writes: Vec<_> =
            ended.map(|row| (row.vanished(now).rewritten(), Transition::Vanished)).collect();
        let ended = self.write_those(&writes, course).await?;
        course.progress(Part::Vanished).count("ended", ended);
        Ok(())
    }

    /// Finds out how findings ended of which that is not known.
    async fn explain(&self, view: &View, course: &mut Course<'_, S>) -> Result<Ended, Undone> {
        course.progress(Part::Vanished).count("explained", 0);
        loop {
            let before = course.round().count(Part::Vanished, "explained");
            let is_all = match self.explain_some(view, course).await? {
                Explained::All => true,
                Explained::Some => false,
                Explained::OutOfTime => return Ok(Ended::OutOfTime),
            };
            // What cannot be explained yet is asked about again the next day.
            if is_all || course.round().count(Part::Vanished, "explained") == before {
                return Ok(Ended::Done);
            }
        }
    }

    /// Finds out how findings ended, of as many as are held in memory at a time.
    async fn explain_some(
        &self,
        view: &View,
        course: &mut Course<'_, S>,
    ) -> Result<Explained, Undone> {
        let store = &self.triage.store;
        let has_programs = self.triage.publisher.audiences().contains(&Audience::Data);
        let (mut unexplained, mut untold) = (Vec::new(), Vec::new());
        for queue in [EndQueue::Unexplained, EndQueue::Untold] {
            let each = |record: Record| match Unexplained::of(&record, view) {
                Some(one) if unexplained.len() < HELD_AT_ONCE => unexplained.push(one),
                None if !has_programs && untold.len() < HELD_AT_ONCE => {
                    untold.push(record.finding.arn);
                }
                _ => {}
            };
            let limit = course.limit();
            if !store.each_ended(queue, None, limit, each).await.map_err(Failure::Store)? {
                return Ok(Explained::OutOfTime);
            }
        }
        let is_all = unexplained.len() < HELD_AT_ONCE;
        // Where there is no topic for programs nobody waits for these.
        for arns in untold.chunks(ROWS_AT_ONCE) {
            let arns: Vec<&str> = arns.iter().map(String::as_str).collect();
            let rows = store.read_all(&arns).await.map_err(Failure::Store)?;
            let told: Vec<Record> =
                rows.iter().filter_map(Record::end_told).map(Record::rewritten).collect();
            store.mark_ends(&told, course.limit()).await.map_err(Failure::Store)?;
        }
        let now = course.now();
        let mut by_resource: BTreeMap<String, Vec<Unexplained>> = BTreeMap::new();
        let mut known: Vec<(Unexplained, Explanation)> = Vec::new();
        for one in unexplained {
            let is_old = now.duration_since(one.at) >= ASKED_FOR;
            match &one.looks {
                Looks::No(reason) => {
                    let how = (How::Unobserved, Some(reason.clone()));
                    known.push((one, how));
                }
                Looks::Yes => by_resource.entry(one.resource.clone()).or_default().push(one),
                Looks::Unknown if is_old => known.push((one, (How::Unknown, None))),
                Looks::Unknown => {}
            }
        }
        let resources: Vec<String> = by_resource.keys().cloned().collect();
        for some in resources.chunks(NAMES_PER_CALL) {
            if course.limit().is_over() {
                return Ok(Explained::OutOfTime);
            }
            // A row that cannot be read may be that of any of them.
            let covered = self.coverage_by_resource(some, course).await?;
            if covered.is_none() {
                course.progress(Part::Vanished).count("unread", 1);
            }
            for resource in some {
                let rows = |covered: &HashMap<String, Vec<Coverage>>| {
                    covered.get(resource).cloned().unwrap_or_default()
                };
                let rows = covered.as_ref().map(rows);
                for one in by_resource.remove(resource).into_iter().flatten() {
                    let is_old = now.duration_since(one.at) >= ASKED_FOR;
                    let how = rows.as_deref().and_then(|rows| how_ended(&one.kind, rows));
                    match how {
                        Some(how) => known.push((one, how)),
                        None if is_old => known.push((one, (How::Unknown, None))),
                        None => {}
                    }
                }
            }
            if known.len() >= ROWS_AT_ONCE {
                self.note_known(&mut known, course).await?;
            }
        }
        self.note_known(&mut known, course).await?;
        Ok(if is_all { Explained::All } else { Explained::Some })
    }

    async fn note_known(
        &self,
        known: &mut Vec<(Unexplained, Explanation)>,
        course: &mut Course<'_, S>,
    ) -> Result<(), Undone> {
        for some in known.chunks(ROWS_AT_ONCE) {
            let explanations = some.iter().map(|(one, how)| (one.arn.as_str(), how)).collect();
            let explained = self.note_ends(&explanations, course).await?;
            course.progress(Part::Vanished).count("explained", explained);
        }
        known.clear();
        if course.note_in_time().await? { Ok(()) } else { Err(Undone::HeldByOther) }
    }

    /// Writes down how these findings ended. Returns of how many.
    async fn note_ends(
        &self,
        explanations: &HashMap<&str, &Explanation>,
        course: &Course<'_, S>,
    ) -> Result<usize, Undone> {
        let arns: Vec<&str> = explanations.keys().copied().collect();
        let rows = self.triage.store.read_all(&arns).await.map_err(Failure::Store)?;
        let has_programs = self.triage.publisher.audiences().contains(&Audience::Data);
        let now = course.now();
        let explained = |row: &Record| {
            let (how, reason) = *explanations.get(row.finding.arn.as_str())?;
            // Somebody may have been faster, or the finding may be open again.
            let is_unexplained = row.end.as_ref()?.is_unexplained();
            let row = row.explained(*how, reason.clone(), now).filter(|_| is_unexplained)?;
            let row = if has_programs { row } else { row.end_told()? };
            Some((row.rewritten(), Transition::Explained))
        };
        let writes: Vec<_> = rows.iter().filter_map(explained).collect();
        self.write_those(&writes, course).await
    }

    /// All that Inspector's coverage has of these resources; none if it cannot be read.
    async fn coverage_by_resource(
        &self,
        resources: &[String],
        course: &Course<'_, S>,
    ) -> Result<Option<HashMap<String, Vec<Coverage>>>, Undone> {
        let mut covered: HashMap<String, Vec<Coverage>> = HashMap::new();
        let mut token = None;
        loop {
            let limit = course.limit();
            let page = self.inspector.coverage_of(resources, token.as_deref(), limit).await?;
            if !page.unread.is_empty() {
                return Ok(None);
            }
            for row in page.items {
                covered.entry(row.resource.clone()).or_default().push(row);
            }
            token = page.next;
            if token.is_none() {
                return Ok(Some(covered));
            }
        }
    }
}
