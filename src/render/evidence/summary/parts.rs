//! The parts of a summary. Each says what it counts, so that it can be found again in the tables.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{ToSpan, civil::Date};

use crate::{
    domain::{
        assess::Priority,
        coverage::Subject,
        evidence::{Check, Counted, Decided, Entry, Evidence, Outcome, What, WhyOver},
        record::How,
        round::{Part, day},
    },
    render::{
        evidence::{
            Source,
            page::{Section, Shown},
            words,
        },
        view::{moment, safe},
        words::{coverage, number_of, why_uncovered},
    },
};

/// All priorities.
pub const ALL: [Priority; 4] = Priority::ALL;

/// How many rows a table of the summary has at most; all are in the tables beside it.
const SHOWN: usize = 20;
/// How many characters of a name there is room for.
const NAME: usize = 80;

/// The parts of a daily round that evidence rests on, and what they do.
const PARTS: [(Part, &str); 4] = [
    (Part::Enabled, "whether Inspector is on"),
    (Part::Listing, "the listing of findings"),
    (Part::Coverage, "what is not looked at"),
    (Part::Threat, "what CISA lists"),
];

/// What the parts are made from.
pub struct Parts<'a> {
    pub evidence: &'a Evidence,
    pub source: &'a Source,
}

/// A number as a cell.
fn cell(number: u64) -> String {
    number.to_string()
}

/// The first of many, and a sentence about the others, which `file` has.
pub fn bounded<T>(all: &[T], what: &str, file: &str) -> (usize, Option<String>) {
    let more = all.len().saturating_sub(SHOWN);
    let said =
        (more > 0).then(|| format!("The first {SHOWN} are here; {more} more {what} {file}."));
    (all.len().min(SHOWN), said)
}

/// Dates, as spans where they follow each other: `2026-09-03, 2026-09-05 to 2026-09-07`.
fn spans(dates: &[Date]) -> String {
    let mut spans: Vec<(Date, Date)> = Vec::new();
    for &date in dates {
        match spans.last_mut() {
            Some((_, last)) if last.checked_add(1.day()).is_ok_and(|next| next == date) => {
                *last = date;
            }
            _ => spans.push((date, date)),
        }
    }
    let more = spans.len().saturating_sub(SHOWN);
    let span = |(from, to): &(Date, Date)| {
        if from == to { from.to_string() } else { format!("{from} to {to}") }
    };
    let mut said: Vec<String> = spans.iter().take(SHOWN).map(span).collect();
    if more > 0 {
        said.push(format!("and {more} more"));
    }
    said.join(", ")
}

impl Parts<'_> {
    /// What it is about: where it comes from, which days, and what is in it.
    pub fn scope(&self, heading: &str) -> Section {
        let Self { evidence, source } = self;
        let period = evidence.period;
        let accounts: BTreeSet<&str> =
            evidence.entries.iter().map(|entry| entry.subject.account.as_str()).collect();
        let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
        for entry in &evidence.entries {
            *kinds.entry(&entry.subject.resource_type).or_default() += 1;
        }
        let kinds = kinds.into_iter().map(|(kind, number)| vec![safe(kind, NAME), cell(number)]);
        let hidden = evidence.count(|entry| entry.outcome == Outcome::NeverOpen);
        let hidden = (hidden > 0).then(|| {
            format!(
                "{} of them a suppression rule of Inspector's hides, and they never were open here: they are in findings.csv with \
                 the state hidden, and count nowhere else.",
                number_of(hidden, "finding")
            )
        });
        Section::new(heading)
            .say(format!(
                "Days from {} to {}, both included, in UTC. What stands at the end of the period stands as of {}.",
                period.from,
                period.to,
                moment(period.as_of)
            ))
            .say(format!(
                "Everything comes from the table {}, looked at as of {}. Nothing was sampled: findings.csv has each finding that was open \
                 at some time in the period, {} in {}.",
                safe(source.full_name(), 300),
                moment(source.now),
                number_of(evidence.entries.len() as u64, "finding"),
                number_of(accounts.len() as u64, "account"),
            ))
            .say_all(hidden)
            .show(Shown {
                caption: "Findings by the kind of their resource".to_owned(),
                columns: vec!["Resource", "Findings"],
                rows: kinds.collect(),
            })
    }

    /// How findings come in, how they are rated, and how it is known that they ended.
    pub fn method(&self, heading: &str) -> Section {
        let rules = self.evidence.rules.iter().map(|(from, rules)| {
            let medium = rules.medium_from_epss.map(|epss| format!(", MEDIUM from EPSS {epss}"));
            vec![
                from.to_string(),
                safe(&rules.version, 40),
                safe(&rules.policy, 40),
                safe(&rules.deadlines, 40),
                safe(&rules.days, 40),
                format!("{}{}", safe(&rules.severities, 100), medium.unwrap_or_default()),
            ]
        });
        let rules = Shown {
            caption: "By what was judged, from the day on which the daily round wrote it down"
                .to_owned(),
            columns: vec![
                "From",
                "Version",
                "Policy",
                "Due by",
                "Days for P1 to P4",
                "Severities recorded",
            ],
            rows: rules.collect(),
        };
        let section = Section::new(heading)
            .say(
                "Amazon Inspector scans and finds. Each finding is recorded from Inspector's event, and from the listing of a daily \
                 round, which makes good what an event did not say. It is scored on severity, EPSS, exploits and fixes into a \
                 priority, P1 to P4, which sets its due date; a round also asks what CISA lists as exploited.",
            )
            .say(
                "A finding counts as fixed if Inspector closed it, and its coverage of the resource was active and successful when a \
                 daily round asked. If the resource is gone, or no longer looked at, it counts as that, and not as fixed.",
            )
            .say(self.rounds())
            .show(rules);
        if self.evidence.rules.is_empty() {
            section.miss(
                "By which settings was judged: no daily round of the period has written that down. The policy of each finding is in \
                 findings.csv.",
            )
        } else {
            section
        }
    }

    /// On how many days of the period a daily round left its figures, and had done its parts.
    pub fn rounds(&self) -> String {
        let period = self.evidence.period;
        let done: BTreeSet<Date> = self.evidence.days.iter().map(|day| day.date).collect();
        let last = day(period.as_of);
        let days: Vec<Date> =
            period.from.series(1.day()).take_while(|date| *date <= last).collect();
        let without: Vec<Date> = days.iter().copied().filter(|date| !done.contains(date)).collect();
        let mut said = vec![format!(
            "A daily round left its figures on {} of {}.",
            days.len() - without.len(),
            number_of(days.len() as u64, "day")
        )];
        for (part, what) in PARTS {
            let undone = self.days_without(part);
            if !undone.is_empty() {
                said.push(format!("On these it had not done {what}: {}.", spans(&undone)));
            }
        }
        let unknown = self.evidence.days.iter().filter(|day| day.done.is_none()).count();
        if unknown > 0 {
            said.push(format!("Of {unknown} of them it is not kept which parts were done."));
        }
        if !without.is_empty() {
            said.push(format!("Days without: {}.", spans(&without)));
        }
        said.join(" ")
    }

    /// The days on which a round had not done a part.
    fn days_without(&self, part: Part) -> Vec<Date> {
        let undone = self.evidence.days.iter().filter(|day| day.has_done(part) == Some(false));
        undone.map(|day| day.date).collect()
    }

    /// That no daily round of the period is known to have done a part, if so.
    pub fn not_asked(&self, part: Part) -> Option<String> {
        let is_asked = self.evidence.days.iter().any(|day| day.has_done(part) != Some(false));
        (!is_asked).then(|| {
            "No daily round of the period is known that asked for it, so this is not known."
                .to_owned()
        })
    }

    /// The findings of some priorities by what had become of them.
    pub fn figures(&self, heading: &str, priorities: &[Priority]) -> Section {
        let counts = |is: &dyn Fn(&Entry) -> bool| {
            self.evidence.count(|entry| entry.outcome != Outcome::NeverOpen && is(entry))
        };
        let row = |name: String, is: &dyn Fn(&Entry) -> bool| {
            let of = |outcome| counts(&|entry| is(entry) && entry.outcome == outcome);
            let mut cells = vec![name];
            let numbers = [
                counts(is),
                counts(&|entry| is(entry) && entry.was_open),
                counts(&|entry| is(entry) && !entry.was_open),
                of(Outcome::Open),
                counts(&|entry| is(entry) && entry.is_overdue),
                of(Outcome::Excepted),
            ];
            cells.extend(numbers.map(cell));
            cells.extend(How::ALL.map(|how| cell(of(Outcome::Ended(how)))));
            cells
        };
        let mut rows: Vec<Vec<String>> = priorities
            .iter()
            .map(|priority| {
                row(priority.as_str().to_owned(), &|entry| priority_of(entry) == *priority)
            })
            .collect();
        let is_meant = |entry: &Entry| priorities.contains(&priority_of(entry));
        if priorities.len() > 1 {
            rows.push(row("Total".to_owned(), &is_meant));
        }
        let all = counts(&is_meant);
        let before = counts(&|entry| is_meant(entry) && entry.was_open);
        let open = counts(&|entry| is_meant(entry) && entry.outcome == Outcome::Open);
        let excepted = counts(&|entry| is_meant(entry) && entry.outcome == Outcome::Excepted);
        let is_exploited = |entry: &Entry| is_meant(entry) && entry.state.facts.known_exploited;
        let exploited = counts(&is_exploited);
        let is_left = |entry: &Entry| {
            is_exploited(entry) && matches!(entry.outcome, Outcome::Open | Outcome::Excepted)
        };
        Section::new(heading)
            .say(format!(
                "{before} were open when the period began, and {} came or came back in it: {all} in all. Of these {open} were open \
                 at its end, {excepted} excepted, and {} had ended.",
                all - before,
                all - open - excepted
            ))
            .say(format!(
                "CISA listed the vulnerabilities of {exploited} of them as exploited; {} of these were open or excepted at the end.",
                counts(&is_left)
            ))
            .say_all(self.not_asked(Part::Threat))
            .show(Shown {
                caption: "Findings by priority, and what had become of them at the end of the period; overdue is part of open"
                    .to_owned(),
                columns: vec![
                    "Priority", "All", "At start", "Came", "Open", "Overdue", "Excepted", "Fixed", "Gone", "Not looked at",
                    "Suppressed", "Unknown",
                ],
                rows,
            })
    }

    /// How long it took to fix what was fixed, and whether that was in time.
    pub fn time_to_fix(&self, heading: &str, priorities: &[Priority]) -> Section {
        let rows = priorities.iter().map(|priority| {
            let fixed: Vec<&Entry> = self
                .evidence
                .entries
                .iter()
                .filter(|entry| entry.outcome == Outcome::Ended(How::Fixed))
                .filter(|entry| priority_of(entry) == *priority)
                .collect();
            let of = |is: Option<bool>| {
                fixed.iter().filter(|entry| entry.was_in_time() == is).count().to_string()
            };
            let open_for = fixed.iter().filter_map(|entry| entry.open_for());
            let mut days: Vec<i64> = open_for.map(|time| time.as_hours() / 24).collect();
            days.sort_unstable();
            // The lower of two in the middle, as in reviews.
            let median = days.get(days.len().saturating_sub(1) / 2);
            let cell = |days: Option<&i64>| days.map_or_else(|| "–".to_owned(), i64::to_string);
            vec![
                priority.as_str().to_owned(),
                fixed.len().to_string(),
                of(Some(true)),
                of(Some(false)),
                of(None),
                cell(median),
                cell(days.last()),
            ]
        });
        Section::new(heading).show(Shown {
            caption: "What stood as fixed at the end, by the due date that it had or without one that is kept, and days from opened to fixed".to_owned(),
            columns: vec!["Priority", "Fixed", "In time", "Late", "No due date", "Median days", "Most days"],
            rows: rows.collect(),
        })
    }

    /// What was open after its due date, the longest first, with what is known of why.
    pub fn breaches(&self, heading: &str, priorities: &[Priority]) -> Section {
        let late: Vec<&Entry> = self
            .evidence
            .breaches()
            .into_iter()
            .filter(|entry| priorities.contains(&priority_of(entry)))
            .collect();
        let unknown = self
            .evidence
            .count(|entry| priorities.contains(&priority_of(entry)) && entry.lost_its_due_date());
        let unknown = (unknown > 0).then(|| {
            format!("Of {} it is not kept by when they were due.", number_of(unknown, "finding"))
        });
        if late.is_empty() {
            return Section::new(heading)
                .say("None of these findings was open after its due date in the period, as far as due dates are kept.")
                .say_all(unknown);
        }
        let overdue = late.iter().filter(|entry| entry.is_overdue).count();
        let (shown, more) = bounded(&late, "are marked in the column late of", "findings.csv");
        let rows = late[..shown].iter().map(|entry| {
            let subject = &entry.subject;
            vec![
                safe(&subject.problem, NAME),
                safe(&subject.resource, NAME),
                subject.owner.as_deref().map(|owner| safe(owner, NAME)).unwrap_or_default(),
                priority_of(entry).as_str().to_owned(),
                entry.late.map(|late| day(late.due_at).to_string()).unwrap_or_default(),
                words::breach(entry).unwrap_or_default(),
            ]
        });
        Section::new(heading)
            .say(format!(
                "{}: {overdue} still were at the end of the period, {} had ended, were accepted or had got more time by then.",
                number_of(late.len() as u64, "finding"),
                late.len() - overdue,
            ))
            .say_all(unknown)
            .say_all(more)
            .show(Shown {
                caption: "The longest of them".to_owned(),
                columns: vec!["Problem", "Resource", "Owner", "Priority", "Due", "What is known"],
                rows: rows.collect(),
            })
            .miss("Why people had not acted by then, beyond what the ledger says.")
    }

    /// What was decided not to fix, by whom, and until when.
    pub fn exceptions(&self, heading: &str) -> Section {
        let all = &self.evidence.exceptions;
        if all.is_empty() {
            return Section::new(heading).say("No exception was in force in the period.");
        }
        let period = self.evidence.period;
        let ended = |why| all.iter().filter(|one| one.ended == Some(why)).count();
        let begun = all.iter().filter(|one| period.has(one.from)).count();
        let in_force = all.iter().filter(|one| one.until.is_none()).count();
        let (shown, more) = bounded(all, "are in", "exceptions.csv");
        let rows = all[..shown].iter().map(|one| {
            let (decision, owner, approved_by) = who(one);
            let until = one.until.map(|until| day(until).to_string());
            vec![
                safe(one.what.id(), NAME),
                decision.to_owned(),
                safe(owner, NAME),
                approved_by.map(|by| safe(by, NAME)).unwrap_or_default(),
                day(one.from).to_string(),
                until.unwrap_or_default(),
                one.ended.map_or("in force", WhyOver::as_str).to_owned(),
                cell(one.findings),
                cell(one.covering),
            ]
        });
        let mut covers: BTreeMap<&str, usize> = BTreeMap::new();
        let over = self.evidence.entries.iter().filter_map(|entry| entry.exception.as_ref()?.ended);
        for end in over.filter(|end| period.has(end.at)) {
            *covers.entry(why_uncovered(end.why)).or_default() += 1;
        }
        let covers =
            covers.into_iter().map(|(why, number)| vec![why.to_owned(), number.to_string()]);
        let unknown = all.iter().any(|one| matches!(one.what, What::Finding(_)));
        let section = Section::new(heading)
            .say(format!(
                "{} in force at some time in the period, each version of each counted: {begun} begun in it; {} expired, {} withdrawn, \
                 {} changed; {in_force} in force at its end.",
                number_of(all.len() as u64, "exception"),
                ended(WhyOver::Expired),
                ended(WhyOver::Withdrawn),
                ended(WhyOver::Changed),
            ))
            .say_all(more)
            .show(Shown {
                caption: "Exceptions, with how many findings of the period they were the last to cover, and covered at its end".to_owned(),
                columns: vec!["Exception", "Decision", "Owner", "Approved by", "From", "Until", "Ended", "Findings", "At the end"],
                rows: rows.collect(),
            })
            .show(Shown {
                caption: "Findings whose cover ended in the period, by why".to_owned(),
                columns: vec!["Why", "Findings"],
                rows: covers.collect(),
            });
        if unknown {
            section.miss(
                "Who approved what is marked findings in the column source of exceptions.csv: the ledgers that had it are not kept.",
            )
        } else {
            section
        }
    }

    /// What was not looked at, and why.
    pub fn coverage(&self, heading: &str) -> Section {
        let gaps = &self.evidence.gaps;
        if gaps.is_empty() && self.evidence.days.is_empty() {
            return Section::new(heading)
                .say("Whether everything was looked at is not known: no daily round of the period has left figures.");
        }
        if gaps.is_empty() {
            return Section::new(heading)
                .say("The daily rounds saw nothing that Inspector knows and does not look at.")
                .miss(UNKNOWN_RESOURCES);
        }
        let mut reasons: BTreeMap<(&str, &str), (u64, u64)> = BTreeMap::new();
        for one in gaps {
            let meaning = coverage::gap(&one.gap).meaning;
            let (all, left) = reasons.entry((&one.gap.reason, meaning)).or_default();
            *all += 1;
            *left += u64::from(one.until.is_none());
        }
        let left = gaps.iter().filter(|one| one.until.is_none()).count();
        let off = gaps.iter().filter(|one| one.gap.subject == Subject::Account).count();
        let rows = reasons.into_iter().map(|((reason, meaning), (all, left))| {
            vec![safe(reason, NAME), meaning.to_owned(), cell(all), cell(left)]
        });
        Section::new(heading)
            .say(format!(
                "{} in the period, {left} of them still there at its end; {off} of whole accounts or kinds of scan. Each is in \
                 coverage.csv, from when a daily round first saw it until one saw it no more: because it was looked at \
                 again, or because it was gone.",
                number_of(gaps.len() as u64, "gap"),
            ))
            .show(Shown {
                caption: "Gaps by reason, in Inspector's word".to_owned(),
                columns: vec!["Reason", "Meaning", "Gaps", "At the end"],
                rows: rows.collect(),
            })
            .miss(UNKNOWN_RESOURCES)
    }

    /// Whether the history says what was counted then.
    pub fn checks(&self, heading: &str) -> Section {
        let checks = &self.evidence.checks;
        if checks.is_empty() {
            return Section::new(heading)
                .say("Neither a review nor the figures of a day are kept of the period, so nothing can be compared.");
        }
        let wrong = checks.iter().filter(|check| !check.agrees()).count();
        let verdict = if wrong == 0 {
            "All agree.".to_owned()
        } else {
            format!(
                "{wrong} of them differ. Why is not known from the table; the numbers say by how much."
            )
        };
        let (shown, more) = bounded(checks, "are in", "provenance.json");
        let rows = checks[..shown].iter().map(check);
        Section::new(heading)
            .say(format!(
                "The numbers of each review of the period and of its last day were counted then. Here they are beside the same, \
                 counted anew from the history of all findings as of the same moments: {} compared. {verdict}",
                checks.len(),
            ))
            .say_all(more)
            .show(Shown {
                caption: "Counted then / counted now".to_owned(),
                columns: vec!["As of", "What", "Open", "Overdue", "Excepted", "Known exploited", "New", "Ended", "Agree"],
                rows: rows.collect(),
            })
    }

    /// What is not in it, and how far it reaches.
    pub fn limits(&self, heading: &str) -> Section {
        let Evidence { period, reach, unread, entries, .. } = self.evidence;
        let mut limits = vec![
            "Findings of severities that the deployment does not record, and of resources that Inspector does not know.".to_owned(),
            "Whether a change was deployed, tested or approved: only that Inspector found the weakness, and later did not.".to_owned(),
        ];
        let mut said = Vec::new();
        if let Some(first) = reach.begins_in(period) {
            said.push(format!(
                "The first row of the table is of {first}: of the days of the period before that nothing was recorded."
            ));
        }
        if let (Some(kept_for), Some(whole)) = (reach.kept_for, reach.whole_since) {
            let days = kept_for.as_hours() / 24;
            if reach.is_short_of(period) {
                said.push(format!(
                    "The period reaches further back than the history: the deployment keeps it for {days} days (HistoryDays), so it is \
                     whole since {} alone. What had ended before that, and changes before that, are not in it.",
                    day(whole)
                ));
            } else {
                said.push(format!("The history is kept for {days} days (HistoryDays), and is whole for the period."));
            }
        } else {
            limits.push(
                "For how long the history is kept: no daily round has written that down."
                    .to_owned(),
            );
        }
        let inferred = entries.iter().filter(|entry| entry.is_inferred).count();
        if inferred > 0 {
            said.push(format!(
                "How {} stood at the end of the period is told by what became of them next (basis later in findings.csv).",
                number_of(inferred as u64, "finding")
            ));
        }
        if reach.expired_findings > 0 {
            said.push(format!(
                "{} whose rows have expired are left out.",
                number_of(reach.expired_findings, "finding")
            ));
        }
        if reach.lost_ledgers > 0 {
            said.push(format!(
                "Of {} that was in force in the period the exceptions are not kept any more.",
                number_of(reach.lost_ledgers, "ledger")
            ));
        }
        if !unread.is_empty() {
            said.push(format!(
                "{} of the table could not be read, and are not in this evidence: see unread.csv.",
                number_of(unread.len() as u64, "row")
            ));
        }
        let section = Section::new(heading).say_all(said);
        limits.into_iter().fold(section, Section::miss)
    }
}

const UNKNOWN_RESOURCES: &str = "Resources that Inspector itself does not know.";

/// The priority that a finding had at the end of the period, or when it ended.
pub fn priority_of(entry: &Entry) -> Priority {
    entry.state.facts.priority
}

fn who(one: &Decided) -> (&'static str, &str, Option<&str>) {
    match &one.what {
        What::Ledger(exception) => {
            (exception.decision.as_str(), &exception.owner, exception.approved_by.as_deref())
        }
        What::Finding(excepted) => (excepted.decision.as_str(), &excepted.owner, None),
    }
}

fn check(check: &Check) -> Vec<String> {
    let Check { recorded, recounted, .. } = check;
    let both = |of: fn(&Counted) -> u64| format!("{} / {}", of(recorded), of(recounted));
    vec![
        moment(check.as_of).to_string(),
        if check.is_review { "weekly review" } else { "last day" }.to_owned(),
        both(|counted| counted.open.total),
        both(|counted| counted.overdue.total),
        both(|counted| counted.excepted),
        both(|counted| counted.known_exploited),
        both(|counted| counted.new),
        both(|counted| counted.ended.total),
        if check.agrees() { "yes" } else { "no" }.to_owned(),
    ]
}
