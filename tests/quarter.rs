//! A quarter of a fleet, day by day: what the review counts and what the evidence says, against a model that knows nothing of
//! how either is done.

use std::collections::BTreeMap;

use inspector_triage::{
    app::{Survey, TimeLimit},
    domain::finding::OwnerTags,
};
use jiff::{SignedDuration, Timestamp, Unit};
use serde_json::{Value, json};

use crate::{
    common::{World, arn, event_of},
    evidence::{self, Row},
    ledger,
    reviewing::covered,
};

const DAYS: i64 = 90;

/// A kind of finding: its priority, within how many days it is to be fixed, its EPSS, and how old its vulnerability is when
/// it appears.
const KINDS: [(&str, i64, f64, i64); 3] =
    [("P1", 2, 0.9, 40), ("P2", 7, 0.01, 40), ("P4", 90, 0.01, 2000)];
/// From how many days on and up to how many a finding is due; before 0 it is overdue. No due date here falls on a border.
const SPANS: [(&str, (f64, f64)); 6] = [
    ("overdueOver30", (f64::NEG_INFINITY, -30.0)),
    ("overdueTo30", (-30.0, -7.0)),
    ("overdueTo7", (-7.0, 0.0)),
    ("within7", (0.0, 7.0)),
    ("within30", (7.0, 30.0)),
    ("after30", (30.0, f64::INFINITY)),
];
const TEAMS: [Option<&str>; 3] = [Some("shop"), Some("crm"), None];
/// A function without findings that is not looked at from one day on, for another reason from the next, and not any more on
/// the last.
const UNOBSERVED: [i64; 3] = [40, 50, 60];
/// The findings that an exception covers, and the days on which it begins and ends.
const EXCEPTED: std::ops::Range<usize> = 20..30;
const EXCEPTED_FROM: i64 = 25;
const EXCEPTED_UNTIL: i64 = 55;

fn day(number: i64) -> Timestamp {
    "2026-09-01T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(24 * number)
}

fn at(number: i64, minutes: i64) -> Timestamp {
    day(number) + SignedDuration::from_mins(minutes)
}

/// Numbers that seem to come by chance, and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        // Knuth's multiplier of MMIX; the high bits are the good ones.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

/// What somebody with a pencil would write down of a finding.
struct Case {
    kind: usize,
    team: Option<&'static str>,
    appeared: i64,
    heard: Option<i64>,
    due: Timestamp,
    excepted: bool,
    /// When it was accepted, if that was after its due date.
    accepted_late: Option<Timestamp>,
    /// For how many days it was late at most, before it came back or was accepted.
    worst: i64,
    /// How it ended, and on which day that was heard.
    ended: Option<(&'static str, i64)>,
    event: Value,
}

impl Case {
    fn new(number: usize, kind: usize, team: Option<&'static str>, appeared: i64) -> Self {
        let (_, _, epss, age) = KINDS[kind];
        let event = event_of(&arn(number), &at(appeared, 600).to_string(), |f| {
            f["firstObservedAt"] = json!(at(appeared, 590).to_string());
            f["epss"] = json!({"score": epss});
            let vulnerability = &mut f["packageVulnerabilityDetails"];
            vulnerability["vulnerabilityId"] = json!(format!("CVE-2026-{number:05}"));
            vulnerability["vendorCreatedAt"] = json!(day(appeared - age).to_string());
            f["resources"][0]["type"] = json!("AWS_LAMBDA_FUNCTION");
            f["resources"][0]["id"] = json!(resource(number));
            f["resources"][0]["tags"] = team.map_or(json!({}), |team| json!({"team": team}));
        });
        Self {
            kind,
            team,
            appeared,
            heard: None,
            due: Timestamp::MIN,
            excepted: false,
            accepted_late: None,
            worst: 0,
            ended: None,
            event,
        }
    }

    fn becomes(&mut self, status: &str, today: i64) {
        self.event["detail"]["status"] = json!(status);
        self.event["detail"]["updatedAt"] = json!(at(today, 600).to_string());
    }

    fn is_open(&self) -> bool {
        self.heard.is_some() && self.ended.is_none()
    }

    /// For how many days that have begun it was open after its due date, as of a moment.
    fn late_days(&self, as_of: Timestamp) -> i64 {
        let until = match self.ended {
            _ if self.excepted => self.accepted_late.unwrap_or(self.due),
            // Inspector closed it on the day before that was heard.
            Some((_, today)) => at(today - 1, 600),
            None => as_of,
        };
        if self.due == Timestamp::MIN {
            return 0;
        }
        let late = until.duration_since(self.due).as_secs();
        (late + 86_399).div_euclid(86_400).max(0)
    }

    fn allowed(&self) -> SignedDuration {
        SignedDuration::from_hours(24 * KINDS[self.kind].1)
    }
}

fn resource(number: usize) -> String {
    format!("arn:aws:lambda:eu-central-1:111122223333:function:f-{number}:$LATEST")
}

#[tokio::test(start_paused = true)]
async fn review_and_evidence_of_a_quarter_have_the_numbers_of_a_count_by_hand() {
    let world = World::new().await;
    let mut dice = Dice(7);
    let mut cases: Vec<Case> = Vec::new();
    let mut there: BTreeMap<usize, Value> = BTreeMap::new();
    let (mut surveys, mut then) = (0, Vec::new());
    for today in 0..DAYS {
        // What happens during the day before the round.
        let mut heard_of = Vec::new();
        for _ in 0..dice.roll(4) {
            let number = cases.len();
            let (kind, team) = (dice.roll(KINDS.len()), TEAMS[number % TEAMS.len()]);
            cases.push(Case::new(number, kind, team, today - 1));
            there.insert(
                number,
                covered("111122223333", &resource(number), "PACKAGE", "ACTIVE", "SUCCESSFUL"),
            );
            heard_of.push((number, "new"));
        }
        for (number, case) in cases.iter_mut().enumerate() {
            let is_old = case.appeared < today - 1;
            match (case.ended, dice.roll(40)) {
                (None, 0) if is_old => {
                    case.becomes("CLOSED", today - 1);
                    heard_of.push((number, "fixed"));
                }
                (None, 1) if is_old => {
                    case.becomes("CLOSED", today - 1);
                    there.remove(&number);
                    heard_of.push((number, "gone"));
                }
                (Some(("fixed", since)), 0..4) if since < today => {
                    case.becomes("ACTIVE", today - 1);
                    heard_of.push((number, "back"));
                }
                _ => {}
            }
        }
        if today == EXCEPTED_FROM {
            let ids: Vec<String> = EXCEPTED.map(|number| format!("CVE-2026-{number:05}")).collect();
            let covers = ledger::exception("until-then", |e| {
                e["vulnerabilities"] = json!(ids);
                e["createdAt"] = json!("2026-09-01");
                e["expiresAt"] = json!(day(EXCEPTED_UNTIL).to_string()[..10]);
            });
            ledger::put(&world, &[covers], &at(today, 1).to_string()).await;
        }
        there.insert(usize::MAX, unobserved(today));
        let events: Vec<Value> = cases.iter().map(|case| case.event.clone()).collect();
        world.inspect(&events);
        world.emulator.inspector.fleet().coverage = there.values().cloned().collect();
        let result = world.daily(&at(today, 10).to_string(), json!({})).await;
        assert_eq!(result["outcome"], "done", "{result}");

        // What the one with the pencil makes of it.
        for (number, what) in heard_of {
            let case = &mut cases[number];
            match what {
                "new" | "back" => {
                    case.heard.get_or_insert(today);
                    case.worst = case.worst.max(case.late_days(day(0)));
                    case.ended = None;
                    case.excepted = false;
                    case.accepted_late = None;
                    case.due = at(today, 10) + case.allowed();
                }
                how => case.ended = Some((how, today)),
            }
        }
        for (number, case) in cases.iter_mut().enumerate().filter(|(_, case)| case.is_open()) {
            let is_covered =
                EXCEPTED.contains(&number) && (EXCEPTED_FROM..=EXCEPTED_UNTIL).contains(&today);
            if case.excepted && !is_covered {
                case.worst = case.worst.max(case.late_days(day(0)));
                case.due = case.due.max(at(today, 10) + case.allowed());
                case.accepted_late = None;
            }
            if is_covered && !case.excepted {
                case.accepted_late = Some(at(today, 10)).filter(|accepted| case.due < *accepted);
            }
            case.excepted = is_covered;
        }
        if today % 7 == 6 {
            surveys += 1;
            compare(&world, &cases, today).await;
            let asked_at = at(today, 120).to_string();
            assert_eq!(world.weekly(&asked_at, &asked_at).await["outcome"], "done");
        }
        if HALVES.contains(&today) {
            then.push(evidence_until(&world, today, &format!("quarter-then-{today}")).await);
            if let Some(given) = then.last() {
                compare_evidence(given, &cases, today);
            }
        }
    }
    assert!(surveys > 10 && cases.len() > 100, "{} findings", cases.len());
    compare_with_then(&world, &then).await;
}

/// What Inspector's coverage has of the function that is not looked at for a while.
fn unobserved(today: i64) -> Value {
    let covered = |status, reason| covered("111122223333", FUNCTION, "PACKAGE", status, reason);
    let [excluded, old, again] = UNOBSERVED;
    match today {
        _ if (excluded..old).contains(&today) => covered("INACTIVE", "EXCLUDED_BY_TAG"),
        _ if (old..again).contains(&today) => covered("INACTIVE", "UNSUPPORTED_RUNTIME"),
        _ => covered("ACTIVE", "SUCCESSFUL"),
    }
}

const FUNCTION: &str = "arn:aws:lambda:eu-central-1:111122223333:function:cron:$LATEST";
/// Days after which the evidence of the quarter so far is looked at: while an exception covers something, and at the end.
const HALVES: [i64; 2] = [45, DAYS - 1];

/// The evidence from the first day to the end of `today`.
async fn evidence_until(world: &World, today: i64, name: &str) -> evidence::Given {
    let date = |number: i64| day(number).to_string()[..10].to_owned();
    let (from, to, now) = (date(0), date(today), day(today + 1).to_string());
    let days = [from.as_str(), to.as_str()];
    evidence::give(world, days, &evidence::place(name), &["--now", &now]).await
}

/// Compares what was told then with what is told now of the same days.
async fn compare_with_then(world: &World, then: &[evidence::Given]) {
    // What was over is told as it was then, but for what people call things now.
    for (today, then) in HALVES.into_iter().zip(then) {
        let now = evidence_until(world, today, &format!("quarter-now-{today}")).await;
        for file in ["findings.csv", "exceptions.csv", "coverage.csv", "reviews/days.csv"] {
            assert_eq!(now.text(file), then.text(file), "{file}, day {today}");
        }
    }
}

/// Compares the evidence from the first day to the end of `today` with a count over the cases.
fn compare_evidence(given: &evidence::Given, cases: &[Case], today: i64) {
    assert_eq!(given.status, Some(0), "{}", given.error);
    evidence::add_up(given);
    let as_of = day(today + 1);
    let rows = given.rows("findings.csv");
    let by_arn: BTreeMap<&str, &Row> =
        rows.iter().map(|row| (row["findingArn"].as_str(), row)).collect();
    let mut heard = 0;
    for (number, case) in cases.iter().enumerate().filter(|(_, case)| case.heard.is_some()) {
        heard += 1;
        let row = by_arn[arn(number).as_str()];
        let (state, how) = match case.ended {
            Some((how, _)) => ("ended", how),
            None if case.excepted => ("excepted", ""),
            None => ("open", ""),
        };
        let said = ["state", "endedHow", "priority", "owner"].map(|column| row[column].as_str());
        let expected = [state, how, KINDS[case.kind].0, case.team.unwrap_or_default()];
        assert_eq!(said, expected, "{number}, day {today}");
        let is_overdue = case.is_open() && !case.excepted && case.due < as_of;
        let late = case.late_days(as_of);
        let late = if is_overdue { late } else { late.max(case.worst) };
        let late = Some(late).filter(|days| *days > 0);
        let late = late.map_or_else(String::new, |days| days.to_string());
        assert_eq!(row["lateDays"], late, "{number}, day {today}: {row:?}");
        let due: Timestamp = row["dueAt"].parse().unwrap();
        assert_eq!(due, case.due, "{number}, day {today}");
    }
    assert_eq!(rows.len(), heard, "each once, day {today}");

    // The review of the last day has the same numbers.
    let days = given.rows("reviews/days.csv");
    assert_eq!(days.len(), usize::try_from(today).unwrap() + 1);
    let last = days.last().unwrap();
    let count = |is: &dyn Fn(&Case) -> bool| cases.iter().filter(|case| is(case)).count();
    let open = count(&|case| case.is_open() && !case.excepted);
    assert_eq!(last["open"], open.to_string(), "day {today}");
    let counts = &given.json("provenance.json")["counts"];
    assert_eq!(counts["open"]["total"], json!(open), "day {today}");
    let checks = given.json("provenance.json")["checks"].clone();
    assert_eq!(
        i64::try_from(checks.as_array().unwrap().len()).unwrap(),
        (today + 1) / 7 + 1,
        "all reviews, and the last day"
    );

    let gaps: Vec<[String; 3]> = given
        .rows("coverage.csv")
        .into_iter()
        .map(|row| ["reason", "from", "until"].map(|column| row[column].clone()))
        .collect();
    let at = |number: i64| at(number, 10).to_string();
    let [excluded, old, again] = UNOBSERVED;
    let until = |number: i64| if number > today { String::new() } else { at(number) };
    let all = [("EXCLUDED_BY_TAG", excluded, old), ("UNSUPPORTED_RUNTIME", old, again)];
    let expected: Vec<[String; 3]> = all
        .into_iter()
        .filter(|(_, from, _)| *from <= today)
        .map(|(reason, from, to)| [reason.to_owned(), at(from), until(to)])
        .collect();
    assert_eq!(gaps, expected, "day {today}");
}

/// Compares the review of a day, over the seven days to it, with a count over the cases.
async fn compare(world: &World, cases: &[Case], today: i64) {
    let now = at(today, 60);
    let survey = Survey { now, since: at(today - 7, 60), owner_tags: OwnerTags::default() };
    let mut rows = 0;
    let review = survey.of(&world.triage.store, TimeLimit::none(), |_| rows += 1).await.unwrap();
    let review = serde_json::to_value(review.unwrap()).unwrap();
    let count = |of: &dyn Fn(&Case) -> bool| cases.iter().filter(|case| of(case)).count();
    let is_this_week = |day: i64| (today - 6..=today).contains(&day);
    let is_counted = |case: &Case| case.is_open() && !case.excepted;
    let is_overdue = |case: &Case| is_counted(case) && case.due < now;
    for (number, (priority, ..)) in KINDS.iter().enumerate() {
        let of = |is: &dyn Fn(&Case) -> bool| count(&|case| case.kind == number && is(case));
        assert_eq!(review["open"][priority], of(&is_counted), "open {priority}, day {today}");
        assert_eq!(review["overdue"][priority], of(&is_overdue), "overdue {priority}, day {today}");
        for (span, days) in SPANS {
            let left = |case: &Case| (case.due - now).total(Unit::Hour).unwrap() / 24.0;
            let is_in = |case: &Case| is_counted(case) && (days.0..days.1).contains(&left(case));
            assert_eq!(
                review["dueIn"][span][priority],
                of(&is_in),
                "{span} {priority}, day {today}"
            );
        }
    }
    assert_eq!(review["excepted"], count(&|case| case.is_open() && case.excepted), "day {today}");
    assert_eq!(rows, count(&Case::is_open), "day {today}");
    let new = count(&|case| case.heard.is_some_and(is_this_week));
    assert_eq!(review["new"], new, "new, day {today}");
    for how in ["fixed", "gone"] {
        let is_it =
            |case: &Case| case.ended.is_some_and(|(ended, at)| ended == how && is_this_week(at));
        assert_eq!(review["ended"][how], count(&is_it), "{how}, day {today}");
    }
    for owner in review["owners"].as_array().unwrap() {
        let is_theirs = |case: &Case| json!(case.team) == owner["owner"];
        let open = count(&|case| is_theirs(case) && is_counted(case));
        let overdue = count(&|case| is_theirs(case) && is_overdue(case));
        assert_eq!(
            (&owner["open"], &owner["overdue"]),
            (&json!(open), &json!(overdue)),
            "day {today}"
        );
    }
}
